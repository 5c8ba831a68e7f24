"""Attention inside documents: the public script's numbers, position by position, eager and compiled."""

import pytest
import torch
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
