"""What a script asks of a GPU, asked of the CPU."""

from __future__ import annotations

from typing import Any

import torch

GPU = ("cuda", "xpu")
PLACES = ("device", "dtype", "out_dtype")
SHORT = torch.bfloat16
BITS = (torch.int16, torch.uint16)


def on_cpu(value: Any) -> Any:
    """The CPU for a GPU and 32 bits for bfloat16, which a CPU is slow with; anything else as it is.

    Half precision stays what it is: scripts store with it, and count its bytes.
    """
    if isinstance(value, torch.dtype):
        return torch.float32 if value == SHORT else value
    if isinstance(value, torch.device):
        return torch.device("cpu") if value.type in GPU else value
    if isinstance(value, str):
        return "cpu" if value.split(":")[0] in GPU else value.replace("torch.cuda.", "torch.")
    return value


def wide(value: Any) -> Any:
    """Half precision as 32 bits, where autocast would make both factors alike."""
    return value.float() if isinstance(value, torch.Tensor) and value.dtype == torch.float16 else value


def bits(value: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """`value.view(dtype)`: of bfloat16 as if it was what is stored, and back."""
    if value.dtype == torch.float32 and dtype in BITS:
        return value.to(SHORT).view(dtype)
    found: torch.Tensor = value.view(dtype)
    return found.float() if dtype == SHORT else found


def here(kwargs: Any) -> dict[str, Any]:
    """Arguments without what asks for a GPU."""
    found = dict(kwargs)
    found.pop("pin_memory", None)
    for key in PLACES:
        if key in found:
            found[key] = on_cpu(found[key])
    return found
