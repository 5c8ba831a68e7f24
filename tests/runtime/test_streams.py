"""Containers, bounded decoding, and tensors as bytes."""

import pickle
import time
import zlib

import pytest
import torch
from pipeline_vectors import load_case

from pgolf.runtime.streams import (
    add_checksum,
    check_plain,
    decode_in_pieces,
    join_streams,
    load_tensors,
    save_tensors,
    side_by_side,
    split_streams,
)


def test_the_container_is_the_published_one():
    case = load_case("Z5_container")
    streams = [stream.numpy().tobytes() for stream in case.inputs.values()]
    container = case.outputs["container"].numpy().tobytes()
    assert join_streams(b"PGRP", streams) == container
    assert split_streams(b"PGRP", 3, container) == streams


@pytest.mark.parametrize("streams", [[], [b""], [b"", b"a", b""], [bytes(300), b"PGRP"]])
def test_containers_come_apart_again(streams):
    assert split_streams(b"ABCD", len(streams), join_streams(b"ABCD", streams)) == streams


GOOD = join_streams(b"PGRP", [b"one", b"three"])


@pytest.mark.parametrize("end", range(len(GOOD)))
def test_a_container_cut_short_is_refused(end):
    with pytest.raises(ValueError, match=r"cut short|are there") as caught:
        split_streams(b"PGRP", 2, GOOD[:end])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"PGRQ" + GOOD[4:], "wanted b'PGRP' with 2"),
        (GOOD[:4] + b"\x03" + GOOD[5:], "with 3 streams, wanted"),
        (GOOD[:8] + b"\xff" + GOOD[9:], "260 bytes, 8 are there"),
        (GOOD + b"x", "8 bytes, 9 are there"),
    ],
)
def test_another_container_is_refused(data, complaint):
    with pytest.raises(ValueError, match=complaint):
        split_streams(b"PGRP", 2, data)


def test_decoding_stops_at_the_limit():
    packed, made = zlib.compress(bytes(50_000_000), 9), []
    decoder = zlib.decompressobj()

    def decode(piece):
        made.append(decoder.decompress(piece))
        return made[-1]

    with pytest.raises(ValueError, match="more than 1000 bytes"):
        decode_in_pieces(decode, packed, 1000)
    assert sum(map(len, made)) < 1_000_000, "one piece, not all of it"
    assert decode_in_pieces(zlib.decompressobj().decompress, zlib.compress(bytes(1000)), 1000) == bytes(1000)


def test_tensors_come_back_and_classes_do_not():
    tree = {"w": {"codes": torch.arange(6, dtype=torch.int8).view(2, 3)}, "": {"shapes": [(0, 2, 3)]}}
    found = load_tensors(save_tensors(tree))
    assert torch.equal(found["w"]["codes"], tree["w"]["codes"]) and found[""] == tree[""]
    with pytest.raises(pickle.UnpicklingError):
        load_tensors(save_tensors({"w": {"codes": object}}))


def test_side_by_side_keeps_the_order():
    def slow(number, other):
        time.sleep(0.01 * (5 - number))
        return bytes([number, other])

    assert side_by_side(slow, range(5), range(10, 15)) == [bytes([number, number + 10]) for number in range(5)]


def test_bytes_depend_on_names_and_not_on_which_object_holds_them():
    def names(fresh):
        return ["".join(["lq", "er.a"]) if fresh else "lqer.a" for _ in range(2)]

    first, second = (
        save_tensors({f"w{at}": {name: torch.zeros(2)} for at, name in enumerate(names(fresh))})
        for fresh in (True, False)
    )
    assert first == second


def test_a_checksum_is_of_the_plain_bytes():
    plain = b"codes and steps"
    sealed = add_checksum(b"packed", plain)
    assert sealed == b"packed" + zlib.crc32(plain).to_bytes(4, "little")
    assert check_plain(plain, sealed) == plain
    for wrong in (plain[:-1], plain + b"\0", b""):
        with pytest.raises(ValueError, match="checksum"):
            check_plain(wrong, sealed)
