"""A build without PyTorch and NumPy: importing them takes longer than all the rest, and a build only reads what it bundles.

Plugins are imported for their hooks. What they ask of torch while they are imported is little: names for annotations, and
decorators. `installed` has stand-ins for these, and for nothing else. Where a plugin asks for more (`torch.__version__`, a
tensor, a class to inherit from), or anything at all goes wrong, the process starts over with PyTorch, so that whatever is
reported or written is what it would have been with it. Nothing is written before that.

Only a process that is nothing but `pgolf build` does this. PGOLF_WITH_TORCH=1 in the environment switches it off.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn, TypeVar

Marked = TypeVar("Marked")
WITH_TORCH = "PGOLF_WITH_TORCH"
MODULES = (
    *("torch", "torch.distributed", "torch.library", "torch.nn", "torch.nn.attention", "torch.nn.functional"),
    *("torch.nn.attention.flex_attention", "numpy"),
)
TYPES = ("Tensor", "Generator", "device", "dtype")
ARRAY_TYPES = ("ndarray", "dtype", "generic")
DECORATORS = ("no_grad", "inference_mode", "enable_grad")
DTYPES = ("bfloat16", "bool", "float16", "float32", "float64", "int16", "int32", "int64", "int8", "uint8")
FUNCTIONS = {"torch.nn.attention.flex_attention": ("create_block_mask", "flex_attention")}
"""Imported by name at the top of plugins, and called in runs alone."""
OF_IMPORTS = ("__all__", "__file__", "__path__", "__spec__", "__loader__", "__wrapped__", "__warningregistry__")
"""What Python itself asks of any module, and can do without."""


class Process:
    """Whether this process is a command and nothing else, so that it may start over."""

    is_command = False


def start_over() -> NoReturn:
    """Run this process again from its start, with PyTorch."""
    sys.stdout.flush()
    sys.stderr.flush()
    words = [sys.executable, *sys.orig_argv[1:]]
    os.execve(sys.executable, words, {**os.environ, WITH_TORCH: "1"})


@contextmanager
def installed() -> Iterator[bool]:
    """Stand-ins while a plugin may be imported; gives whether there are any. What goes wrong goes wrong with PyTorch.

    They stay until the process ends: who leaves the block must import no plugin any more.
    """
    wanted = Process.is_command and os.name == "posix" and not os.environ.get(WITH_TORCH)
    if not wanted or not {"torch", "numpy"}.isdisjoint(sys.modules) or importlib.util.find_spec("torch") is None:
        yield False
        return
    sys.meta_path.insert(0, _Finder())
    # Kernels are compiled in runs alone. Plugins can do without it; its own import may ask torch for anything.
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type]
    try:
        yield True
    except Exception:
        start_over()


class _Finder(MetaPathFinder, Loader):
    """Finds and makes the modules that stand in for those of torch and NumPy."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        if fullname.partition(".")[0] not in ("torch", "numpy"):
            return None
        return ModuleSpec(fullname, self, is_package=True) if fullname in MODULES else start_over()

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


class _Module(ModuleType):
    """A module that has what is known to be there, and starts over for anything else."""

    def __getattr__(self, name: str) -> Any:
        if name in OF_IMPORTS:
            raise AttributeError(name)
        found = _attribute(self.__name__, name)
        setattr(self, name, found)
        return found


def _attribute(module: str, name: str) -> Any:
    """What stands in for `module.name`."""
    if f"{module}.{name}" in MODULES:
        return importlib.import_module(f"{module}.{name}")
    if name in FUNCTIONS.get(module, ()) or (module == "torch" and name in DTYPES):
        return _Thing(f"{module}.{name}")
    if (module == "torch" and name in TYPES) or (module == "numpy" and name in ARRAY_TYPES):
        return _Type(name, (), {})
    if module == "torch" and name in DECORATORS:
        return _same_function
    return _operator if (module, name) == ("torch.library", "custom_op") else start_over()


class _Type(type):
    """A type that can be named in annotations and asked for with `isinstance`, of which there are no objects."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        start_over()

    def __call__(cls, *_: object, **__: object) -> NoReturn:
        start_over()

    def __init__(cls, name: str, bases: tuple[type, ...], members: dict[str, Any]) -> None:
        if bases:
            start_over()
        super().__init__(name, bases, members)


class _Thing:
    """Something that can be handed around and nothing else."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        start_over()

    def __call__(self, *_: object, **__: object) -> NoReturn:
        start_over()


class _Decorator(_Thing):
    """`no_grad()`, which decorates: PyTorch's own has the name and the signature of what it decorates, too."""

    def __call__(self, function: Marked) -> Marked:  # type: ignore[override]
        return function


def _same_function(*given: object) -> _Decorator:
    return _Decorator("no_grad") if not given else start_over()


class _Operator(_Thing):
    """`@custom_op(...)`, to which functions are registered."""

    def register_fake(self, function: Marked) -> Marked:
        return function

    def register_autograd(self, backward: object, *, setup_context: object = None) -> None:
        """Runs alone call it."""


def _operator(name: str, *, mutates_args: object) -> Callable[[object], _Operator]:
    return lambda function: _Operator(name)
