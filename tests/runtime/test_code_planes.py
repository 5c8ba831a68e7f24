"""Every part comes back from planes; which planes tell of which."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pgolf.runtime.code_planes import DTYPES, from_planes, planes, to_planes

shapes = st.lists(st.integers(0, 5), max_size=3).map(tuple)
names = st.sampled_from([f"blocks.{layer}.{role}" for layer in range(3) for role in ("x", "mlp.fc.weight")] + ["gain"])


@st.composite
def parts_of(draw):
    shape, dtype = draw(shapes), draw(st.sampled_from(DTYPES))
    data = torch.randint(256, (int(torch.tensor(shape).prod()) * dtype.itemsize,), dtype=torch.uint8)
    if dtype == torch.bool:
        data &= 1
    return torch.empty(shape, dtype=dtype) if not data.numel() else data.view(dtype).reshape(shape)


def same(found, wanted):
    assert list(found) == list(wanted)
    for name, parts in wanted.items():
        assert list(found[name]) == list(parts)
        for key, part in parts.items():
            other = found[name][key]
            assert other.dtype == part.dtype and other.shape == part.shape
            as_bytes = [tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in (other, part)]
            assert torch.equal(*as_bytes)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(names, st.dictionaries(st.sampled_from(["codes", "step", "kept"]), parts_of())))
def test_nothing_is_lost(encoded):
    kinds, body = to_planes(encoded)
    assert sum(plane.shape[0] * plane.shape[1] * plane.shape[2] for plane in planes(kinds)) == len(body)
    same(from_planes(kinds, body), encoded)


def test_parts_that_are_views_of_others():
    same(
        from_planes(*to_planes({"w": {"codes": torch.arange(6, dtype=torch.int8).reshape(2, 3).T}})),
        {"w": {"codes": torch.tensor([[0, 3], [1, 4], [2, 5]], dtype=torch.int8)}},
    )


def test_words_are_a_plane_for_each_byte():
    kinds, body = to_planes(
        {"a": {"kept": torch.tensor([1.0, -2.0, 0.5]).half()}, "b": {"codes": torch.ones(2).char()}}
    )
    assert [plane.shape for plane in planes(kinds)] == [(1, 3, 1), (1, 3, 1), (1, 2, 1)]
    assert body == bytes([0, 0, 0, 0x3C, 0xC0, 0x38, 1, 1])


def test_codes_of_a_bank_are_matrices():
    kinds, _ = to_planes({"qo_bank": {"codes": torch.zeros(4, 3, 2, dtype=torch.int8)}})
    assert [plane.shape for plane in planes(kinds)] == [(4, 3, 2)]


def test_which_planes_tell_of_which():
    weight = "blocks.{}.{}.weight".format
    encoded = {"kept": {"kept": torch.rand(3)}}
    for layer in range(2):
        for role, shape in (("mlp.fc", (8, 4)), ("mlp.proj", (4, 8))):
            steps = (torch.rand(shape[0]) + 1).half()
            encoded[weight(layer, role)] = {"codes": torch.zeros(shape, dtype=torch.int8), "step": steps}
    *others, fc, proj = planes(to_planes(encoded)[0])
    assert fc.shape == (2, 8, 4) and proj.shape == (2, 4, 8)
    assert others[fc.steps].shape == (1, 8, 2) and others[proj.steps].shape == (1, 4, 2)
    assert (fc.partner, proj.partner) == (-1, len(others)) and all(plane.steps < 0 for plane in others)


def test_unknown_dtypes_are_refused():
    with pytest.raises(ValueError):
        to_planes({"w": {"kept": torch.zeros(2, dtype=torch.complex64)}})


def test_other_lengths_are_refused():
    kinds, body = to_planes({"w": {"codes": torch.zeros(3, 4, dtype=torch.int8)}})
    for data in (body[:-1], body + b"x"):
        with pytest.raises(ValueError):
            from_planes(kinds, data)
