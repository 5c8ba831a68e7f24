"""Packed documents: rows and boundaries of the public script, and scores that do not depend on their order."""

import json

import numpy
import pytest
import torch
from loaders import opened, write_shards
from models import VECTORS, built, resolved, scramble, tokens
from pipeline_vectors import load_case
from test_plugin_contracts import sizes

from pgolf.errors import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf_plugins.data.document_packing_loader import DocumentPackingLoader, number_stretches


def boundaries(ids_T, longest):
    """Where stretches begin."""
    numbers = number_stretches(ids_T[None], Ledger(), 1, longest)[0]
    return [0, *(numbers.diff().nonzero().flatten() + 1).tolist()]


@pytest.mark.parametrize("name", ["D5_packing_ws2", "D5_packing_ws8"])
def test_rows_and_boundaries_are_those_of_the_public_script(tmp_path, name):
    case = load_case(name)
    pattern = write_shards(tmp_path, case.inputs)
    ranks, seq_len = case.params["ws"], case.params["seq_len"]
    for rank in range(ranks):
        loader = opened(DocumentPackingLoader(1), pattern, rank, ranks)
        ends = case.outputs[f"cu_rank{rank}"].split(case.outputs[f"cu_len_rank{rank}"].tolist())
        for batch in range(case.params["batches"]):
            wanted = case.outputs[f"x_rank{rank}"][batch].long()
            x, y = loader.next(len(wanted), seq_len)
            assert torch.equal(x[0], wanted) and torch.equal(y[0], case.outputs[f"y_rank{rank}"][batch].long())
            # The script ends its list with the row's length, as often as its kernel's shapes need.
            assert boundaries(x[0], seq_len) == [at for at in ends[batch].tolist() if at < len(wanted)]


def cuts():
    """(positions of BOS, length, longest, boundaries) of every golden case."""
    for name in "abc":
        case = load_case(f"D5_cu_{name}")
        yield case.params["bos"], case.params["total"], case.params["max_doc_len"], case.outputs["cu"].tolist()
    arrays = numpy.load(VECTORS / "model" / "unit_loss.npz")
    for case in json.loads((VECTORS / "model" / "unit_loss.json").read_text())["cases"]:
        if case["case"].startswith("cu_seqlens"):
            sizes = case["hyperparameters"]
            bos, ends = (arrays[f"{case['case']}.{key}"].tolist() for key in ("in.bos_positions", "out.cu_seqlens"))
            yield bos, sizes["total_len"], sizes["max_doc_len"], ends


@pytest.mark.parametrize(("bos", "total", "longest", "ends"), list(cuts()))
def test_boundaries_match_the_public_function(bos, total, longest, ends):
    ids = torch.full((total,), 7)
    ids[bos] = 1
    assert boundaries(ids, longest or total) == [at for at in ends if at < total]


APART = [
    (),
    ("smear_gate_v3", "sparse_attention_gate", "xsa", "partial_rope"),
    ("layer_loop", "two_lanes", "skip_gates", "value_embedding"),
    ("attention_output_gate", "parallel_residual", "mtp", "leaky_relu2"),
]
"""Techniques that leave documents apart. (A bigram table and SmearGate v2 look at the token before, whosever it is.)"""


@torch.no_grad()
@pytest.mark.parametrize("names", APART, ids=" ".join)
def test_the_order_of_packed_documents_does_not_change_their_scores(names):
    made = built("document_packing_loader", *names, **sizes(*names), train_seq_len=64)
    model = scramble(made.model).eval()
    documents = [torch.cat((torch.ones(1, dtype=torch.int64), tokens(1, n, seed=n)[0][0])) for n in (5, 11, 7)]

    def scores(order):
        ids = torch.cat([documents[place] for place in order])[None]
        losses = model(ids, ids, phases=made.phases, reduction="none")[0].split(
            [len(documents[place]) for place in order]
        )
        return [losses[order.index(place)] for place in range(3)]

    for one, other in zip(scores([0, 1, 2]), scores([2, 0, 1]), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_shards_without_a_whole_span_are_passed_over(tmp_path):
    shards = {
        "fineweb_train_000000": torch.tensor([1, 2, 3]),
        "fineweb_train_000001": torch.full((40,), 5),
        "fineweb_train_000002": torch.tensor([8, 8, 1, *range(10, 20)]),
    }
    loader = opened(DocumentPackingLoader(1), write_shards(tmp_path, shards))
    for _ in range(3):
        x, y = loader.next(8, 4)
        assert x.tolist() == [[1, *range(10, 17)]] and y.tolist() == [list(range(10, 18))]
    with pytest.raises(ValueError, match="no shard holds 17 tokens after a BOS"):
        loader.next(16, 4)


def test_it_brings_attention_inside_documents_and_numbers_them_itself():
    assert "varlen_attention" in resolved("document_packing_loader").selection.plugins
    with pytest.raises(PgolfError):
        resolved("document_packing_loader", "document_numbers")
