"""Names what runs: every call of a plugin's component, and of the engine's matrices, is a range of PyTorch's profiler.

The components are those of the live program: functions and classes that the entry module has imported from plugins. Ranges
nest, and what happens inside counts for the innermost one. The clock on the wall is kept for each of them as well.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any

import torch

PLUGIN, STAGE = "plugin ", "stage "


class Ranges:
    """Opens ranges.

    Attributes:
        stage: the stage that is on.
        seconds: (stage, plugin) -> seconds on the wall inside the plugin's ranges and in none within them.
    """

    def __init__(self) -> None:
        self.stage = ""
        self.seconds: dict[tuple[str, str], float] = defaultdict(float)
        self.inner: list[float] = [0.0]

    @contextmanager
    def open(self, name: str) -> Iterator[None]:
        """A range of the plugin `name`."""
        begin = time.perf_counter()
        self.inner.append(0.0)
        try:
            with torch.profiler.record_function(PLUGIN + name):
                yield
        finally:
            spent = time.perf_counter() - begin
            self.seconds[self.stage, name] += spent - self.inner.pop()
            self.inner[-1] += spent

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        """A stage, whose own seconds, outside of plugins, are the engine's; stages do not nest."""
        before, self.stage = self.stage, stage
        begin, self.inner = time.perf_counter(), [0.0]
        try:
            with torch.profiler.record_function(STAGE + stage):
                yield
        finally:
            self.seconds[stage, ""] += time.perf_counter() - begin - self.inner[0]
            self.stage, self.inner = before, [0.0]

    def wrapped(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The function in a range of its own; the compiler sees the function alone."""

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if torch.compiler.is_compiling():
                return function(*args, **kwargs)
            with self.open(name):
                return function(*args, **kwargs)

        return call

    def wrap_entry(self, entry: ModuleType, plugin_of: Callable[[str], str]) -> None:
        """Every component that the entry module imports; call it before the program is made."""
        for name, value in list(vars(entry).items()):
            if not isinstance(value, (type, FunctionType)):
                continue
            plugin = plugin_of(value.__module__)
            if plugin == "runtime":
                continue
            if isinstance(value, type):
                self.wrap_class(value, plugin)
            else:
                setattr(entry, name, self.wrapped(value, plugin))

    def wrap_class(self, kind: type, plugin: str) -> None:
        """Every method that a class and its bases in the same module define, but for making one."""
        for owner in kind.__mro__:
            if owner.__module__ != kind.__module__ or owner.__dict__.get("_pgolf_ranges") is self:
                continue
            for name, value in list(vars(owner).items()):
                special = name.startswith("__") and name != "__call__"
                if isinstance(value, FunctionType) and not special and not inspect.isgeneratorfunction(value):
                    setattr(owner, name, self.wrapped(value, plugin))
            owner._pgolf_ranges = self  # type: ignore[attr-defined]

    def wrap_matrices(self, model: Any) -> None:
        """The engine's product with a matrix, by its role."""
        plain = model.project

        def project(x: Any, role: str, *args: Any) -> Any:
            if torch.compiler.is_compiling():
                return plain(x, role, *args)
            with self.open(f"matrix {role}"):
                return plain(x, role, *args)

        object.__setattr__(model, "project", project)
