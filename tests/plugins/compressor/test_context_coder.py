"""Layout and coder together: nothing is lost, damage is refused, the planes help each other."""

import json
import lzma

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.trellis import next_states
from pgolf.settings import SettingsView
from pgolf_plugins.compressor import context_coder
from pgolf_plugins.compressor.context_coder import ContextCoder, ContextLayout
from pgolf_plugins.compressor.lzma import LzmaCoder
from pgolf_plugins.compressor.torch_save import TorchSave

CODER = ContextCoder(())


def model(rows=96, layers=3, seed=0):
    """Two related matrices in each layer, with steps, and an embedding of few factors."""
    generator = np.random.default_rng(seed)
    torch.manual_seed(seed)
    encoded = {}
    factors = generator.normal(size=(8 * rows, 3)) @ generator.normal(size=(3, 32)) * 2
    codes = np.rint(factors + generator.normal(size=factors.shape) * 2).clip(-127, 127)
    encoded["tok_emb.weight"] = {"codes": torch.from_numpy(codes.astype(np.int8)), "step": torch.rand(8 * rows).half()}
    for layer in range(layers):
        fc = np.rint(generator.normal(size=(rows, 32)) * 3)
        proj = np.rint(0.7 * fc.T + generator.normal(size=(32, rows)) * 2)
        for role, found in (("mlp.fc", fc), ("mlp.proj", proj)):
            step = torch.from_numpy(generator.normal(1, 0.1, len(found))).half()
            encoded[f"blocks.{layer}.{role}.weight"] = {"codes": torch.from_numpy(found.astype(np.int8)), "step": step}
        encoded[f"blocks.{layer}.attn_scale"] = {"kept": torch.rand(7).bfloat16()}
    return encoded


def pack(encoded, coder=CODER, layout=None):
    return coder.compress((layout or ContextLayout()).pack(encoded, Ledger()), Ledger())


def same(found, wanted):
    assert list(found) == list(wanted)
    for name, parts in wanted.items():
        assert list(found[name]) == list(parts)
        assert all(
            found[name][key].dtype == part.dtype and torch.equal(found[name][key], part) for key, part in parts.items()
        )


@pytest.mark.ci
def test_a_model_comes_back_in_fewer_bytes():
    encoded, ledger = model(), Ledger()
    plain = ContextLayout().pack(encoded, ledger)
    packed = CODER.compress(plain, ledger)
    assert CODER.decompress(packed, len(plain)) == plain and pack(encoded) == packed
    same(ContextLayout().unpack(plain), encoded)
    assert len(packed) < 0.9 * len(pack(encoded, LzmaCoder(), TorchSave()))
    assert ledger.receipt("context_coder") == f"{len(plain)} -> {len(packed)} bytes"


def parts_of(packed):
    """Length, xz, words, checksum."""
    behind = 4 + int.from_bytes(packed[:4], "little")
    return [packed[:4], packed[4:behind], packed[behind:-4], packed[-4:]]


def choices_of(packed):
    """plane -> flags."""
    return [flags for flags, *_ in json.loads(lzma.decompress(parts_of(packed)[1]).split(b"\n")[1])[1]]


@pytest.mark.ci
def test_what_pays_is_chosen():
    *_, embedding, fc, proj = choices_of(pack(model(rows=256)))
    assert embedding & 2 and not fc & 2 and proj & 1
    encoded = model(rows=256)
    generator = np.random.default_rng(5)
    for parts in encoded.values():
        if "codes" in parts:
            step = np.exp(generator.normal(size=len(parts["codes"])))
            parts["codes"] = torch.from_numpy((parts["codes"].numpy() / step[:, None]).clip(-127, 127).astype(np.int8))
            parts["step"] = torch.from_numpy(step).half()
    packed = pack(encoded)
    *_, embedding, fc, proj = choices_of(packed)
    assert embedding & 4 and fc & 4
    same(ContextLayout().unpack(CODER.decompress(packed, 10**7)), encoded)


def test_codes_of_a_trellis():
    coder, encoded = ContextCoder(((0, 2), (2, 0), (1, 3), (3, 1))), model()
    packed = pack(encoded, coder)
    same(ContextLayout().unpack(coder.decompress(packed, 10**7)), encoded)


@settings(max_examples=12, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_come_back(data):
    packed = CODER.compress(data, Ledger())
    assert CODER.decompress(packed, len(data)) == data
    if data:
        with pytest.raises(ValueError, match="wanted at most"):
            CODER.decompress(packed, len(data) - 1)


def test_bytes_of_another_layout_shrink():
    data = TorchSave().pack(model(), Ledger())
    packed = CODER.compress(data, Ledger())
    assert CODER.decompress(packed, len(data)) == data and len(packed) < 0.75 * len(data)


def test_a_bomb_is_refused():
    packed = CODER.compress(bytes(3_000_000), Ledger())
    assert len(packed) < 8000
    with pytest.raises(ValueError, match="at most 100000"):
        CODER.decompress(packed, 100_000)


@pytest.mark.parametrize("what", range(4))
def test_changed_bits_are_refused(what):
    """In each of the four parts, at places drawn at random."""
    parts = parts_of(pack(model(rows=16, layers=1)))
    generator = np.random.default_rng(what)
    for at in generator.integers(0, len(parts[what]), 6):
        changed = bytearray(parts[what])
        changed[at] ^= 1 << int(generator.integers(8))
        with pytest.raises(Exception):  # noqa: B017 - `unpack_artifact` makes one line of it
            CODER.decompress(b"".join([*parts[:what], bytes(changed), *parts[what + 1 :]]), 10**6)


def test_bytes_behind_a_part_are_refused_though_the_checksum_is_right():
    length, side, words, checksum = parts_of(pack(model(rows=16, layers=1)))
    longer = (len(side) + 2).to_bytes(4, "little")
    for damaged in (length + side + words + bytes(4) + checksum, longer + side + b"xx" + words + checksum):
        with pytest.raises(ValueError, match="more behind it"):
            CODER.decompress(damaged, 10**6)


@pytest.mark.parametrize("tail", [b"x", bytes(400)])
def test_more_or_fewer_bytes_are_refused(tail):
    packed = pack(model(rows=16, layers=1))
    for data in (packed + tail, packed[: -len(tail)], b"", packed[:3], packed[:40]):
        with pytest.raises((ValueError, lzma.LZMAError)):
            CODER.decompress(data, 10**6)


@pytest.mark.parametrize("flags", [15, 64.5, "x"])
def test_a_head_made_up_is_refused_or_read(flags):
    """Nothing but one of Python's exceptions, whatever the choices say."""
    _, side, words, checksum = parts_of(pack(model(rows=16, layers=1)))
    head, told, states = lzma.decompress(side).split(b"\n", 2)
    size, choices = json.loads(told)
    for place in range(len(choices)):
        other = [[flags, *sizes] if number == place else [was, *sizes] for number, (was, *sizes) in enumerate(choices)]
        made = lzma.compress(b"\n".join([head, json.dumps([size, other]).encode(), states]))
        with pytest.raises((ValueError, TypeError, IndexError)):
            CODER.decompress(len(made).to_bytes(4, "little") + made + words + checksum, 10**6)


def test_hooks_bring_both():
    assert context_coder.stream_layout(SettingsView({}, set())).target is ContextLayout
    assert context_coder.entropy_coder(SettingsView({}, set())).arguments == {"transitions": ()}


@pytest.mark.parametrize("states", [4, 8, 32])
def test_the_states_of_the_trellis_are_a_literal(states):
    found = context_coder.entropy_coder(SettingsView({"trellis_states": states}, {"trellis"})).arguments["transitions"]
    assert len(found) == states and torch.equal(torch.tensor(found), next_states(states))
