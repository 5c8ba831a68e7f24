"""Hostile programs through `pgolf build`: what each prints live and after every stage."""

import ast
import random
import signal
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch.utils.checkpoint  # noqa: F401 what the programs import is loaded before their time is taken
from hostile_writer import make_hostile
from program_stages import TooLong, live, run

from pgolf.bundle.pipeline import build
from pgolf.errors import PgolfError
from pgolf.unpack import unpack

SECONDS = 10
"""A program that runs longer than this does not end."""


@dataclass(frozen=True)
class Outcome:
    """What came of one program.

    Attributes:
        kind: "equal"; "refused" by a rule of the subset; "useless", where it ends with an error or not at all when it runs
            live; "broken", where the build ends otherwise; "differs".
        stage: where it went wrong, or the codes of the rules.
        detail: what was printed.
    """

    kind: str
    stage: str = ""
    detail: str = ""

    @property
    def is_fault(self):
        return self.kind in ("broken", "differs")


@contextmanager
def limited():
    """`TooLong` in a program that does not end."""

    def stop(*_):
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def printed(call, *arguments):
    with limited():
        return call(*arguments)


def bundled(entry, sources, pack="plain"):
    """What `build` makes of modules."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for module, text in sources.items():
            (folder / f"{module}.py").write_text(text, encoding="utf-8")
        return build(entry, lambda module: folder / f"{module}.py" if module in sources else None, pack=pack)


def outcome(entry, sources, pack="plain"):
    """The program's `Outcome`: live against the text of every stage and the packed file."""
    expected = printed(live, entry, sources)
    if any(text in expected for text in ("ended by", "too long", " at 0x")):  # an address differs from run to run
        return Outcome("useless", detail=expected[-200:])
    try:
        built = bundled(entry, sources, pack)
    except PgolfError as error:
        codes = sorted({one.code for one in getattr(error, "errors", (error,))})
        kind = "broken" if any(code.startswith("PG4") for code in codes) else "refused"
        return Outcome(kind, " ".join(codes), str(error))
    except Exception as error:
        return Outcome("broken", type(error).__name__, str(error))
    texts = {name: content.decode() for name, content in built.dumps.items() if name[0] in "1234"}
    texts["5_packed.py"] = unpack(built.code) if pack != "plain" else built.code.decode()
    seen = {}
    for stage, text in texts.items():
        if text not in seen:
            seen[text] = printed(run, text)
        if seen[text] != expected:
            return Outcome("differs", stage, f"{text}\n--- live\n{expected}\n--- {stage}\n{seen[text]}")
    return Outcome("equal")


def tried(seed, pack="plain"):
    """(entry, sources, outcome) of the program of a seed."""
    entry, sources = make_hostile(random.Random(seed))
    ast.parse(sources["code_"])
    return entry, sources, outcome(entry, sources, pack)
