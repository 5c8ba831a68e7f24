"""Modules that scripts import and this machine lacks, and programs that they start."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
import zlib
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist

from pgolf.probe.inside.attention_stand_in import attention_module
from pgolf.probe.inside.cuda_stand_in import Anything, nothing
from pgolf.probe.inside.custom_op_stand_in import stand_in_for_custom_ops
from pgolf.probe.inside.flex_stand_in import stand_in_for_flex
from pgolf.probe.inside.program_stand_ins import stand_in_for_programs
from pgolf.probe.inside.triton_stand_in import stand_in_for_triton, triton_module

ATTENTION = ("flash_attn", "flash_attn_interface", "flash_attn_3")
# They send what they are told over the network or to the disk, so their stand-ins come before what is installed.
REPORTERS = ("wandb", "tensorboard", "torch.utils.tensorboard", "mlflow", "neptune", "comet_ml", "trackio")
HARMLESS = ("psutil", "pynvml", "nvtx", "setproctitle", "dotenv", "rich", "tqdm")


class SilentModule(types.ModuleType):
    """Takes every call."""

    __path__: list[str] = []  # noqa: RUF012

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return iterated if name in ("tqdm", "trange") else Anything()


def iterated(values: Any = (), *args: Any, **kwargs: Any) -> Any:
    """A progress bar without the bar."""
    return range(values) if isinstance(values, int) else values


def compressor(name: str) -> types.ModuleType:
    """brotli or zstandard by zlib: it gives back what it took."""
    found = types.ModuleType(name)

    class Codec(Anything):
        def compress(self, data: bytes, *args: Any, **kwargs: Any) -> bytes:
            return zlib.compress(bytes(data), 9)

        def decompress(self, data: bytes, *args: Any, **kwargs: Any) -> bytes:
            return zlib.decompress(bytes(data))

    codec = Codec()
    names = {"compress": codec.compress, "decompress": codec.decompress, "ZstdCompressor": Codec}
    found.__dict__.update(names, ZstdDecompressor=Codec, MODE_GENERIC=0, MODE_TEXT=1, __version__="1")
    return found


def numba_module(name: str) -> types.ModuleType:
    """numba without its compiler: functions stay Python."""
    found = SilentModule(name)

    def plain(*args: Any, **kwargs: Any) -> Any:
        ready = len(args) == 1 and not kwargs and isinstance(args[0], types.FunctionType)
        return args[0] if ready else lambda function: function

    found.__dict__.update(dict.fromkeys(("jit", "njit", "vectorize", "guvectorize", "generated_jit"), plain))
    found.__dict__.update(prange=range, typed=types.SimpleNamespace(Dict=TypedDict, List=list), __version__="0.60")
    return found


class TypedDict(dict[Any, Any]):
    """`numba.typed.Dict`."""

    @classmethod
    def empty(cls, *args: Any, **kwargs: Any) -> TypedDict:
        """A new one."""
        return cls()


def reports(name: str) -> bool:
    """Whether a module is one of `REPORTERS`, or a part of one."""
    return any(name == one or name.startswith(f"{one}.") for one in REPORTERS)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives stand-ins for modules: `first` those that hide what is installed, otherwise, asked last, for what is missing."""

    def __init__(self, first: bool) -> None:
        self.first = first

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        """A spec where there is a stand-in."""
        wanted = reports(name) if self.first else made(name) is not None
        return importlib.machinery.ModuleSpec(name, self) if wanted else None

    def create_module(self, spec: Any) -> Any:
        """The stand-in."""
        return made(spec.name)

    def exec_module(self, module: Any) -> None:
        """Nothing is left to do."""


def made(name: str) -> types.ModuleType | None:
    """The stand-in of a module."""
    root = name.partition(".")[0]
    if root in ATTENTION:
        return attention_module(name)
    if root == "triton":
        return triton_module(name)
    if name in ("brotli", "zstandard", "zstd", "pyzstd"):
        return compressor(name)
    if root == "numba":
        return numba_module(name)
    if root in HARMLESS or reports(name):
        return SilentModule(name)
    if root == "kernels":
        found = types.ModuleType(name)
        found.__dict__.update(get_kernel=lambda *args, **more: attention_module("kernels"), __path__=[])
        return found
    return None


def stand_in_for_modules() -> None:
    """Stand-ins for imports; what is installed is taken, but for FlashAttention, Triton and what reports elsewhere."""
    sys.meta_path.insert(0, Finder(first=True))
    sys.meta_path.append(Finder(first=False))
    for name in ("flash_attn", "flash_attn.flash_attn_interface", "flash_attn_interface"):
        sys.modules[name] = attention_module(name)
    stand_in_for_triton()
    stand_in_for_flex()
    stand_in_for_custom_ops()


class Done(Anything):
    """What a collective gives that is waited for."""

    def wait(self, *args: Any) -> bool:
        """At once."""
        return True


def stand_in_for_distributed() -> None:
    """A world of one rank: reductions leave what they get, gathers copy it."""
    done = Done()

    def answer(result: Any) -> Callable[..., Any]:
        return lambda *args, **kwargs: result

    for name in ("all_reduce", "broadcast", "reduce", "barrier", "send", "recv", "monitored_barrier", "isend", "irecv"):
        setattr(dist, name, lambda *args, async_op=False, **kwargs: done if async_op else None)

    def gathered(output: Any, value: Any = None, *args: Any, async_op: bool = False, **kwargs: Any) -> Any:
        if isinstance(output, list):
            for part in output:
                part.copy_(value) if isinstance(part, torch.Tensor) else None
        else:
            output.copy_(value.reshape(output.shape))
        return done if async_op else None

    def gathered_objects(output: list[Any], value: Any, *args: Any, **kwargs: Any) -> None:
        output[:] = [value for _ in output]

    for name in ("all_gather", "all_gather_into_tensor", "reduce_scatter_tensor", "gather", "_all_gather_base"):
        setattr(dist, name, gathered)
    dist.reduce_scatter = lambda output, parts, *args, **more: gathered(output, parts[0])  # type: ignore[assignment]
    dist.all_gather_object = gathered_objects  # type: ignore[assignment]
    dist.broadcast_object_list = nothing  # type: ignore[assignment]
    stand_in_for_exchanges(gathered)
    for name, result in {
        "init_process_group": None,
        "destroy_process_group": None,
        "is_initialized": True,
        "is_available": True,
        "is_nccl_available": True,
        "get_rank": 0,
        "get_world_size": 1,
        "get_backend": "nccl",
        "new_group": None,
        "get_process_group_ranks": [0],
        "all_reduce_coalesced": None,
    }.items():
        setattr(dist, name, answer(result))
    torch.nn.parallel.DistributedDataParallel = Alone  # type: ignore[misc, assignment]
    stand_in_for_futures(done)


def stand_in_for_exchanges(gathered: Callable[..., Any]) -> None:
    """What ranks give each other, processes that a script would start for them, and sharded optimizers."""

    def scattered(output: Any, parts: Any = None, *args: Any, **kwargs: Any) -> Any:
        return gathered(output, parts[0] if parts else output)

    def placed(output: list[Any], values: Any, *args: Any, **kwargs: Any) -> None:
        output[:1] = [values[0] if isinstance(values, list) else values]

    def spawned(function: Callable[..., Any], args: Any = (), *more: Any, **kwargs: Any) -> Any:
        function(0, *args)
        return Anything()

    for name in ("all_to_all_single", "all_to_all"):
        setattr(
            dist,
            name,
            gathered if name.endswith("single") else lambda output, parts, **more: scattered(output[0], parts),
        )
    dist.scatter = scattered  # type: ignore[assignment]
    dist.scatter_object_list = placed  # type: ignore[assignment]
    dist.gather_object = lambda value, output=None, *args, **more: placed(output, value) if output else None  # type: ignore[assignment, misc]
    dist._coalescing_manager = Anything  # type: ignore[attr-defined, assignment]
    for name in ("spawn", "start_processes"):
        setattr(torch.multiprocessing, name, spawned)
    optim = types.ModuleType("torch.distributed.optim")
    optim.__dict__["ZeroRedundancyOptimizer"] = whole_optimizer
    sys.modules["torch.distributed.optim"] = optim


def whole_optimizer(params: Any, optimizer_class: Any, process_group: Any = None, **kwargs: Any) -> Any:
    """An optimizer that would be spread over ranks."""
    kinds = ("parameters_as_bucket_view", "overlap_with_ddp")
    return optimizer_class(params, **{key: value for key, value in kwargs.items() if key not in kinds})


def stand_in_for_futures(done: Done) -> None:
    """What collectives give is waited for one by one or together."""
    collect, wait = torch.futures.collect_all, torch.futures.wait_all

    def ours(futures: Any) -> bool:
        return any(isinstance(future, Done) for future in futures)

    torch.futures.collect_all = lambda futures: done if ours(futures) else collect(futures)  # type: ignore[assignment, return-value]
    torch.futures.wait_all = lambda futures: [] if ours(futures) else wait(futures)  # type: ignore[assignment]


class Alone(torch.nn.Module):
    """DistributedDataParallel of one rank."""

    def __init__(self, module: torch.nn.Module, *args: Any, **kwargs: Any):
        super().__init__()
        self.module = module
        self.require_backward_grad_sync = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The module's own."""
        return self.module(*args, **kwargs)

    def no_sync(self) -> Any:
        """Nothing is synchronized anyway."""
        return Anything()


__all__ = ["stand_in_for_distributed", "stand_in_for_modules", "stand_in_for_programs"]
