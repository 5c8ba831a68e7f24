"""Parts of encoded tensors as planes of bytes, (matrices, rows, columns) each, for a coder that models numbers.

Parts of one role, name, dtype and shape are one group. Its planes:

    codes of a byte each, two axes or more    one, as they are, a matrix for each tensor or more; if there are any
    anything else                             one for each byte of an element, lowest first; rows are elements, columns tensors

`kinds` below is name -> part -> [place of the dtype, shape]. A float16 as an integer is about its logarithm, so the planes of
the steps of `codes` say how spread their rows are.
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


def grouped(kinds: dict[str, dict[str, list[Any]]]) -> list[list[tuple[str, str]]]:
    """(name, part) of each group; codes come behind everything else, since all that tells of them."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, parts in kinds.items():
        for part, kind in parts.items():
            found.setdefault(f"{part == 'codes'} {role_of(name)} {part} {kind}", []).append((name, part))
    return [found[label] for label in sorted(found, key=lambda label: label.startswith("True"))]


def group_planes(part: str, kind: list[Any], members: int) -> tuple[int, tuple[int, int, int]]:
    """(number of planes, shape of each) of one group; 0 for matrices, which are one."""
    place, shape = kind
    if DTYPES[place].itemsize == 1 and part == "codes" and len(shape) > 1 and prod(shape):
        return 0, (members * prod(shape[:-2]), shape[-2], shape[-1])
    return DTYPES[place].itemsize, (1, prod(shape), members)


def planes(kinds: dict[str, dict[str, list[Any]]]) -> list[Plane]:
    """All planes in order."""
    found: list[Plane] = []
    places: dict[Any, int] = {}
    for group in grouped(kinds):
        name, part = group[0]
        role = role_of(name)
        number, shape = group_planes(part, kinds[name][part], len(group))
        matrices, rows, columns = shape
        steps = places.get((role, 2, (1, rows, matrices)), -1)
        partner = places.get((PARTNERS.get(role), 0, (matrices, columns, rows)), -1)
        found += [Plane(shape, steps, partner)] * max(number, 1)
        if part in ("codes", "step"):
            places[role, number, shape] = len(found) - 1
    return found


def raw(part: Tensor) -> np.ndarray:
    """The bytes of a tensor, uint8 (n,)."""
    return part.contiguous().reshape(-1).view(torch.uint8).numpy()


def to_planes(encoded: dict[str, dict[str, Tensor]]) -> tuple[dict[str, dict[str, list[Any]]], bytes]:
    """What there is, and the bytes of all planes one after the other; ValueError for a dtype that is not known."""
    kinds: dict[str, dict[str, list[Any]]] = {
        name: {key: [DTYPES.index(part.dtype), list(part.shape)] for key, part in parts.items()}
        for name, parts in encoded.items()
    }
    body = []
    for group in grouped(kinds):
        number, _ = group_planes(group[0][1], kinds[group[0][0]][group[0][1]], len(group))
        whole = np.stack([raw(encoded[name][part]) for name, part in group])
        body.append((whole.reshape(len(group), -1, number).T if number else whole).tobytes())
    return kinds, b"".join(body)


def from_planes(kinds: dict[str, dict[str, list[Any]]], body: bytes) -> dict[str, dict[str, Tensor]]:
    """The inverse of `to_planes`."""
    encoded: dict[str, dict[str, Any]] = {name: dict.fromkeys(parts) for name, parts in kinds.items()}
    at = 0
    for group in grouped(kinds):
        place, shape = kind = kinds[group[0][0]][group[0][1]]
        number, plane = group_planes(group[0][1], kind, len(group))
        count = max(number, 1) * prod(plane)
        whole = np.frombuffer(body, np.uint8, count, at)
        at += count
        rows = whole.reshape(number, -1, len(group)).T if number else whole.reshape(len(group), -1)
        for (name, part), row in zip(group, rows, strict=True):
            encoded[name][part] = torch.empty(shape, dtype=DTYPES[place])
            raw(encoded[name][part])[:] = row.reshape(-1)
    if at != len(body):
        raise ValueError(f"the planes have {at} bytes, {len(body)} are there")
    return encoded
