"""`triton.language` on torch tensors: blocks are tensors, pointers are a storage and offsets into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

Block = torch.Tensor


class Missing(RuntimeError):
    """Something that has no stand-in; the message names it."""


class Place:
    """Which program of which grid is running; no grid outside of kernels."""

    program: tuple[int, int, int] = (0, 0, 0)
    grid: tuple[int, int, int] | None = None


class Element:
    """The type of a pointer."""

    def __init__(self, dtype: torch.dtype):
        self.element_ty = dtype

    def is_ptr(self) -> bool:
        """It is one."""
        return True


class Pointer:
    """Addresses in one tensor's storage.

    Args:
        storage: all of it, flat.
        offsets: a number, or a block of them, in elements.
    """

    def __init__(self, storage: torch.Tensor, offsets: Any):
        self.storage, self.offsets = storage, offsets

    @staticmethod
    def to(tensor: torch.Tensor) -> Pointer:
        """The address of a tensor's first element."""
        size = tensor.untyped_storage().nbytes() // max(tensor.element_size(), 1)
        return Pointer(tensor.detach().as_strided((size,), (1,), 0), tensor.storage_offset())

    @property
    def dtype(self) -> Element:
        """Of what it points to."""
        return Element(self.storage.dtype)

    @property
    def type(self) -> Element:
        """The same."""
        return self.dtype

    def __add__(self, other: Any) -> Pointer:
        return Pointer(self.storage, self.offsets + other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Pointer:
        return Pointer(self.storage, self.offsets - other)

    def __getitem__(self, index: Any) -> Pointer:
        return Pointer(self.storage, self.offsets[index])

    def to_type(self, dtype: Any) -> Pointer:
        """The same address."""
        return self


class Number(int):
    """A number of the grid: arithmetic with numbers gives one again, and it may be cast."""

    def to(self, *args: Any, **more: Any) -> Number:
        """Of any width."""
        return self

    cast = to


def kept(name: str) -> Callable[..., Any]:
    """An operation of whole numbers with `Number` as its result."""
    plain = getattr(int, name)

    def call(self: int, other: Any) -> Any:
        found = plain(self, other)
        return Number(found) if type(found) is int else found

    return call


for operation in ("add", "sub", "mul", "floordiv", "mod"):
    for side in ("", "r"):
        setattr(Number, f"__{side}{operation}__", kept(f"__{side}{operation}__"))


class Tile:
    """A rectangle of a tensor in memory, by its corner: block pointers.

    Args:
        base: address of the tensor.
        shape, strides, offsets, block: one number for each axis.
    """

    def __init__(self, base: Pointer, shape: Sequence[Any], strides: Sequence[Any], offsets: Any, block: Any):
        self.base, self.shape, self.strides = base, list(shape), list(strides)
        self.offsets, self.block = [int(part) for part in offsets], [int(part) for part in block]

    def advance(self, steps: Sequence[Any]) -> Tile:
        """Moved."""
        moved = [at + int(step) for at, step in zip(self.offsets, steps, strict=True)]
        return Tile(self.base, self.shape, self.strides, moved, self.block)

    def inside(self) -> tuple[Block, tuple[slice, ...]]:
        """(the part of the tensor that the block covers, where in the block that is)."""
        sizes, strides = [int(size) for size in self.shape], [int(step) for step in self.strides]
        whole = self.base.storage.as_strided(sizes, strides, int(self.base.offsets))
        ends = zip(self.offsets, self.block, sizes, strict=True)
        bounds = [(max(at, 0), max(min(at + size, most), max(at, 0))) for at, size, most in ends]
        part = whole[tuple(slice(first, last) for first, last in bounds)]
        pairs = zip(bounds, self.offsets, strict=True)
        return part, tuple(slice(first - at, last - at) for (first, last), at in pairs)

    def addresses(self) -> tuple[Pointer, Block]:
        """(address, is it inside) of every element of the block."""
        place: Any = 0
        inside: Any = torch.ones((), dtype=torch.bool)
        for axis, (at, size) in enumerate(zip(self.offsets, self.block, strict=True)):
            index = torch.arange(at, at + size).reshape(
                [-1 if other == axis else 1 for other in range(len(self.block))]
            )
            place = place + index * int(self.strides[axis])
            inside = inside & (index >= 0) & (index < int(self.shape[axis]))
        return Pointer(self.base.storage, self.base.offsets + place), inside


class Descriptor:
    """A tensor that is read and written in blocks of one size."""

    def __init__(self, base: Any, shape: Sequence[Any], strides: Sequence[Any], block_shape: Sequence[Any]):
        self.base = Pointer.to(base) if isinstance(base, torch.Tensor) else base
        self.shape, self.strides, self.block_shape = list(shape), list(strides), list(block_shape)

    @staticmethod
    def from_tensor(tensor: torch.Tensor, block_shape: Sequence[Any], **more: Any) -> Descriptor:
        """Of a whole tensor."""
        return Descriptor(tensor, tensor.shape, tensor.stride(), block_shape)

    @property
    def dtype(self) -> torch.dtype:
        """Of an element."""
        return self.base.storage.dtype

    def at(self, offsets: Any) -> Tile:
        """The block at a corner."""
        return Tile(self.base, self.shape, self.strides, offsets, self.block_shape)

    def load(self, offsets: Any) -> Block:
        """A block; zeros outside."""
        return load(self.at(offsets))

    def store(self, offsets: Any, value: Any) -> None:
        """Write what lies inside."""
        store(self.at(offsets), value)

    def atomic_add(self, offsets: Any, value: Any) -> None:
        """Add what lies inside."""
        address, inside = self.at(offsets).addresses()
        atomic_add(address, value, inside)


def load(pointer: Any, mask: Any = None, other: Any = None, **more: Any) -> Block:
    """Elements at addresses; `other` where the mask is not set."""
    if isinstance(pointer, Tile):
        part, place = pointer.inside()
        if list(part.shape) == pointer.block:
            return part.clone()
        block = part.new_zeros(pointer.block)
        block[place] = part
        return block
    at = torch.as_tensor(pointer.offsets)
    if mask is None:
        return torch.Tensor.__getitem__(pointer.storage, at)
    at, wide = torch.broadcast_tensors(at, torch.as_tensor(mask))
    found = pointer.storage[torch.where(wide, at, 0)]
    return torch.where(
        wide, found, torch.zeros_like(found) if other is None else torch.as_tensor(other).to(found.dtype)
    )


def store(pointer: Any, value: Any, mask: Any = None, **more: Any) -> None:
    """Write elements to addresses, where the mask is set."""
    if isinstance(pointer, Tile):
        part, place = pointer.inside()
        part.copy_(torch.as_tensor(value).expand(pointer.block)[place])
        return
    at, wide, numbers = placed(pointer, value, mask)
    pointer.storage[at[wide]] = numbers[wide]


def placed(pointer: Pointer, value: Any, mask: Any) -> tuple[Block, Block, Block]:
    """Addresses, mask and values in one shape."""
    numbers = torch.as_tensor(value).to(pointer.storage.dtype)
    wide = torch.ones((), dtype=torch.bool) if mask is None else torch.as_tensor(mask)
    at, wide, numbers = torch.broadcast_tensors(torch.as_tensor(pointer.offsets), wide, numbers)
    return at, wide, numbers


def atomic_add(pointer: Any, value: Any, mask: Any = None, **more: Any) -> Block:
    """Add to addresses; what was there before."""
    at, wide, numbers = placed(pointer, value, mask)
    before: Block = pointer.storage[torch.where(wide, at, 0)]
    pointer.storage.index_add_(0, at[wide].reshape(-1), numbers[wide].reshape(-1))
    return before


def dot(first: Block, second: Block, acc: Any = None, **more: Any) -> Block:
    """A product of blocks, in 32 bits at least."""
    found: Block = first.float() @ second.float() if first.is_floating_point() else first.int() @ second.int()
    return found if acc is None else torch.add(found, acc)


def reduced(name: str) -> Callable[..., Any]:
    """`tl.sum`, `tl.max`, ... over an axis or all."""

    def call(value: Block, axis: Any = None, keep_dims: bool = False, **more: Any) -> Any:
        function = getattr(torch, name)
        if axis is None:
            return function(value)
        found = function(value, int(axis), keepdim=keep_dims)
        return found if isinstance(found, torch.Tensor) else found[0]

    return call


def elementwise(function: Callable[..., Block]) -> Callable[..., Any]:
    """A function of torch that takes numbers, too."""

    def call(*values: Any, **more: Any) -> Any:
        return function(*(value if isinstance(value, torch.Tensor) else torch.tensor(value) for value in values))

    return call


def smaller_of(larger: bool) -> Callable[..., Any]:
    """`tl.minimum` and `tl.maximum`: of numbers a number."""

    def call(first: Any, second: Any, **more: Any) -> Any:
        if not isinstance(first, torch.Tensor) and not isinstance(second, torch.Tensor):
            return max(first, second) if larger else min(first, second)
        function = torch.maximum if larger else torch.minimum
        one, other = torch.as_tensor(first), torch.as_tensor(second)
        kind = torch.result_type(one, other)
        return function(one.to(kind), other.to(kind))

    return call


def shape_of(values: Sequence[Any]) -> list[int]:
    """A shape given as one argument or as many."""
    if len(values) == 1 and isinstance(values[0], (tuple, list)):
        return [int(part) for part in values[0]]
    return [int(part) for part in values]


def split(value: Block) -> tuple[Block, Block]:
    """Halves of a last axis of two."""
    return value[..., 0], value[..., 1]


def as_is(value: Any, *args: Any, **more: Any) -> Any:
    """Promises about a value change nothing."""
    return value


def numbers(*bounds: Any, **more: Any) -> range:
    """`tl.range` and `tl.static_range`."""
    return range(*(int(bound) for bound in bounds))


TYPES: dict[str, Any] = {
    **{name: getattr(torch, name) for name in ("int8", "int16", "int32", "int64", "uint8", "float32", "float64")},
    **dict.fromkeys(("float16", "bfloat16", "float8e4nv", "float8e5"), torch.float32),
    **{"int1": torch.bool, "uint16": torch.int32, "uint32": torch.int64, "uint64": torch.int64},
    **dict.fromkeys(("dtype", "tensor", "pointer_type", "tensor_descriptor"), object),
}
LANGUAGE: dict[str, Any] = {
    "program_id": lambda axis=0: Number(Place.program[int(axis)]),
    "num_programs": lambda axis=0: Number((Place.grid or (1, 1, 1))[int(axis)]),
    "constexpr": as_is,
    "arange": lambda first, last: torch.arange(int(first), int(last)),
    "zeros": lambda shape, dtype=torch.float32: torch.zeros(shape_of([shape]), dtype=dtype),
    "full": lambda shape, value, dtype=torch.float32: torch.full(shape_of([shape]), value, dtype=dtype),
    "zeros_like": torch.zeros_like,
    "load": load,
    "store": store,
    "atomic_add": atomic_add,
    "dot": dot,
    "make_block_ptr": lambda base, shape, strides, offsets, block_shape, order=(): Tile(
        base, shape, strides, offsets, block_shape
    ),
    "advance": lambda tile, offsets: tile.advance(offsets),
    "make_tensor_descriptor": lambda base, shape, strides, block_shape, **more: Descriptor(
        base, shape, strides, block_shape
    ),
    "where": lambda mask, first, second: torch.where(torch.as_tensor(mask), first, second),
    **{name: reduced(name) for name in ("sum", "max", "min", "argmax", "argmin")},
    **{
        name: elementwise(getattr(torch, name))
        for name in (
            *("exp", "exp2", "log", "log2", "sqrt", "rsqrt", "abs", "sigmoid", "sin", "cos", "floor", "ceil", "erf"),
            *("tanh", "log1p", "expm1"),
        )
    },
    "softmax": lambda value, **more: torch.softmax(value, 0),
    "minimum": smaller_of(larger=False),
    "maximum": smaller_of(larger=True),
    "fma": lambda first, second, third: first * second + third,
    "cdiv": lambda first, second: -(-first // second),
    "clamp": lambda value, low, high, **more: torch.clamp(value, low, high),
    "cumsum": lambda value, axis=0, **more: torch.cumsum(value, int(axis)),
    "trans": lambda value, *axes: value.permute(shape_of(axes)) if axes else value.transpose(-1, -2),
    "permute": lambda value, *axes: value.permute(shape_of(axes)),
    "reshape": lambda value, *shape, **more: value.reshape(shape_of(shape)),
    "view": lambda value, *shape, **more: value.reshape(shape_of(shape)),
    "ravel": lambda value, **more: value.reshape(-1),
    "expand_dims": lambda value, axis: value.unsqueeze(int(axis)),
    "broadcast_to": lambda value, *shape: torch.as_tensor(value).expand(shape_of(shape)),
    "broadcast": lambda first, second: torch.broadcast_tensors(first, second),
    "cat": lambda first, second, **more: torch.cat([first, second]),
    "join": lambda first, second: torch.stack([first, second], -1),
    "interleave": lambda first, second: torch.stack([first, second], -1).flatten(-2),
    "split": split,
    "cast": lambda value, dtype, **more: torch.as_tensor(value).to(dtype),
    "range": numbers,
    "static_range": numbers,
    **dict.fromkeys(("multiple_of", "max_contiguous", "max_constancy"), as_is),
    **dict.fromkeys(
        ("static_assert", "static_print", "device_print", "device_assert", "assume", "debug_barrier"),
        lambda *args, **more: None,
    ),
}
