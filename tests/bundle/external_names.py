"""Writes `pgolf/bundle/external_names.txt`, the attribute names of what a program may import.

    python tests/bundle/external_names.py > pgolf/bundle/external_names.txt

The bundler imports neither torch nor numpy, so the names are checked in. They are the public attributes of every class of
torch, numpy and the standard modules of `visibility.COVERED`, and whatever their constructors set on `self`.
"""

import importlib
import re
import warnings
from pathlib import Path

from pgolf.bundle.visibility import COVERED

PACKAGES = ("numpy", "sentencepiece", "torch")
STANDARD = sorted(COVERED.difference(PACKAGES))
IMPORTED = (
    *("numpy.random", "numpy.ma", "numpy.polynomial"),
    "concurrent.futures",
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
    files = [Path(path) for path in map(source_of, STANDARD) if path.endswith(".py")]
    packages = [path.parent for path in files if path.name == "__init__.py"]
    files += [path for folder in packages for path in sorted(folder.rglob("*.py")) if "/test" not in str(path)]
    texts = [path.read_text(encoding="utf-8") for path in files]
    for folder in SCANNED:
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root).parts
            if not any(part.startswith("_") and part != "__init__.py" for part in parts):
                texts.append(path.read_text(encoding="utf-8"))
    return {name for text in texts for name in SET_ON_SELF.findall(text)}


def source_of(module):
    return getattr(importlib.import_module(module), "__file__", None) or ""


def as_text(names):
    """The text of the data file: a name a line, sorted."""
    return "".join(f"{name}\n" for name in sorted(names) if not name.startswith("_"))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(as_text(found_names()), end="")
