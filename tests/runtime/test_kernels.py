"""Which attention kernel is chosen, with stand-ins for packages and devices that are not here."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from models import built

from pgolf.runtime.attention import dense_attention
from pgolf.runtime.context import Context
from pgolf.runtime.kernels import choose_sdpa, find_flash, find_packed, torch_packed

CUDA = torch.device("cuda")


def stand_in(name, answer):
    """A package with the one function that is used."""
    module = ModuleType(name)
    module.flash_attn_func = answer
    return module


@pytest.fixture
def sdpa_switches():
    """The process-wide switches are put back."""
    names = ("cudnn", "flash", "mem_efficient", "math")
    before = {name: getattr(torch.backends.cuda, f"{name}_sdp_enabled")() for name in names}
    yield
    for name, value in before.items():
        getattr(torch.backends.cuda, f"enable_{name}_sdp")(value)


def test_the_newest_flash_attention_is_taken(monkeypatch, sdpa_switches):
    third, second = object(), object()
    monkeypatch.setitem(sys.modules, "flash_attn", stand_in("flash_attn", second))
    monkeypatch.setitem(sys.modules, "flash_attn_interface", None)
    assert find_flash(CUDA) == ("flash-attn 2", second)
    monkeypatch.setitem(sys.modules, "flash_attn_interface", stand_in("flash_attn_interface", third))
    assert find_flash(CUDA) == ("flash-attn 3", third)
    assert find_flash(torch.device("cpu")) == ("scaled_dot_product_attention", None)
    monkeypatch.setitem(sys.modules, "flash_attn", None)
    monkeypatch.setitem(sys.modules, "flash_attn_interface", None)
    assert find_flash(CUDA) == ("cuDNN", None)


def test_the_newest_kernel_for_packed_rows_is_taken(monkeypatch):
    third = ModuleType("flash_attn_interface")
    third.flash_attn_varlen_func = object()
    monkeypatch.setitem(sys.modules, "flash_attn_interface", third)
    assert find_packed(CUDA) == ("flash-attn 3", third.flash_attn_varlen_func)
    monkeypatch.setitem(sys.modules, "flash_attn_interface", None)
    assert find_packed(CUDA) == ("FlashAttention of PyTorch", torch_packed)
    assert find_packed(torch.device("cpu")) == ("masked", None)


def test_the_operator_of_pytorch_is_called_as_it_is_declared():
    """There is none for CPUs, so only its declaration and shapes can be checked here."""
    q, k, v = (torch.empty(12, heads, 8, device="meta", dtype=torch.bfloat16) for heads in (4, 2, 2))
    starts = torch.tensor([0, 5, 12], dtype=torch.int32, device="meta")
    assert torch_packed(q, k, v, starts, starts, 7, 7, causal=True).shape == q.shape
    names = [argument.name for argument in torch.ops.aten._flash_attention_forward.default._schema.arguments[3:10]]
    assert names == ["cum_seq_q", "cum_seq_k", "max_q", "max_k", "dropout_p", "is_causal", "return_debug_mask"]


def test_scores_are_never_stored(sdpa_switches):
    assert choose_sdpa() == "cuDNN"
    assert torch.backends.cuda.cudnn_sdp_enabled() and not torch.backends.cuda.math_sdp_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        assert choose_sdpa() == "FlashAttention of PyTorch"
        assert torch.backends.cuda.flash_sdp_enabled() and not torch.backends.cuda.cudnn_sdp_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


def reference_flash(q, k, v, causal, window_size):
    """What FlashAttention's documentation says: `window_size[0]` keys to the left, -1 for all; none to the right."""
    assert causal and window_size[1] == 0
    y = dense_attention(q, k, v, window_size[0], Context(None, (), True, {}, {}, {}, None, None, None))
    return y, None


@pytest.mark.parametrize("plugin", ["swa", "causal_attention"])
@torch.no_grad()
def test_flash_attention_gets_the_same_windows(plugin, monkeypatch):
    monkeypatch.setitem(sys.modules, "flash_attn_interface", stand_in("flash_attn_interface", reference_flash))
    sizes = {"swa_window": 4, "swa_full_attn_layers": 2} if plugin == "swa" else {}
    kernel = built(plugin, **sizes).program.attention_kernel
    q, k, v = torch.randn(1, 12, 4, 16), torch.randn(1, 12, 2, 16), torch.randn(1, 12, 2, 16)
    ctx = Context(None, (), True, {}, {}, {}, None, None, None)
    plain = [kernel(None, q, k, v, layer, 0, ctx) for layer in range(4)]
    assert kernel.prepare(SimpleNamespace(world=SimpleNamespace(device=CUDA))) == "flash-attn 3"
    for layer in range(4):
        torch.testing.assert_close(kernel(None, q, k, v, layer, 0, ctx), plain[layer])
