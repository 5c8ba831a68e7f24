"""Blocks, pointers and tiles of Triton's language on torch tensors."""

import torch

from pgolf.probe.inside.triton_language import LANGUAGE, Descriptor, Number, Pointer, Tile, load, store


def test_pointers_know_strides_and_offsets():
    whole = torch.arange(12.0).reshape(3, 4)
    part = whole[1:, 1:]
    at = Pointer.to(part) + torch.arange(2)[:, None] * part.stride(0) + torch.arange(3)[None, :]
    assert torch.equal(load(at), part) and at.dtype.element_ty == torch.float32
    store(at, -1.0, torch.tensor([[True], [False]]))
    assert whole[1].tolist() == [4.0, -1.0, -1.0, -1.0] and whole[2].tolist() == [8.0, 9.0, 10.0, 11.0]


def test_masked_elements_are_not_read():
    x = torch.arange(3.0)
    at = Pointer.to(x) + torch.arange(5)
    assert load(at, torch.arange(5) < 3, -7.0).tolist() == [0.0, 1.0, 2.0, -7.0, -7.0]
    assert load(at, torch.arange(5) < 3).tolist() == [0.0, 1.0, 2.0, 0.0, 0.0]


def test_tiles_end_with_the_tensor():
    x = torch.arange(6.0).reshape(2, 3)
    tile = Tile(Pointer.to(x), (2, 3), (3, 1), (1, 0), (2, 2)).advance((0, 2))
    assert load(tile).tolist() == [[5.0, 0.0], [0.0, 0.0]]
    descriptor = Descriptor.from_tensor(x, [2, 2])
    descriptor.store([1, 2], torch.full((2, 2), 9.0))
    descriptor.atomic_add([0, 0], torch.ones(2, 2))
    assert x.tolist() == [[1.0, 2.0, 2.0], [4.0, 5.0, 9.0]] and descriptor.dtype == torch.float32


def test_functions_are_those_of_torch():
    x = torch.arange(6.0).reshape(2, 3)
    assert LANGUAGE["max"](x, 1).tolist() == [2.0, 5.0] and LANGUAGE["sum"](x, axis=0).tolist() == [3.0, 5.0, 7.0]
    assert LANGUAGE["max"](x) == 5.0 and LANGUAGE["maximum"](2, 3) == 3
    assert LANGUAGE["maximum"](-float("inf"), torch.tensor(1.0)) == 1.0
    assert torch.equal(LANGUAGE["trans"](x), x.T) and torch.equal(LANGUAGE["permute"](x, (1, 0)), x.T)
    left, right = LANGUAGE["split"](LANGUAGE["join"](x, -x))
    assert torch.equal(left, x) and torch.equal(right, -x)
    assert LANGUAGE["dot"](x, x.T, acc=torch.ones(2, 2))[0, 0] == 6.0
    assert [*LANGUAGE["range"](0, 5, torch.tensor(2))] == [0, 2, 4] and LANGUAGE["cdiv"](7, 2) == 4


def test_numbers_of_the_grid_stay_numbers():
    row = Number(7)
    assert type(row // 2 * 3 + 1) is Number and type(2 * row) is Number and (row - 8).to(torch.int64) == -1
    assert torch.equal(row + torch.arange(2), torch.tensor([7, 8])) and (row < 8) is True


def test_a_block_that_lies_outside_is_empty():
    x = torch.arange(6.0).reshape(3, 2).T
    descriptor = Descriptor.from_tensor(x, [2, 4])
    assert descriptor.load([-1, 2]).tolist() == [[0.0] * 4, [4.0, 0.0, 0.0, 0.0]]
    descriptor.store([0, 5], torch.ones(2, 4))
    assert x.tolist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]] and not descriptor.load([9, 0]).any()
