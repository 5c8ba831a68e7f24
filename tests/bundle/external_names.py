"""Writes `pgolf/bundle/minify/external_names.py`, the attribute names of what a program may import.

    python tests/bundle/external_names.py > pgolf/bundle/minify/external_names.py

The bundler imports neither torch nor numpy, so the names are checked in. They are the public attributes of every class of
torch, numpy and the standard modules below, and whatever their constructors set on `self`.
"""

import importlib
import re
import warnings
from pathlib import Path

PACKAGES = ("numpy", "sentencepiece", "torch")
STANDARD = (
    *(
        "bisect",
        "bz2",
        "collections",
        "contextlib",
        "copy",
        "datetime",
        "faulthandler",
        "functools",
        "gc",
        "glob",
        "hashlib",
        "heapq",
    ),
    *("io", "itertools", "json", "lzma", "math", "operator", "os", "pathlib", "platform", "queue", "random", "re"),
    *("resource", "shutil", "signal", "statistics", "string", "struct", "subprocess", "sys", "tempfile", "threading"),
    *("time", "traceback", "typing", "uuid", "warnings", "weakref", "zlib", "dataclasses", "brotli"),
)
IMPORTED = (
    *("numpy.random", "numpy.ma", "numpy.polynomial"),
    "torch.nn.attention.flex_attention",
    "torch.distributed",
    "torch.profiler",
)
SET_ON_SELF = re.compile(r"\bself\.([A-Za-z]\w*)\s*(?::[^=\n]+)?=(?!=)")
SCANNED = ("torch/nn", "torch/optim", "torch/cuda", "torch/autograd")
OTHERS = ("args", "returncode", "stdout", "stderr", "errno", "strerror", "filename", "mode", "name")
REFUSED = ("torch.jit", "torch.fx", "torch.package", "torch.onnx", "torch.testing", "torch.export")


def every_class():
    """Every class of the interpreter, those without a public name (such as `zlib.Decompress`) included."""
    seen, queue = set(), [object]
    while queue:
        for found in type.__subclasses__(queue.pop()):
            if found not in seen:
                seen.add(found)
                queue.append(found)
    return seen


def is_reachable(origin):
    """Can a program that imports only what is covered get an object of a class of this module?"""
    top, *rest = origin.split(".")
    if top == "torch":
        return rest[:1] == ["_C"] or not (any(part.startswith("_") for part in rest) or origin.startswith(REFUSED))
    return top in ("builtins", *PACKAGES, *STANDARD) or top.startswith("_")


def found_names():
    """Every attribute name."""
    for name in (*PACKAGES, *STANDARD, *IMPORTED):
        importlib.import_module(name)
    names = set(OTHERS) | set_on_self()
    for found in every_class():
        if is_reachable(str(found.__module__ or "builtins")):
            names.update(dir(found))
    return names


def set_on_self():
    """Attributes that the classes of the standard modules, and torch's own, get when they are made."""
    root = Path(importlib.import_module("torch").__file__).parent.parent
    texts = [Path(path).read_text(encoding="utf-8") for path in map(source_of, STANDARD) if path.endswith(".py")]
    for folder in SCANNED:
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root).parts
            if not any(part.startswith("_") and part != "__init__.py" for part in parts):
                texts.append(path.read_text(encoding="utf-8"))
    return {name for text in texts for name in SET_ON_SELF.findall(text)}


def source_of(module):
    return getattr(importlib.import_module(module), "__file__", None) or ""


def wrapped(names):
    """The names in lines."""
    lines, line = [], ""
    for name in sorted(names):
        if len(line) + len(name) > 118:
            lines, line = [*lines, line.rstrip()], ""
        line += name + " "
    return "\n".join([*lines, line.rstrip()])


def as_module(names):
    """The text of the data module."""
    return (
        '# ruff: noqa: SIM905\n"""Attribute names of torch, numpy, sentencepiece, brotli and the standard library; written by\n'
        "`tests/bundle/external_names.py`. An attribute of the program that has one of these names keeps it.\n"
        '"""\n\nfrom __future__ import annotations\n\n'
        'COVERED = frozenset(\n    """\n' + wrapped((*PACKAGES, *STANDARD)) + '\n""".split()\n)\n'
        '"""Packages and modules whose attributes are in the list."""\n\n'
        'NAMES = frozenset(\n    """\n' + wrapped(names) + '\n""".split()\n)\n'
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(as_module(name for name in found_names() if not name.startswith("_")), end="")
