"""A GPU for scripts that ask for one: calls of `torch.cuda` that do nothing, autocast on the CPU, no compiler."""

from __future__ import annotations

import collections
import contextlib
import types
from typing import Any

import torch
import torch._dynamo as dynamo
import torch.cuda.tunable
import torch.nn.attention
from torch.utils._config_module import ConfigModule

CAPABILITY = (9, 0)
NAME = "NVIDIA H100 80GB HBM3"
MEMORY = 80 * 2**30


class Anything:
    """Takes every call and attribute; a stream, an event, a graph."""

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *args: Any) -> None:
        pass

    def elapsed_time(self, other: Any) -> float:
        """Milliseconds of two events."""
        return 1.0


def nothing(*args: Any, **kwargs: Any) -> None:
    """Of a call that would do something to a GPU."""


def properties(*args: Any) -> Any:
    """What an H100 says of itself."""
    return types.SimpleNamespace(
        name=NAME, total_memory=MEMORY, multi_processor_count=132, major=9, minor=0, gcnArchName=""
    )


ANSWERS: dict[str, Any] = {
    "is_available": lambda: True,
    "device_count": lambda: 1,
    "current_device": lambda: 0,
    "get_device_name": lambda *args: NAME,
    "get_device_capability": lambda *args: CAPABILITY,
    "get_device_properties": properties,
    "is_bf16_supported": lambda *args, **kwargs: True,
    "mem_get_info": lambda *args: (MEMORY, MEMORY),
    "is_current_stream_capturing": lambda: False,
    "is_initialized": lambda: True,
}
NUMBERS = """
memory_allocated max_memory_allocated memory_reserved max_memory_reserved utilization temperature power_draw
clock_rate initial_seed
""".split()  # noqa: SIM905
SILENT = """
synchronize set_device empty_cache manual_seed manual_seed_all reset_peak_memory_stats init ipc_collect seed seed_all
reset_max_memory_allocated set_per_process_memory_fraction set_stream
""".split()  # noqa: SIM905


def stand_in_for_cuda() -> None:
    """Replace what scripts use of `torch.cuda`, also pinned memory and generators."""
    for name, answer in ANSWERS.items():
        setattr(torch.cuda, name, answer)
    for name in NUMBERS:
        setattr(torch.cuda, name, lambda *args, **kwargs: 0)
    for name in SILENT:
        setattr(torch.cuda, name, nothing)
    for name in ("Stream", "Event", "stream", "current_stream", "default_stream", "device"):
        setattr(torch.cuda, name, Anything)
    torch.cuda.memory_summary = lambda *args, **kwargs: ""
    torch.cuda.nvtx = Anything()  # type: ignore[assignment]
    for name in ("memory_stats", "memory_stats_as_nested_dict"):
        setattr(torch.cuda, name, lambda *args: collections.defaultdict(int))
    torch.set_default_device = nothing  # type: ignore[assignment]
    torch.Tensor.record_stream = nothing  # type: ignore[method-assign, assignment]
    stand_in_for_accelerator()
    stand_in_for_settings()
    stand_in_for_the_rest()
    stand_in_for_attention_choice()
    generator = torch.Generator

    class CpuGenerator(generator):  # type: ignore[misc, valid-type]
        def __new__(cls, device: Any = None) -> Any:
            return generator()

    torch.Generator = CpuGenerator  # type: ignore[misc]
    stand_in_for_autocast()
    stand_in_for_load()


def stand_in_for_the_rest() -> None:
    """Whatever else of `torch.cuda` would say that there is no GPU gives something that takes every call."""

    def quiet(function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except (AssertionError, AttributeError, RuntimeError):
                return Anything()

        return call

    for module in (torch.cuda, torch.cuda.memory, torch.cuda.tunable):
        for name, value in list(vars(module).items()):
            if isinstance(value, types.FunctionType) and value.__module__.startswith("torch.cuda"):
                setattr(module, name, quiet(value))
    torch.backends.cuda.preferred_linalg_library = quiet(torch.backends.cuda.preferred_linalg_library)
    torch.backends.cuda.preferred_blas_library = quiet(torch.backends.cuda.preferred_blas_library)


def stand_in_for_accelerator() -> None:
    """None, as in a PyTorch without CUDA: with it, optimizers would ask a driver that may not be there, in every step."""
    torch.accelerator.is_available = lambda: False
    torch.accelerator.device_count = lambda: 0
    torch.accelerator.current_accelerator = lambda check_available=False: None


def stand_in_for_settings() -> None:
    """Settings of the compiler that this PyTorch does not know may be set; numbers are of 32 bits by default, too."""
    original = ConfigModule.__setattr__
    default = torch.set_default_dtype

    def set_any(self: Any, name: str, value: Any) -> None:
        with contextlib.suppress(AttributeError, AssertionError):
            original(self, name, value)

    ConfigModule.__setattr__ = set_any  # type: ignore[method-assign]
    torch.set_default_dtype = lambda dtype: default(torch.float32 if dtype == torch.bfloat16 else dtype)


def stand_in_for_attention_choice() -> None:
    """Which kernel attention takes is no choice here."""
    backends = torch.backends.cuda
    for kind in ("flash", "math", "mem_efficient", "cudnn"):
        setattr(backends, f"enable_{kind}_sdp", nothing)
        setattr(backends, f"{kind}_sdp_enabled", lambda: True)
    backends.sdp_kernel = Anything  # type: ignore[assignment, misc]
    torch.nn.attention.sdpa_kernel = Anything  # type: ignore[assignment]


def stand_in_for_autocast() -> None:
    """Autocast changes nothing: everything is computed in 32 bits."""
    original = torch.amp.autocast_mode.autocast

    class Autocast(original):  # type: ignore[misc, valid-type]
        def __init__(self, device_type: str = "cpu", dtype: Any = None, enabled: bool = True, **more: Any):
            super().__init__("cpu", torch.bfloat16, False)

    class CudaAutocast(Autocast):
        def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True):
            super().__init__("cuda", dtype, enabled)

    torch.autocast = torch.amp.autocast = torch.amp.autocast_mode.autocast = Autocast  # type: ignore[misc, assignment]
    torch.cuda.amp.autocast = CudaAutocast  # type: ignore[misc]


def stand_in_for_load() -> None:
    """Files are loaded to the CPU, whatever device they were saved from."""
    load = torch.load

    def to_cpu(file: Any, map_location: Any = None, **more: Any) -> Any:
        return load(file, map_location="cpu", **more)

    torch.load = to_cpu  # type: ignore[assignment]


def stand_in_for_compiler() -> None:
    """`torch.compile` gives back what it gets; its settings may be set and mean nothing."""

    def compile(model: Any = None, **more: Any) -> Any:
        if isinstance(model, torch.nn.Module):
            object.__setattr__(model, "_orig_mod", model)  # a submodule would be its own parent
        return (lambda function: function) if model is None else model

    torch.compile = compile  # type: ignore[assignment]
    torch.compiler.disable = lambda function=None, **more: compile(function)
    for name in ("cudagraph_mark_step_begin", "reset"):
        setattr(torch.compiler, name, nothing)
    for name in ("reset", "mark_dynamic", "maybe_mark_dynamic", "mark_static"):
        setattr(dynamo, name, nothing)
