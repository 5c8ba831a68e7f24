"""Parts of encoded tensors as planes of bytes, (matrices, rows, columns) each, for a coder that models numbers.

Parts of one role, name, dtype and shape are one group. Its planes:

    one byte, two axes     as they are, a matrix for each tensor
    two bytes              rows are elements, columns are tensors; the integers that the bits are, less the middle of their
                           range, as high bits that fit int8 and, in a plane of their own, low bits
    anything else          rows are elements, columns are their bytes

`kinds` below is name -> part -> [place of the dtype, shape, and for two bytes: middle, bits of the low plane].
float16 as an integer is about its logarithm, so the high plane of the steps of `codes` says how spread their rows are.
"""

from __future__ import annotations

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
SIZES = (1, 1, 1, 2, 2, 2, 4, 4, 8, 8)
PARTNERS = {"mlp.proj.weight": "mlp.fc.weight", "attn.proj.weight": "attn.c_v.weight"}


class Plane(NamedTuple):
    """Shape, and which earlier planes tell of it, or -1: the steps' high plane, and the partner, of the transposed shape."""

    shape: tuple[int, int, int]
    steps: int
    partner: int
    low: int
    """Bits that the low plane of the steps has."""


def kind_of(part: Tensor) -> list[Any]:
    """[place of the dtype, shape]; ValueError for a dtype that is not known."""
    return [DTYPES.index(part.dtype), list(part.shape)]


def role_of(name: str) -> str:
    """`name` without its layer."""
    return name.split(".", 2)[2] if name.startswith("blocks.") else name


def grouped(kinds: dict[str, dict[str, list[Any]]]) -> list[list[tuple[str, str]]]:
    """(name, part) of each group; codes come behind everything else, since steps tell of them."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, parts in kinds.items():
        for part, kind in parts.items():
            label = f"{part == 'codes'} {role_of(name)} {part} {kind[:2]}"
            found.setdefault(label, []).append((name, part))
    return [found[label] for label in sorted(found, key=lambda label: label.startswith("True"))]


def group_planes(kind: list[Any], members: int) -> list[tuple[int, int, int]]:
    """Shapes of the planes of one group."""
    place, shape = kind[:2]
    count = int(np.prod(shape, dtype=np.int64))
    if count == 0:
        return []
    if SIZES[place] == 2:
        return [(1, count, members)] * (2 if kind[3] else 1)
    if SIZES[place] == 1 and len(shape) == 2:
        return [(members, *shape)]
    return [(1, members * count, SIZES[place])]


def planes(kinds: dict[str, dict[str, list[Any]]]) -> list[Plane]:
    """All planes in order."""
    found: list[Plane] = []
    steps: dict[tuple[str, int], tuple[int, int]] = {}
    codes: dict[str, int] = {}
    for group in grouped(kinds):
        name, part = group[0]
        kind, role = kinds[name][part], role_of(name)
        if part == "step" and kind[0] == 3 and len(kind) > 2:
            steps[role, len(group)] = len(found), kind[3]
        at, low = steps.get((role, len(group)), (-1, 0)) if part == "codes" else (-1, 0)
        for shape in group_planes(kind, len(group)):
            fits = at >= 0 and found[at].shape == (1, shape[1], shape[0])
            partner = codes.get(PARTNERS.get(role, ""), -1) if part == "codes" else -1
            if partner >= 0 and found[partner].shape != (shape[0], shape[2], shape[1]):
                partner = -1
            if part == "codes":
                codes[role] = len(found)
            found.append(Plane(shape, at if fits else -1, partner, low))
    return found


def raw(part: Tensor) -> np.ndarray:
    """The bytes of a tensor, uint8 (n,)."""
    return part.contiguous().reshape(-1).view(torch.uint8).numpy()


def split_words(words: np.ndarray) -> tuple[list[int], list[np.ndarray]]:
    """([middle, bits of the low plane], int8 planes) of int16 `words`."""
    middle = (int(words.min()) + int(words.max()) + 1) // 2
    wide = words.astype(np.int64) - middle
    low = max(0, int(np.abs(2 * wide + 1).max()).bit_length() - 8)
    high = (wide >> low).astype(np.int8)
    return [middle, low], [high, ((wide & ((1 << low) - 1)) - (1 << low >> 1)).astype(np.int8)][: 2 if low else 1]


def to_planes(encoded: dict[str, dict[str, Tensor]]) -> tuple[dict[str, dict[str, list[Any]]], bytes]:
    """What there is, and the bytes of all planes one after the other."""
    kinds = {name: {key: kind_of(part) for key, part in parts.items()} for name, parts in encoded.items()}
    body = []
    for group in grouped(kinds):
        stack = np.stack([raw(encoded[name][part]) for name, part in group])
        size = SIZES[kinds[group[0][0]][group[0][1]][0]]
        if size == 2 and stack.size:
            more, halves = split_words(stack.view("<i2").T)
            body += [half.tobytes() for half in halves]
            for name, part in group:
                kinds[name][part] += more
        else:
            body.append(stack.tobytes())
    return kinds, b"".join(body)


def from_planes(kinds: dict[str, dict[str, list[Any]]], body: bytes) -> dict[str, dict[str, Tensor]]:
    """The inverse of `to_planes`."""
    encoded: dict[str, dict[str, Any]] = {name: dict.fromkeys(parts) for name, parts in kinds.items()}
    at = 0
    for group in grouped(kinds):
        kind = kinds[group[0][0]][group[0][1]]
        place, shape = kind[:2]
        halves = []
        for plane in group_planes(kind, len(group)):
            count = int(np.prod(plane, dtype=np.int64))
            halves.append(np.frombuffer(body, np.int8, count, at))
            at += count
        stack = np.concatenate([np.empty(0, np.int8), *halves]).reshape(len(group), -1)
        if SIZES[place] == 2 and halves:
            wide = (halves[0].astype(np.int64) << kind[3]) + kind[2]
            if kind[3]:
                wide += halves[1].astype(np.int64) + (1 << kind[3] >> 1)
            stack = np.ascontiguousarray(wide.astype("<i2").reshape(-1, len(group)).T)
        for (name, part), row in zip(group, stack, strict=True):
            encoded[name][part] = torch.empty(shape, dtype=DTYPES[place])
            raw(encoded[name][part])[:] = row.view(np.uint8)
    if at != len(body):
        raise ValueError(f"the planes have {at} bytes, {len(body)} are there")
    return encoded
