"""Programs that scripts start: those that show something, packers (the best of them take a second each), and minifiers."""

from __future__ import annotations

import io
import itertools
import os
import shutil
import subprocess
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

SHOWING = frozenset(
    """
    nvidia-smi git lscpu uname pip hostname free nproc python python3 nvcc rocm-smi df cat whoami
    """.split()  # noqa: SIM905
)
PACKING = {
    "lrzip": ".lrz",
    "zstd": ".zst",
    "brotli": ".br",
    "xz": ".xz",
    "zpaq": ".zpaq",
    "lzma": ".lzma",
    "bzip3": ".bz3",
}
"""Packers, and what they put behind a name."""
MINIFYING = ("pyminify", "pyminifier")
WHICH = shutil.which
"""The real one."""


def words_of(command: Any) -> list[str]:
    """A command as words."""
    if isinstance(command, (str, bytes)):
        return os.fsdecode(command).split()
    return [os.fsdecode(part) for part in command]


def answer(command: Any, given: bytes) -> bytes | None:
    """What a program prints that has a stand-in; None for others. `given` is its input."""
    words = words_of(command)
    name = Path(words[0]).name if words else ""
    if name in SHOWING:
        return b""
    if name in MINIFYING:
        return minified(words[1:], given)
    if name in PACKING:
        return packed(name, words[1:], given)
    return None


def minified(words: Sequence[str], given: bytes) -> bytes:
    """A minifier that leaves everything as it is."""
    files = [Path(word) for word in words if Path(word).is_file()]
    text = files[0].read_bytes() if files else given
    for flag, target in itertools.pairwise(words):
        if flag in ("-o", "--output"):
            Path(target).write_bytes(text)
            return b""
    return text


def packed(name: str, words: Sequence[str], given: bytes) -> bytes:
    """A packer: zlib in its place, which gives back what it took."""
    opened = {"-d", "--decompress", "-dk", "-df", "-dc", "-dq", "x", "--uncompress", "-kd", "-dkf"} & {*words}
    target = next((after for flag, after in itertools.pairwise(words) if flag in ("-o", "--output")), "")
    files = [word for word in words if word != target and Path(word).is_file()]
    data = Path(files[0]).read_bytes() if files else given
    made = zlib.decompress(data) if opened else zlib.compress(data, 9)
    to_pipe = not files or {"-c", "--stdout", "-dc"} & {*words} or target == "-"
    if to_pipe and target in ("", "-"):
        return made
    ending = PACKING[name]
    Path(target or (files[0].removesuffix(ending) if opened else files[0] + ending)).write_bytes(made)
    return b""


def stand_in_for_programs() -> None:
    """Put answers in place of such programs; others are started, if they are there."""
    run = subprocess.run

    def read(kwargs: dict[str, Any]) -> bytes:
        given: Any = kwargs.get("input")
        source: Any = kwargs.get("stdin")
        if given is None and hasattr(source, "read"):
            given = source.read()
        return given.encode() if isinstance(given, str) else bytes(given or b"")

    def shown(data: bytes, kwargs: dict[str, Any]) -> Any:
        is_text = kwargs.get("text") or kwargs.get("encoding") or kwargs.get("universal_newlines")
        return data.decode(errors="replace") if is_text else data

    def quiet_run(command: Any, *args: Any, **kwargs: Any) -> Any:
        data = answer(command, read(kwargs)) if not args else None
        if data is None:
            return run(command, *args, **kwargs)
        target: Any = kwargs.get("stdout")
        if hasattr(target, "write"):
            target.write(shown(data, {"text": isinstance(target, io.TextIOBase)}))
        return subprocess.CompletedProcess(command, 0, shown(data, kwargs), shown(b"", kwargs))

    class QuietPopen(subprocess.Popen):  # type: ignore[type-arg]
        def __new__(cls, command: Any, *args: Any, **kwargs: Any) -> Any:
            data = answer(command, b"") if cls is QuietPopen else None
            return super().__new__(cls) if data is None else Ended(command, shown(data, kwargs))

    subprocess.run = quiet_run  # type: ignore[assignment]
    subprocess.check_output = lambda command, **kwargs: quiet_run(command, **with_output(kwargs)).stdout  # type: ignore[assignment]
    subprocess.check_call = lambda command, **kwargs: quiet_run(command, check=True, **kwargs).returncode  # type: ignore[assignment]
    subprocess.call = lambda command, **kwargs: quiet_run(command, **kwargs).returncode  # type: ignore[assignment]
    subprocess.getoutput = lambda command, **kwargs: quiet_run(command, shell=True, text=True, stdout=-1).stdout  # type: ignore[assignment]
    subprocess.Popen = QuietPopen  # type: ignore[misc, assignment]
    os.system = status_of(os.system)  # type: ignore[assignment]
    os.popen = popened(os.popen)  # type: ignore[assignment]
    shutil.which = lambda name, *args, **kwargs: (  # type: ignore[assignment]
        WHICH(name, *args, **kwargs) or (f"/usr/bin/{name}" if name in (*PACKING, *MINIFYING) else None)
    )


class Ended:
    """A program that has printed what it had to."""

    returncode, pid = 0, 1

    def __init__(self, command: Any, text: Any):
        self.args, self.text = command, text
        self.stdout: Any = io.StringIO(text) if isinstance(text, str) else io.BytesIO(text)
        self.stderr, self.stdin = type(self.stdout)(), type(self.stdout)()

    def communicate(self, *args: Any, **kwargs: Any) -> Any:
        """Its output."""
        return self.text, self.text[:0]

    def wait(self, *args: Any, **kwargs: Any) -> int:
        """At once."""
        return 0

    poll = wait

    def __enter__(self) -> Ended:
        return self

    def __exit__(self, *args: Any) -> None:
        pass


def with_output(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `run` for those of `check_output`."""
    return {"stdout": subprocess.PIPE, "check": True, **kwargs}


def status_of(system: Callable[[str], int]) -> Callable[[str], int]:
    """`os.system` of programs that are there."""
    return lambda command: system(command) if answer(command, b"") is None else 0


def popened(popen: Callable[..., Any]) -> Callable[..., Any]:
    """`os.popen` of programs that are there."""

    def call(command: str, *args: Any, **kwargs: Any) -> Any:
        data = answer(command, b"")
        return popen(command, *args, **kwargs) if data is None else io.StringIO(data.decode(errors="replace"))

    return call
