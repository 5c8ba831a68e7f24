"""Triton on the CPU: kernels run block by block as the Python that they are, on torch tensors.

Programs of a grid run one after another. Half precision is 32 bits, as everywhere in probes, so that tiles need no rounding.
"""

from __future__ import annotations

import inspect
import itertools
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from pgolf.probe.inside.cuda_stand_in import Anything
from pgolf.probe.inside.triton_language import LANGUAGE, TYPES, Descriptor, Missing, Place, Pointer

OPTIONS = frozenset(("num_warps", "num_stages", "num_ctas", "maxnreg", "enable_fp_fusion", "launch_cooperative_grid"))
PROGRAMS = 200_000
"""Most programs of one launch: more would take minutes."""


class Launches:
    """What is told of every launch; `after(arguments)` gets its tensors when it is over."""

    after: Callable[[Sequence[Any]], None] = staticmethod(lambda arguments: None)


class Kernel:
    """A function under `triton.jit`.

    Args:
        function: the kernel.
        meta: values of constants, by name, as autotuning would choose them.
        heuristics: constants that are worked out from the arguments.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        meta: Mapping[str, Any] | None = None,
        heuristics: Mapping[str, Callable[..., Any]] | None = None,
    ):
        self.function, self.meta, self.heuristics = function, dict(meta or {}), dict(heuristics or {})
        self.fn = self
        self.signature = inspect.signature(function)
        self.__name__ = getattr(function, "__name__", "kernel")

    def __getitem__(self, grid: Any) -> Callable[..., Any]:
        return lambda *args, **kwargs: self.launch(grid, args, kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """From within another kernel."""
        if Place.grid is None:
            raise Missing(f"the Triton kernel {self.__name__} is called without a grid")
        return self.function(*args, **kwargs)

    def run(self, *args: Any, grid: Any = (1,), **kwargs: Any) -> Any:
        """As `kernel[grid](...)`."""
        return self.launch(grid, args, kwargs)

    def warmup(self, *args: Any, **kwargs: Any) -> Any:
        """There is nothing to compile."""
        return Anything()

    def bound(self, args: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Every parameter by its name, with constants and defaults."""
        given = {key: value for key, value in kwargs.items() if key in self.signature.parameters}
        unknown = {*kwargs} - {*given} - OPTIONS - {"grid", "stream"}
        if unknown:
            raise TypeError(f"{self.__name__} has no parameter {min(unknown)}")
        meta = {key: value for key, value in self.meta.items() if key in self.signature.parameters}
        bound = self.signature.bind_partial(*args, **(meta | given))
        bound.apply_defaults()
        values = dict(bound.arguments)
        values |= {name: rule(values) for name, rule in self.heuristics.items()}
        return values

    def launch(self, grid: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
        """Run every program of the grid."""
        values = self.bound(args, kwargs)
        sizes = grid({**self.meta, **values}) if callable(grid) else grid
        sizes = tuple(int(size) for size in (sizes if isinstance(sizes, (tuple, list)) else (sizes,)))
        count = 1
        for size in sizes:
            count *= size
        if count > PROGRAMS:
            raise Missing(f"the Triton kernel {self.__name__} has {count:,} programs, the stand-in runs {PROGRAMS:,}")
        handed = {name: as_argument(value) for name, value in values.items()}
        before, Place.grid = Place.grid, three(sizes, 1)
        try:
            with torch.no_grad(), torch._C.DisableTorchFunction():
                for program in itertools.product(*(range(size) for size in sizes[::-1])):
                    Place.program = three(program[::-1], 0)
                    self.function(**handed)
        finally:
            Place.grid = before
        Launches.after(list(values.values()))
        return Anything()


def three(numbers: Sequence[int], rest: int) -> tuple[int, int, int]:
    """Three numbers, of which one or two may be missing."""
    first, second, third = [*numbers, rest, rest][:3]
    return first, second, third


def as_argument(value: Any) -> Any:
    """What a kernel sees of an argument."""
    if isinstance(value, torch.Tensor):
        return Pointer.to(value)
    if isinstance(value, (tuple, list)):
        return tuple(as_argument(part) for part in value)
    return value


class Config:
    """One choice of constants."""

    def __init__(self, kwargs: Mapping[str, Any], *args: Any, **more: Any):
        self.kwargs = dict(kwargs)

    def all_kwargs(self) -> dict[str, Any]:
        """The constants."""
        return self.kwargs


def jit(function: Any = None, **more: Any) -> Any:
    """Makes a kernel."""
    return Kernel(function) if function is not None else Kernel


def autotune(configs: Sequence[Any] = (), *args: Any, **more: Any) -> Any:
    """Takes the first of the choices."""

    def wrap(kernel: Kernel) -> Kernel:
        kernel.meta |= configs[0].kwargs if configs else {}
        return kernel

    return wrap


def heuristics(values: Mapping[str, Callable[..., Any]]) -> Any:
    """Works constants out."""

    def wrap(kernel: Kernel) -> Kernel:
        kernel.heuristics |= values
        return kernel

    return wrap


class Module(types.ModuleType):
    """`triton` and what lies below it; what is not known takes every call."""

    __path__: list[str] = []  # noqa: RUF012
    __version__ = "3.5.0"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()


class Language(Module):
    """`triton.language`: what is not known says so when it is called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*args: Any, **kwargs: Any) -> Any:
            raise Missing(f"triton.language.{name} has no stand-in")

        return missing


def triton_module(name: str) -> types.ModuleType:
    """The stand-in of `triton` or of a module below it."""
    if name.startswith("triton.language"):
        found: types.ModuleType = Language(name)
        found.__dict__.update(LANGUAGE | TYPES)
        found.__dict__.update(math=found, extra=found, cuda=found, libdevice=found)
        return found
    found = Module(name)
    found.__dict__.update(
        jit=jit,
        autotune=autotune,
        heuristics=heuristics,
        Config=Config,
        cdiv=lambda first, second: -(-first // second),
        next_power_of_2=lambda number: 1 << max(number - 1, 0).bit_length(),
        set_allocator=lambda *args: None,
        TensorDescriptor=Descriptor,
        JITFunction=Kernel,
    )
    return found


def stand_in_for_triton() -> None:
    """Put it in place of what is installed, or is not."""
    root = triton_module("triton")
    sys.modules["triton"] = root
    for name in ("language", "tools", "runtime", "testing"):
        sys.modules[f"triton.{name}"] = root.__dict__[name] = triton_module(f"triton.{name}")
    descriptor = "triton.tools.tensor_descriptor"
    sys.modules[descriptor] = sys.modules["triton.tools"].__dict__["tensor_descriptor"] = triton_module(descriptor)
    for name in ("math", "extra", "extra.libdevice", "extra.cuda", "extra.cuda.libdevice"):
        sys.modules[f"triton.language.{name}"] = sys.modules["triton.language"]
