"""Damaged artifacts of every compressor: refused with one line, or the same tensors; never others."""

import functools

import pytest
import torch
from lrzip_program import needs_lrzip
from models import registry, resolved
from zstandard_package import needs_zstandard

from pgolf.resolve import load_entry
from pgolf.runtime.export import unpack_artifact
from pgolf.runtime.ledger import Ledger

NAMES = sorted(name for name, loaded in registry().plugins.items() if loaded.plugin.family == "compressor")
LRZIP = (needs_lrzip, pytest.mark.slow)
NEEDED = {
    "lrzip": LRZIP,
    "pergroup": LRZIP,
    "zstd": needs_zstandard,
}
each = pytest.mark.parametrize("name", [pytest.param(name, marks=NEEDED.get(name, ())) for name in NAMES])


def tensors():
    """Matrices of two, three and many values in groups and outside of them, steps, and a tensor that is kept."""
    generator = torch.Generator().manual_seed(0)

    def codes(top, rows=12, columns=16):
        return torch.randint(-top, top + 1, (rows, columns), generator=generator).to(torch.int8)

    weight = "blocks.{}.{}.weight".format
    found = {
        weight(layer, role): {"codes": codes(9), "step": torch.rand(12, generator=generator).half()}
        for layer in range(2)
        for role in ("attn.c_q", "mlp.proj")
    }
    found |= {
        weight(2, "mlp.fc"): {"codes": codes(1)},
        weight(3, "mlp.fc"): {"codes": 2 * codes(1).abs().clamp(max=1) - 1},
    }
    return found | {"gain": {"kept": torch.rand(7, generator=generator).bfloat16()}}


@functools.cache
def made(name):
    """(program, artifact of `tensors`) with this compressor on top of the baseline's."""
    program = load_entry(resolved(name).entry).make_program()
    encoded = tensors()
    return program, program.entropy_coder.compress(program.stream_layout.pack(encoded, Ledger()), Ledger())


def outcome(data, program):
    """ "same" or "refused"; the complaint must be one line."""
    state = {name: torch.zeros(12, 16) for name in tensors()}
    try:
        found = unpack_artifact(data, state, program)
    except ValueError as error:
        text = str(error)
        assert text.startswith("the artifact cannot be read: ") and "\n" not in text and len(text) < 500
        return "refused"
    wanted = tensors()
    assert list(found) == list(wanted)
    for name, parts in wanted.items():
        assert found[name].keys() == parts.keys()
        assert all(torch.equal(found[name][key], part) for key, part in parts.items()), name
    return "same"


@each
def test_undamaged_it_is_read(name):
    program, data = made(name)
    assert outcome(data, program) == "same"
    wanted = tensors()
    assert program.entropy_coder.compress(program.stream_layout.pack(wanted, Ledger()), Ledger()) == data


@each
@pytest.mark.parametrize("tail", [b"x", b"\0", bytes(300)])
def test_bytes_behind_the_end_are_refused(name, tail):
    program, data = made(name)
    assert outcome(data + tail, program) == "refused"


@each
def test_an_artifact_twice_is_refused(name):
    program, data = made(name)
    assert outcome(data + data, program) == "refused"


@each
def test_a_part_of_it_is_refused(name):
    program, data = made(name)
    ends = range(0, len(data), len(data) // 3 if NEEDED.get(name) is LRZIP else 37)
    for end in (*ends, len(data) - 1):
        assert outcome(data[:end], program) == "refused", end


@pytest.mark.ci
@each
def test_a_changed_byte_is_refused_or_changes_nothing(name):
    """What a byte of a head is for may not matter; wherever it matters, a checksum finds it."""
    program, data = made(name)
    places = range(0, len(data), len(data) // 5 if NEEDED.get(name) is LRZIP else 11)
    found = [
        outcome(data[:at] + bytes([data[at] ^ change]) + data[at + 1 :], program)
        for at in places
        for change in ((0x41,) if NEEDED.get(name) is LRZIP else (0x01, 0x80))
    ]
    assert found.count("refused") > 0.8 * len(found)
