"""Groups, orders of rows, and a layout that loses nothing."""

import hashlib
import shutil

import brotli
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lrzip_program import needs_lrzip
from pipeline_vectors import load_case

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.streams import join_streams, load_tensors, save_tensors, split_streams
from pgolf_plugins.compressor.lrzip import LrzipCoder, run_lrzip
from pgolf_plugins.compressor.pergroup import GROUPS, PerGroup, nearest_tour

ZPAQ = ("-z", "-L", "9", "-T")


def slow_tour(rows):
    """The definition, row by row."""
    tour = [0]
    while len(tour) < len(rows):
        here, left = rows[tour[-1]], [at for at in range(len(rows)) if at not in tour]
        tour.append(
            min(left, key=lambda at: (sum(abs(int(a) - int(b)) for a, b in zip(rows[at], here, strict=True)), at))
        )
    return tour


def case_parts():
    """The state of the golden case as parts: ".q" are codes, ".scale" steps, all else is kept under its own name."""
    case, encoded = load_case("Z5_pergroup_a"), {}
    for key, tensor in case.inputs.items():
        name, _, part = key.rpartition(".")
        if part in ("q", "scale"):
            encoded.setdefault(name, {})[{"q": "codes", "scale": "step"}[part]] = tensor
        else:
            encoded[key] = {"kept": tensor}
    return case, encoded


def streams_of(data):
    return dict(zip([*GROUPS, "rest", "orders"], split_streams(b"PGRP", 9, data), strict=True))


def same(first, second):
    assert list(first) == list(second)
    for name, parts in first.items():
        assert parts.keys() == second[name].keys()
        for key, tensor in parts.items():
            assert tensor.dtype == second[name][key].dtype and torch.equal(tensor, second[name][key]), (name, key)


@pytest.mark.parametrize("name", ["Z5_simsort_a", "Z5_simsort_ties"])
def test_the_tour_is_the_published_one(name):
    case = load_case(name)
    codes = case.inputs["M"].numpy()
    tour = nearest_tour(codes)
    assert tour.dtype == np.uint16 and np.array_equal(tour, case.outputs["perm"].numpy())
    wide = codes[tour].astype(int)
    assert np.abs(np.diff(wide, axis=0)).sum() == case.outputs["tour_cost"].item()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 127), st.integers(0, 1000))
def test_the_tour_is_the_definition(rows, columns, top, seed):
    codes = np.random.default_rng(seed).integers(-top, top + 1, (rows, columns)).astype(np.int8)
    codes[0, 0] = -128
    assert nearest_tour(codes).tolist() == slow_tour(codes)


def test_a_long_tour_passes_where_rows_are_dropped():
    codes = np.random.default_rng(0).integers(-3, 4, (600, 3)).astype(np.int8)
    assert nearest_tour(codes).tolist() == slow_tour(codes)


def test_streams_are_the_published_ones():
    case, encoded = case_parts()
    info, ledger = case.expected["info"], Ledger()
    found = streams_of(PerGroup().pack(encoded, ledger))
    assert [stream["label"].strip("_") for stream in info["streams"]] == [
        (group if group.endswith("weight") else group + ".weight").replace(".", "_") + "_q" for group in GROUPS
    ]
    for group, stream in zip(GROUPS, info["streams"], strict=True):
        data = found[group]
        assert len(data) == stream["raw_bytes"] and hashlib.sha256(data).hexdigest() == stream["sha256"]
        assert data[:256] == case.outputs[f"head:{stream['label']}"].numpy().tobytes()
    assert found["orders"] == case.outputs["perms"].numpy().astype("<u2").tobytes()
    assert hashlib.sha256(found["orders"]).hexdigest() == info["perms"]["sha256"]
    assert len(brotli.compress(found["orders"], quality=11)) == pytest.approx(info["perms"]["brotli11"], rel=0.01)
    kept = load_tensors(found["rest"])
    names = [list(kept)[place] for _, place, *_ in kept.pop("")["shapes"]]
    assert {key for parts in kept.values() for key in parts} == {"kept", "step"}
    assert names == [name for group in GROUPS for name in sorted(encoded) if group in name and "codes" in encoded[name]]
    assert ledger.receipt("pergroup") == f"13 of {len(encoded)} tensors in groups, 584 rows sorted"


@pytest.mark.slow
@needs_lrzip
def test_compressed_sizes_are_the_published_ones():
    case, encoded = case_parts()
    plain = PerGroup().pack(encoded, Ledger())
    packed = streams_of(LrzipCoder().compress(plain, Ledger()))
    for group, stream in zip(GROUPS, case.expected["info"]["streams"], strict=True):
        assert len(packed[group]) == pytest.approx(stream["lrzip_z_L9"], rel=0.01)


@pytest.mark.slow
@needs_lrzip
def test_sizes_of_one_group_in_three_orders():
    case = load_case("Z5_group_sizes_a")
    codes = (case.inputs["M"] * case.params["mul"]).round().clamp(-31, 31).to(torch.int8).numpy()
    tour = nearest_tour(codes)
    assert np.array_equal(tour, case.outputs["perm"].numpy())
    orders = {"row_major": codes, "transposed": codes.T, "sorted_transposed": codes[tour].T}
    for name, matrix in orders.items():
        data, want = matrix.tobytes(), case.expected["sizes"][name]
        assert hashlib.sha256(data).hexdigest() == want["sha256"]
        assert len(run_lrzip(data, 10**6, ZPAQ)) == pytest.approx(want["lrzip_z_L9"], rel=0.01)


def test_nothing_is_lost():
    _, encoded = case_parts()
    data = PerGroup().pack(encoded, Ledger())
    assert data == PerGroup().pack(encoded, Ledger())
    same(PerGroup().unpack(data), encoded)
    same(PerGroup().unpack(PerGroup().pack({}, Ledger())), {})


def test_what_fits_no_group_is_remainder():
    """Whatever a quantizer makes: other dtypes and shapes, other roles, parts of corrections, matrices that are kept."""
    weight = "blocks.{}.attn.c_q.weight".format
    encoded = {
        weight(10): {"codes": torch.randint(-9, 9, (5, 3), dtype=torch.int8), "lqer.a": torch.randn(5, 2)},
        weight(9): {"codes": torch.randint(-9, 9, (4, 3), dtype=torch.int8), "step": torch.rand(4).half()},
        weight(8): {"codes": torch.randint(0, 9, (4, 3), dtype=torch.uint8)},
        weight(7): {"codes": torch.randint(0, 9, (4, 3, 2), dtype=torch.int8)},
        weight(6): {"kept": torch.randn(3, 3).bfloat16(), "class": torch.tensor(1, dtype=torch.uint8)},
        "tok_emb.weight": {"codes": torch.zeros(2**16 + 1, 1, dtype=torch.int8)},
        "lm_head.weight": {"codes": torch.ones(6, 4, dtype=torch.int8)},
        "blocks.0.mlp.fc.weight": {"codes": torch.randint(-9, 9, (3, 5), dtype=torch.int8).T},
        "blocks.0.attn_scale": {"kept": torch.zeros(())},
    }
    data = PerGroup().pack(encoded, Ledger())
    shapes = load_tensors(streams_of(data)["rest"])[""]["shapes"]
    assert shapes == [
        (2, 1, 4, 3),
        (2, 0, 5, 3),
        (5, 7, 5, 3),
    ]
    same(PerGroup().unpack(data), encoded)


def damaged(change):
    """The golden streams with one of them changed."""
    streams = streams_of(PerGroup().pack(case_parts()[1], Ledger()))
    return join_streams(b"PGRP", [*(streams | change(streams)).values()])


@pytest.mark.parametrize(
    "change",
    [
        lambda streams: {"attn.c_k": streams["attn.c_k"][:-1]},
        lambda streams: {"attn.c_k": streams["attn.c_k"] + b"x"},
        lambda streams: {"orders": streams["orders"][:-2]},
        lambda streams: {"orders": streams["orders"] + b"xx"},
        lambda streams: {"orders": streams["orders"][2:4] + streams["orders"][2:]},
        lambda streams: {"orders": b"\xff\xff" + streams["orders"][2:]},
        lambda streams: {"rest": streams["rest"][:-100]},
        lambda streams: {"rest": save_tensors({"": {"shapes": [(1, 7, 1, 1)]}})},
        lambda streams: {"rest": save_tensors({"w": {}, "": {"shapes": [(1, 0, -1, -1)]}})},
        lambda streams: {"rest": save_tensors({"w": {}, "": {"shapes": [(1, 0, 10**12, 10**12)]}})},
    ],
)
def test_damage_is_refused(change):
    with pytest.raises((ValueError, RuntimeError, LookupError, OverflowError)):
        PerGroup().unpack(damaged(change))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("nproc") is None, reason="needs a clock that means something")
def test_the_tour_of_a_whole_vocabulary_takes_seconds():
    import time

    codes = np.random.default_rng(0).integers(-31, 32, (8192, 512)).astype(np.int8)
    begin = time.process_time()
    tour = nearest_tour(codes)
    assert sorted(tour.tolist()) == list(range(8192)) and time.process_time() - begin < 60
