"""Which attention kernel a GPU offers: FlashAttention 3, FlashAttention 2, else cuDNN for full and flex for windows.

Packed rows of 98,304 tokens, forward and backward of one layer on an H200: PyTorch's FlashAttention 2.8 ms, flex_attention with
a document mask 4.6, a mask of (T,T) booleans 278.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf.runtime.attention import dense_attention

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.architecture import Flash, Packed
    from pgolf.runtime.context import Context


def find_flash(device: torch.device) -> tuple[str, Flash | None]:
    """(name, function) of the best installed FlashAttention, or the name of the kernel that PyTorch will take and None."""
    if device.type != "cuda":
        return "scaled_dot_product_attention", None
    try:
        from flash_attn_interface import flash_attn_func

        return "flash-attn 3", flash_attn_func
    except ImportError:
        try:
            from flash_attn import flash_attn_func

            return "flash-attn 2", flash_attn_func
        except ImportError:
            return choose_sdpa(), None


def find_packed(device: torch.device) -> tuple[str, Packed | None]:
    """(name, function) of the best kernel for packed rows, the function None on a CPU.

    function(q (N,H,C), k (N,K,C), v (N,K,C), starts, starts, longest, longest, causal=True): `starts` (S+1,) int32 are the
    places where stretches begin, then N; no stretch has more than `longest` tokens.
    """
    if device.type != "cuda":
        return "masked", None
    try:
        from flash_attn_interface import flash_attn_varlen_func

        return "flash-attn 3", flash_attn_varlen_func
    except ImportError:
        return "FlashAttention of PyTorch", torch_packed


def torch_packed(
    q: Tensor, k: Tensor, v: Tensor, starts: Tensor, starts_k: Tensor, longest: int, longest_k: int, causal: bool
) -> Tensor:
    """The FlashAttention 2 that PyTorch contains, by its operator: its wrapper `varlen_attn` is new in PyTorch 2.10."""
    y: Tensor = torch.ops.aten._flash_attention_forward(
        q, k, v, starts, starts_k, longest, longest_k, 0.0, causal, False
    )[0]
    return y


def flash_attention(function: Flash, q_BTHC: Tensor, k_BTKC: Tensor, v_BTKC: Tensor, window: int) -> Tensor:
    """Call FlashAttention 2 or 3; the left window counts earlier keys, as in `dense_attention`."""
    y = function(q_BTHC, k_BTKC, v_BTKC, causal=True, window_size=(window, 0))
    return y[0] if isinstance(y, tuple) else y


def attend(flash: Flash | None, q_BTHC: Tensor, k_BTKC: Tensor, v_BTKC: Tensor, window: int, ctx: Context) -> Tensor:
    """Causal attention by what `find_flash` found: FlashAttention, or `dense_attention` where it found none."""
    if flash is not None:
        return flash_attention(flash, q_BTHC, k_BTKC, v_BTKC, window)
    return dense_attention(q_BTHC, k_BTKC, v_BTKC, window, ctx)


def choose_sdpa() -> str:
    """Let scaled_dot_product_attention take cuDNN, its fastest kernel on Hopper, and never the one that stores scores.

    cuDNN has no deterministic backward pass, so deterministic runs take the FlashAttention that PyTorch contains. Plain
    math is off: at full size it would take 100 GB without a word. Masked attention uses the memory-efficient kernel.
    """
    deterministic = torch.are_deterministic_algorithms_enabled()
    torch.backends.cuda.enable_cudnn_sdp(not deterministic)
    torch.backends.cuda.enable_flash_sdp(deterministic)
    torch.backends.cuda.enable_math_sdp(False)
    return "FlashAttention of PyTorch" if deterministic else "cuDNN"
