"""Parts of encoded tensors as planes of bytes, (matrices, rows, columns) each, for a coder that models numbers.

Parts of one role, name, dtype and shape are one group. Its planes:

    codes of a byte each, two axes or more    one, as they are, a matrix for each tensor or more; if there are any
    anything else                             one for each byte of an element, lowest first; rows are elements, columns tensors

The head says how they are read, so that a decoder need not know why:

    [{name: {part: number of its group}}, [[place of the dtype, shape, planes or 0, members, steps, partner], ...]]

A float16 as an integer is about its logarithm, so the planes of the steps of `codes` say how spread their rows are.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor

DTYPES = (
    torch.int8,
    torch.uint8,
    torch.bool,
    torch.float16,
    torch.bfloat16,
    torch.int16,
    torch.float32,
    torch.int32,
    torch.float64,
    torch.int64,
)
PARTNERS = {"mlp.proj.weight": "mlp.fc.weight", "attn.proj.weight": "attn.c_v.weight"}


class Plane(NamedTuple):
    """Shape, and which earlier planes tell of it, or -1: the steps' second one, and the partner, of the transposed shape."""

    shape: tuple[int, int, int]
    steps: int
    partner: int


def role_of(name: str) -> str:
    """`name` without its layer."""
    return name.split(".", 2)[2] if name.startswith("blocks.") else name


def grouped(encoded: dict[str, dict[str, Tensor]]) -> list[list[tuple[str, str]]]:
    """(name, part) of each group; codes come behind everything else, since all that tells of them.

    Raises:
        ValueError: for a dtype that is not known.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for name, parts in encoded.items():
        for part, tensor in parts.items():
            kind = DTYPES.index(tensor.dtype), list(tensor.shape)
            found.setdefault(f"{part == 'codes'} {role_of(name)} {part} {kind}", []).append((name, part))
    return [found[label] for label in sorted(found, key=lambda label: label.startswith("True"))]


def planes(head: Any) -> list[Plane]:
    """All planes in order."""
    found = []
    for _, shape, number, members, steps, partner in head[1]:
        whole = (1, prod(shape), members) if number else (members * prod(shape[:-2]), *shape[-2:])
        found += [Plane(whole, steps, partner)] * (number or 1)
    return found


def raw(part: Tensor) -> np.ndarray:
    """The bytes of a tensor, uint8 (n,)."""
    return part.contiguous().reshape(-1).view(torch.uint8).numpy()


def to_planes(encoded: dict[str, dict[str, Tensor]]) -> tuple[list[Any], bytes]:
    """The head, and the bytes of all planes one after the other; ValueError for a dtype that is not known."""
    numbers: dict[str, dict[str, int]] = {name: dict.fromkeys(parts, 0) for name, parts in encoded.items()}
    head: list[Any] = [numbers, []]
    body: list[bytes] = []
    places: dict[Any, int] = {}
    for group in grouped(encoded):
        name, part = group[0]
        role, members, kind = role_of(name), len(group), encoded[name][part].dtype
        shape: list[Any] = list(encoded[name][part].shape)
        number = 0 if kind.itemsize == 1 and part == "codes" and len(shape) > 1 and prod(shape) else kind.itemsize
        made = [DTYPES.index(kind), shape, number, members, -1, -1]
        matrices, rows, columns = planes([0, [made]])[0].shape
        made[4] = places.get((role, 2, (1, rows, matrices)), -1)
        made[5] = places.get((PARTNERS.get(role), 0, (matrices, columns, rows)), -1)
        for name, part in group:
            numbers[name][part] = len(head[1])
        head[1].append(made)
        if part in ("codes", "step"):
            places[role, number, (matrices, rows, columns)] = len(planes(head)) - 1
        whole = np.stack([raw(encoded[name][part]) for name, part in group])
        body.append((whole.reshape(members, -1, number).T if number else whole).tobytes())
    return head, b"".join(body)


def from_planes(head: Any, body: bytes) -> dict[str, dict[str, Tensor]]:
    """The inverse of `to_planes`."""
    numbers, groups = head
    rows, at = [], 0
    for _, shape, number, members, *_ in groups:
        count = members * prod(shape) * (number or 1)
        whole = np.frombuffer(body, np.uint8, count, at)
        at += count
        rows.append(iter(whole.reshape(number, -1, members).T if number else whole.reshape(members, -1)))
    if at != len(body):
        raise ValueError(f"the planes have {at} bytes, {len(body)} are there")
    return {
        name: {part: filled(groups[number], next(rows[number])) for part, number in parts.items()}
        for name, parts in numbers.items()
    }


def filled(group: list[Any], row: np.ndarray) -> Tensor:
    """A tensor of a group, of its bytes."""
    tensor = torch.empty(group[1], dtype=DTYPES[group[0]])
    raw(tensor)[:] = row.reshape(-1)
    return tensor
