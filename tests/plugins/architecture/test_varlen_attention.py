"""Attention inside documents: the public script's numbers, position by position, eager and compiled."""

from types import SimpleNamespace

import pytest
import torch
import torch._dynamo.testing
from gates import check_core
from models import built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.context import Context

DOCUMENTS = torch.tensor([[3, 3, 3, 7, 7, 3, 3, 3, 3, 3, 9], [0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2]])


def context(**fields):
    return Context(None, (), True, {}, {}, fields, None, None, None)


def by_hand(q, k, v, documents):
    """Every query over the keys back to where its document began; query head h reads head h // 2."""
    y = torch.empty_like(q)
    for b in range(q.size(0)):
        for t in range(q.size(1)):
            first = t
            while first > 0 and documents[b, first - 1] == documents[b, t]:
                first -= 1
            for h in range(q.size(2)):
                keys, values = k[b, first : t + 1, h // 2], v[b, first : t + 1, h // 2]
                y[b, t, h] = (q[b, t, h] @ keys.T / q.size(3) ** 0.5).softmax(-1) @ values
    return y


def heads():
    return torch.randn(2, 11, 4, 8), torch.randn(2, 11, 2, 8), torch.randn(2, 11, 2, 8)


@pytest.mark.parametrize("name", ["gate_sparse_xsa1_varlen1", "gate_none_xsa1_varlen1"])
def test_attention_core_matches_the_public_script(name):
    gate = ("sparse_attention_gate",) if "sparse" in name else ()
    check_core(name, *gate, "varlen_attention", **({"sparse_attn_gate_scale": 0.5} if gate else {}))


def test_every_query_sees_its_own_document_alone():
    kernel, (q, k, v) = built("varlen_attention").program.attention_kernel, heads()
    found = kernel(None, q, k, v, 0, 0, context(documents=DOCUMENTS))
    torch.testing.assert_close(found, by_hand(q, k, v, DOCUMENTS))


def test_without_documents_rows_are_whole():
    kernel, (q, k, v) = built("varlen_attention").program.attention_kernel, heads()
    found = kernel(None, q, k, v, 0, 0, context())
    torch.testing.assert_close(found, by_hand(q, k, v, torch.zeros(2, 11)))
    assert torch.equal(found, built().program.attention_kernel(None, q, k, v, 0, 0, context()))


def test_a_compiled_forward_sees_the_same():
    model = scramble(built("varlen_attention").model)
    ids, targets = tokens(2, 11)
    torch._dynamo.reset()
    compiled = torch.compile(model, backend="eager", dynamic=False, fullgraph=True)
    found = compiled(ids, targets, reduction="none", fields={"documents": DOCUMENTS})
    torch.testing.assert_close(found, model(ids, targets, reduction="none", fields={"documents": DOCUMENTS}))
    assert not torch.allclose(found, model(ids, targets, reduction="none"))


@torch.no_grad()
def test_a_packed_document_is_scored_as_if_it_stood_alone():
    model = scramble(built("varlen_attention").model).eval()
    ids, targets = tokens(1, 24)
    documents = (torch.arange(24) >= 10).long()[None]
    packed = model(ids, targets, reduction="none", fields={"documents": documents})
    for part in (slice(0, 10), slice(10, 24)):
        alone = model(ids[:, part], targets[:, part], reduction="none")
        torch.testing.assert_close(packed[:, part], alone, rtol=1e-4, atol=1e-4)


def test_it_cannot_stand_beside_windows():
    with pytest.raises(PgolfError, match="attention_kernel"):
        resolved("varlen_attention", "swa", swa_full_attn_layers=2)


def test_stretches_that_the_engine_lays_side_by_side_are_whole_rows():
    """Test-time training replays cut rows ("segments") at documents anyway, and the kernel then sees other rows."""
    kernel, (q, k, v) = built("varlen_attention").program.attention_kernel, heads()
    found = kernel(None, q, k, v, 0, 0, context(documents=torch.zeros(1, 22), segments=object()))
    torch.testing.assert_close(found, by_hand(q, k, v, torch.zeros(2, 11)))


@torch.library.custom_op("pgolf_tests::packed", mutates_args=())
def packed(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, starts: torch.Tensor, longest: int) -> torch.Tensor:
    """What the kernels compute, opaque to the compiler like them; it refuses stretches that it was not told of."""
    assert starts.dtype == torch.int32 and int(starts.diff().max()) == longest and int(starts[-1]) == len(q)
    return torch.einsum("hts,shc->thc", weights(q, k, starts), v.repeat_interleave(2, 1)).contiguous()


def weights(q, k, starts):
    stretch = torch.repeat_interleave(torch.arange(len(starts) - 1), starts.diff())
    hidden = (stretch[:, None] != stretch) | torch.ones(len(q), len(q), dtype=torch.bool).triu(1)
    scores = torch.einsum("thc,shc->hts", q, k.repeat_interleave(2, 1)) / q.size(2) ** 0.5
    return scores.masked_fill(hidden, -torch.inf).softmax(-1)


@torch.library.custom_op("pgolf_tests::packed_gradients", mutates_args=())
def packed_gradients(
    g: torch.Tensor, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, starts: torch.Tensor
) -> list[torch.Tensor]:
    p = weights(q, k, starts)
    of_p = torch.einsum("thc,shc->hts", g, v.repeat_interleave(2, 1))
    of_scores = p * (of_p - (p * of_p).sum(-1, keepdim=True)) / q.size(2) ** 0.5
    of_v, of_k = torch.einsum("hts,thc->shc", p, g), torch.einsum("hts,thc->shc", of_scores, q)
    grouped = [part.unflatten(1, (-1, 2)).sum(2) for part in (of_k, of_v)]
    return [torch.einsum("hts,shc->thc", of_scores, k.repeat_interleave(2, 1)).contiguous(), *grouped]


packed.register_fake(lambda q, k, v, starts, longest: torch.empty_like(q))
packed_gradients.register_fake(lambda g, q, k, v, starts: [torch.empty_like(part) for part in (q, k, v)])
packed.register_autograd(
    lambda ctx, g: (*packed_gradients(g, *ctx.saved_tensors), None, None),
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs[:4]),
)


def as_a_kernel(q, k, v, starts, starts_k, longest, longest_k, causal):
    """By the arguments of FlashAttention 3, which gives more than the result."""
    assert causal and starts is starts_k and longest == longest_k
    return packed(q, k, v, starts, longest), None


def losses_and_gradients(call, model, documents):
    model.zero_grad()
    ids, targets = tokens(2, 32)
    found = call(ids, targets, reduction="none", fields={"documents": documents})
    found.mean().backward()
    return [found.detach(), *(tensor.grad.clone() for tensor in model.parameters() if tensor.grad is not None)]


@pytest.fixture
def dynamo_config():
    """The process-wide switches are put back."""
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=False, capture_scalar_outputs=False):
        yield


@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")  # the compiler's own
@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
def test_a_kernel_for_packed_rows_gives_the_same_in_one_compiled_graph(backend, monkeypatch, dynamo_config):
    """For any number of documents: a graph for each would be compiled while the clock runs."""
    made = built("varlen_attention")
    model, kernel = scramble(made.model), made.program.attention_kernel
    several = [(torch.rand(2, 32, generator=torch.Generator().manual_seed(seed)) < 0.2).cumsum(1) for seed in range(3)]
    torch._dynamo.reset()
    torch._dynamo.config.capture_dynamic_output_shape_ops = torch._dynamo.config.capture_scalar_outputs = True
    counter = torch._dynamo.testing.CompileCounterWithBackend(backend)
    compiled = torch.compile(model, backend=counter, dynamic=False, fullgraph=True)
    for documents in several:
        wanted = losses_and_gradients(model, model, documents)
        monkeypatch.setattr(kernel, "packed", as_a_kernel)
        for call in (model, compiled):
            for one, two in zip(losses_and_gradients(call, model, documents), wanted, strict=True):
                torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)
        monkeypatch.setattr(kernel, "packed", None)
    assert counter.frame_count == 1


def test_a_gpu_gets_a_kernel_for_packed_rows(monkeypatch, dynamo_config):
    """And may then ask how many documents there are; the log says which kernel it is."""
    import sys

    monkeypatch.setitem(sys.modules, "flash_attn_interface", None)
    kernel = built("varlen_attention").program.attention_kernel
    assert kernel.prepare(SimpleNamespace(world=SimpleNamespace(device=torch.device("cpu")))).startswith("masked")
    assert kernel.packed is None and not torch._dynamo.config.capture_scalar_outputs
    monkeypatch.setattr("pgolf.runtime.kernels.choose_sdpa", lambda: "cuDNN")
    said = kernel.prepare(SimpleNamespace(world=SimpleNamespace(device=torch.device("cuda"))))
    assert said == "FlashAttention of PyTorch (packed rows), cuDNN (whole rows)" and callable(kernel.packed)
    assert torch._dynamo.config.capture_scalar_outputs and torch._dynamo.config.capture_dynamic_output_shape_ops
