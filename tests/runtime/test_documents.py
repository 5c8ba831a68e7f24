"""Documents, groups, chains and chunk windows against the public script's tables."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from models import Case

from pgolf.runtime.documents import (
    Document,
    Group,
    chunk_rows,
    chunk_window,
    count_chunks,
    deal_chains,
    find_documents,
    group_documents,
    row_widths,
    split_groups,
)

WINDOWS = [
    *("window_p100_c16_w64", "window_p48_c16_w64", "window_p5_c16_w64", "window_p130_c48_w2048", "window_p129_c32_w40"),
    *(
        "window_p2500_c48_w2048",
        "window_p64_c32_w32",
        "window_p65_c32_w32",
        "window_p96_c48_w64",
        "window_p1_c48_w2048",
    ),
]


@pytest.mark.parametrize("name", WINDOWS)
def test_chunk_windows_match_the_public_script(name):
    case = Case("ttt_windows", name)
    given_sizes = case.record["hyperparameters"]
    targets, size, width = (given_sizes[key] for key in ("pred_len", "chunk_size", "eval_seq_len"))
    document = Document(1000, targets + 1)
    chunks = range(count_chunks(document, size))
    assert [list(chunk_window(targets, chunk, size, width)) for chunk in chunks] == case.outputs["rows"].tolist()
    for chunk, (_, padded, offset, _) in enumerate(case.outputs["batch_context"].tolist()):
        places, scored, weights = chunk_rows([document], chunk, size, [*range(1, width + 1)], 3)
        assert places.shape == (3, padded + 1) and not scored[1:].any()
        if chunk + 1 < len(chunks):
            assert weights[0].nonzero().flatten().tolist() == list(range(offset, offset + size))
            assert weights.sum().item() == pytest.approx(1)
        else:
            assert not weights.any(), "the last chunk teaches nothing"


@pytest.mark.parametrize("name", ["queue_n40_b8", "queue_n11_b4", "queue_n25_b7", "queue_n9_b16"])
def test_documents_and_their_groups_match_the_public_script(name):
    case = Case("ttt_windows", name)
    documents = find_documents(case.inputs["tokens"].to(torch.uint16), 1)
    assert [list(document) for document in documents] == case.outputs["docs"].tolist()
    groups = group_documents(documents, case.record["hyperparameters"]["batch_size"])
    assert [group.index for group in groups] == case.outputs["batch_index"].tolist()
    assert [len(group.documents) for group in groups] == case.outputs["batch_sizes"].tolist()
    found = [documents.index(document) for group in groups for document in group.documents]
    assert found == case.outputs["doc_ids"].tolist()


@given(st.lists(st.integers(0, 3), min_size=2, max_size=60), st.integers(1, 5), st.integers(0, 4), st.integers(1, 9))
def test_every_target_belongs_to_one_chunk_of_one_document(tokens, batch, more, size):
    documents = find_documents(torch.tensor(tokens, dtype=torch.uint16), 1)
    seen = []
    for group in group_documents(documents, batch):
        for chunk in range(max(count_chunks(document, size) for document in group.documents)):
            places, scored, _ = chunk_rows(group.documents, chunk, size, [size + more], batch)
            seen += places[:, 1:][scored].tolist()
    assert sorted(seen) == list(range(1, len(tokens)))


def groups_of(sizes):
    """Groups with so many documents, the first with the highest index."""
    return [Group(len(sizes) - 1 - at, [Document(0, 9)] * size) for at, size in enumerate(sizes)]


def test_chains_are_dealt_out_in_turn_and_a_smaller_group_is_one():
    groups = groups_of([3, 4, 4, 4, 4, 4])
    chains = [[group.index for group in chain] for chain in deal_chains(groups, 4, 2)]
    assert chains == [[5], [4, 2, 0], [3, 1]]
    assert [[group.index for group in chain] for chain in deal_chains(groups, 4, 0)] == [[5], [4], [3], [2], [1], [0]]
    assert len(deal_chains(groups, 4, 99)) == 6 and deal_chains([], 4, 2) == []


def test_parts_end_where_their_boundary_is_reached():
    groups = groups_of([8] * 5)

    def parts(*boundaries):
        return [len(part) for part in split_groups(groups, list(boundaries))]

    assert parts() == [5] and parts(10, 20) == [2, 1, 2] and parts(8) == [1, 4] and parts(9) == [2, 3]
    assert parts(1, 2, 3) == [1, 1, 1, 2], "each part has a group"
    assert parts(40) == [5] and parts(33, 40) == [5], "nothing to learn for"


@pytest.mark.parametrize(
    ("length", "count", "widths"),
    [
        (2048, 4, [256, 512, 1024, 2048]),
        (2048, 1, [2048]),
        (100, 3, [25, 50, 100]),
        (7, 9, [1, 2, 4, 7]),
        (100, 0, [48, 96, 100]),
        (96, 0, [48, 96]),
    ],
)
def test_row_lengths_halve(length, count, widths):
    assert row_widths(length, count, 48) == widths
