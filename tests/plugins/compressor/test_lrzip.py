"""The external program: real where there is one, and stand-ins for what can go wrong with it."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
from lrzip_program import needs_lrzip, put_lrzip

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.streams import join_streams, split_streams
from pgolf_plugins.compressor.lrzip import LrzipCoder, run_lrzip

NINE = [bytes(range(size % 251)) * 40 for size in (0, 30, 250, 3, 77, 1, 100, 200, 9)]


@pytest.fixture(params=["real", "stand-in"])
def program(request, tmp_path, monkeypatch):
    if request.param == "stand-in":
        put_lrzip(tmp_path / "bin", monkeypatch)
    elif needs_lrzip.args[0]:
        pytest.skip(needs_lrzip.kwargs["reason"])


@pytest.mark.parametrize(
    "data", [join_streams(b"PGRP", NINE), join_streams(b"PGRP", [b""] * 9), b"", b"one stream of another layout" * 99]
)
def test_round_trip(data, program):
    ledger = Ledger()
    packed = LrzipCoder().compress(data, ledger)
    assert packed == LrzipCoder().compress(data, Ledger()), "the same bytes again"
    assert LrzipCoder().decompress(packed, len(data)) == data
    assert ledger.receipt("lrzip") == f"{len(data)} -> {len(packed)} bytes"


def test_groups_are_apart_and_the_rest_is_brotli(program):
    packed = split_streams(b"PGRP", 9, LrzipCoder().compress(join_streams(b"PGRP", NINE), Ledger()))
    assert [stream[:4] for stream in packed[:7]] == [b""] + [b"LRZI"] * 6
    assert all(stream[:4] != b"LRZI" for stream in packed[7:])


@needs_lrzip
def test_bytes_do_not_depend_on_processors_or_options_in_files(tmp_path, monkeypatch):
    data = os.urandom(50_000) * 2
    plain = run_lrzip(data, 10**6, ("-z", "-L", "9"))
    (tmp_path / ".lrzip").mkdir()
    (tmp_path / ".lrzip/lrzip.conf").write_text("COMPRESSIONMETHOD=gzip\nENCRYPT=YES\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LRZIP", "")
    assert run_lrzip(data, 10**6, ("-z", "-L", "9")) == plain


@pytest.mark.slow
@needs_lrzip
def test_codes_that_lz4_cannot_shrink_are_compressed():
    """Near the entropy of their histogram, as vectors of codes with wide rows are."""
    codes = np.random.default_rng(0).normal(0, 9, 200_000).round().clip(-31, 31).astype(np.int8)
    chance = np.unique(codes, return_counts=True)[1] / codes.size
    entropy_bytes = -(chance * np.log2(chance)).sum() * codes.size / 8
    packed = LrzipCoder().compress(join_streams(b"PGRP", [codes.tobytes(), *[b""] * 8]), Ledger())
    assert len(packed) < 1.02 * entropy_bytes


def test_prepare_tries_both_ways(program):
    assert LrzipCoder().prepare(SimpleNamespace()) == "lrzip and brotli give back what they were given"


@pytest.mark.parametrize(
    ("mode", "complaint"),
    [
        ("fails", "lrzip ended with status 1: out of luck"),
        ("damages", "lrzip does not give back"),
        ("swells", r"lrzip (wrote more than|ended with status)"),
        ("silent", "lrzip ended with status 0"),
    ],
)
def test_a_broken_program_is_found_by_prepare(mode, complaint, tmp_path, monkeypatch):
    put_lrzip(tmp_path / "bin", monkeypatch, mode)
    with pytest.raises(ValueError, match=complaint) as caught:
        LrzipCoder().prepare(SimpleNamespace())
    assert "\n" not in str(caught.value)


def test_a_missing_program_is_found_by_prepare(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OSError, match=r"lrzip cannot be started .*apt-get install lrzip"):
        LrzipCoder().prepare(SimpleNamespace())


def test_the_limit_is_for_all_streams_together(program):
    data = join_streams(b"PGRP", NINE)
    packed, size = LrzipCoder().compress(data, Ledger()), sum(map(len, NINE))
    assert LrzipCoder().decompress(packed, size) == data
    for limit in (size - len(NINE[7]) - len(NINE[8]) - 1, len(NINE[2]), 0):
        with pytest.raises(ValueError, match="more than"):
            LrzipCoder().decompress(packed, limit)


@needs_lrzip
def test_a_head_that_promises_less_does_not_get_more():
    packed = bytearray(run_lrzip(bytes(300_000), 10**6, ("-z", "-L", "1")))
    packed[6:14] = (1000).to_bytes(8, "little")
    with pytest.raises(ValueError, match=r"lrzip (ended with status -25|wrote more than 1000 bytes)"):
        LrzipCoder().decompress(join_streams(b"PGRP", [bytes(packed)]), 10**7)


def test_damage_is_refused(program):
    packed = LrzipCoder().compress(join_streams(b"PGRP", NINE), Ledger())
    streams = split_streams(b"PGRP", 9, packed)
    for at, change in (
        (2, lambda data: data[:-9]),
        (8, lambda data: data[:-1]),
        (3, lambda data: data[:20]),
        (7, lambda data: b""),
    ):
        wrong = join_streams(b"PGRP", [change(data) if at == index else data for index, data in enumerate(streams)])
        with pytest.raises(ValueError) as caught:
            LrzipCoder().decompress(wrong, 10**6)
        assert "\n" not in str(caught.value)
    for end in (3, 11, 40, len(packed) - 1):
        with pytest.raises(ValueError):
            LrzipCoder().decompress(packed[:end], 10**6)
