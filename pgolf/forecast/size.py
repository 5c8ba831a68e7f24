"""The size model: stand-ins for the trained weights go through the recipe's own quantizers, layout and coder.

    encoded   every tensor by its class's recipe; of matrices of one role and shape one is encoded, the others are it with rows
              and columns in another order, which no coder can make use of
    bytes     all of it packed, or, where that would take minutes, one row and many of what is large, and the line through both

So nothing here knows a grid, a layout or a coder, and a plugin of one's own is forecast like any other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from pgolf.forecast.weights import Walk, like_inputs, role_of, stand_in
from pgolf.runtime.export import add_corrections, pack_artifact, quantization_classes
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_tensors
from pgolf.runtime.quantize import KEPT_ELEMENTS

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.quantizer import Statistics
    from pgolf.runtime.program import Program
    from pgolf.runtime.records import Param

WHOLE = 4_500_000
"""Most codes that are packed; of more, so many are."""
PACKING_ERROR = 0.01
"""How far packed bytes have been off where spreads were known, as a share."""
LEARNED = {"lzma": 0.0095, "brotli": 0.010, "zstd": 0.006, "lrzip": 0.010, "context_coder": 0.012}
"""Coder -> share of an artifact that it saves on trained weights and not on stand-ins, the middle of five models, about."""
Encoded = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """Bytes of an artifact.

    Attributes:
        packed: the artifact.
        entropy: the codes alone, each tensor by the frequencies of its own codes; no coder that knows no more does better.
        raw: all other parts as they are.
        elements: codes.
        classes: quantization class -> (elements, bits of entropy for each).
        uncertainty: how far off `packed` may well be, about: what spreads and coders have been off.
    """

    packed: int
    entropy: int
    raw: int
    elements: int
    classes: Mapping[str, tuple[int, float]]
    uncertainty: int = 0


def forecast_size(
    program: Program, parameters: Sequence[Param], walks: Mapping[str, Walk], spread_error: float
) -> Size:
    """The size of what training would leave, if it does this to the tensors, by role; `spread_error` as in `SPREAD_ERROR`."""
    encoded, planned = encode_stand_ins(program, parameters, walks)
    wider = {role: Walk(walk.kept, walk.noise * (1 + spread_error)) for role, walk in walks.items()}
    other, _ = encode_stand_ins(program, parameters, wider, False)
    found = measure(program, encoded, planned)
    bits = sum(count * each for count, each in found.classes.values())
    more = abs(code_bits(other) / max(bits, 1.0) - 1)
    packed = learned_bytes(found.packed, program.entropy_coder.name)
    return replace(found, packed=packed, uncertainty=math.ceil(packed * math.hypot(more, PACKING_ERROR)))


def learned_bytes(packed: int, coder: str) -> int:
    """Bytes of trained weights, from those of stand-ins: what a string matcher finds in structure that stand-ins lack."""
    return round(packed * (1 - LEARNED.get(coder, 0.0)))


def code_bits(encoded: Encoded) -> float:
    """Entropy of all codes; a tensor that is there more than once is looked at once."""
    large = large_parts(encoded).values()
    known = {id(value): entropy_bits(value) for value in {id(value): value for value in large}.values()}
    return sum(known[id(value)] for value in large)


def encode_stand_ins(
    program: Program, parameters: Sequence[Param], walks: Mapping[str, Walk], shuffle: bool = True
) -> tuple[Encoded, dict[str, str]]:
    """(the encoded tensors with corrections, their classes); without `shuffle` matrices of a role are one, for counting."""
    state = draw_stand_ins(parameters, walks, shuffle)
    matrices = [name for name, tensor in state.items() if is_matrix(tensor)]
    hessians = {columns: like_inputs(columns) for columns in {state[name].shape[1] for name in matrices}}
    statistics: Statistics = {name: {"hessian": hessians[state[name].shape[1]]} for name in matrices}
    classes = quantization_classes(parameters)
    planned = dict(classes)
    for plan in program.quantization_plan:
        planned |= {name: quant for name, quant in plan(state, statistics, Ledger()).items() if name in classes}
    encoded = encode_all(program, planned, classes, state, statistics, shuffle)
    return add_corrections(state, parameters, program, statistics, encoded, Ledger()), planned


def is_matrix(tensor: Tensor) -> bool:
    """Is it one of the tensors where nearly all bytes are?"""
    return tensor.ndim == 2 and tensor.numel() > KEPT_ELEMENTS


def draw_stand_ins(parameters: Sequence[Param], walks: Mapping[str, Walk], shuffle: bool) -> dict[str, Tensor]:
    """Canonical name -> stand-in; of matrices of one role and shape one is drawn."""
    state: dict[str, Tensor] = {}
    first: dict[tuple[str, tuple[int, ...]], Tensor] = {}
    for number, (name, init, record) in enumerate(canonical_tensors(parameters)):
        shape = tuple(record.shape[1:] if record.members else record.shape)
        key = role_of(name), shape
        if key in first:
            state[name] = shuffled(first[key], *random_order(shape, number)) if shuffle else first[key]
            continue
        state[name] = stand_in(name, init, shape, walks[key[0]])
        if is_matrix(state[name]):
            first[key] = state[name]
    return state


def random_order(shape: Sequence[int], seed: int) -> list[Tensor]:
    """Of rows, and of columns."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randperm(size, generator=generator) for size in shape]


def encode_all(
    program: Program,
    planned: Mapping[str, str],
    classes: Mapping[str, str],
    state: dict[str, Tensor],
    statistics: Statistics,
    shuffle: bool = True,
) -> Encoded:
    """Every tensor's parts; a matrix that was not encoded itself stands in `state` as what its parts would come from."""
    encoded: Encoded = {}
    first: dict[tuple[str, str, tuple[int, ...]], str] = {}
    for number, (name, quant) in enumerate(planned.items()):
        tensor, key = state[name], (quant, role_of(name), tuple(state[name].shape))
        alike = tensor.ndim == 2 and not program.tensor_transforms
        if key in first and alike and {*encoded[first[key]]} <= {"codes", "step", "class"}:
            encoded[name], state[name] = encoded[first[key]], state[first[key]]
            if shuffle:
                order = random_order(tensor.shape, number)
                encoded[name] = {part: shuffled(value, *order) for part, value in encoded[name].items()}
                state[name] = shuffled(state[name], *order)
            continue
        known: Mapping[str, Tensor] = statistics.get(name, {})
        for transform in program.tensor_transforms:
            tensor, known = transform.apply(name, tensor, known, Ledger())
        parts = program.tensor_recipes[quant].encode(name, tensor, known, Ledger())
        if quant != classes[name]:
            parts["class"] = torch.tensor([*program.tensor_recipes].index(quant), dtype=torch.uint8)
        encoded[name] = parts
        first[key] = name
    return encoded


def shuffled(part: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """A part with the rows, and columns, of its matrix in another order."""
    if part.ndim and part.shape[0] == len(rows):
        part = part[rows]
    if part.ndim == 2 and part.shape[1] == len(columns):
        part = part[:, columns]
    return part.contiguous()


def large_parts(encoded: Encoded) -> dict[tuple[str, str], Tensor]:
    """(tensor, part) of integers with rows: where nearly all bytes are."""
    found = {}
    for name, parts in encoded.items():
        for part, value in parts.items():
            if value.ndim == 2 and not value.is_floating_point() and value.numel() > KEPT_ELEMENTS // 2:
                found[name, part] = value
    return found


def measure(program: Program, encoded: Encoded, planned: Mapping[str, str]) -> Size:
    """Pack and count."""
    large = large_parts(encoded)
    elements = sum(value.numel() for value in large.values())
    entropy = 0.0
    by_class: dict[str, tuple[int, float]] = {}
    for (name, _), value in large.items():
        bits = entropy_bits(value)
        entropy += bits
        count, known = by_class.get(planned[name], (0, 0.0))
        by_class[planned[name]] = count + value.numel(), known + bits
    total = sum(sum(value.numel() * value.element_size() for value in parts.values()) for parts in encoded.values())
    raw = total - sum(value.numel() * value.element_size() for value in large.values())
    if elements <= WHOLE:
        packed = len(pack_artifact(encoded, program, Ledger()))
    else:
        packed = extrapolated(program, encoded, large, elements)
    classes = {quant: (count, bits / count) for quant, (count, bits) in by_class.items()}
    return Size(packed, math.ceil(entropy / 8), raw, elements, classes)


def extrapolated(program: Program, encoded: Encoded, large: dict[tuple[str, str], Tensor], elements: int) -> int:
    """The line through the bytes with hardly any rows and with many, at all of them; what is not large is in both as it is.

    Two parts of like size would do worse: their difference is small, and what coders happen to save in it would be scaled up.
    """
    sizes = []
    for share in (0.0, WHOLE / elements):
        part = {name: dict(parts) for name, parts in encoded.items()}
        kept = 0
        for (name, key), value in large.items():
            rows = max(1, round(share * value.shape[0]))
            # A copy: a view would bring the whole matrix where the layout is torch.save's.
            part[name][key] = value[:rows].clone()
            kept += rows * value.shape[1]
        sizes.append((kept, len(pack_artifact(part, program, Ledger()))))
    (first, low), (second, high) = sizes
    return round(low + (high - low) * (elements - first) / (second - first))


def entropy_bits(codes: Tensor) -> float:
    """Bits of the codes of one tensor by their own frequencies."""
    if codes.element_size() <= 2:
        # Counting them in order takes a hundredth of the time of sorting them.
        numbers = codes.flatten().long()
        counts = (numbers - numbers.min()).bincount()
        counts = counts[counts > 0]
    else:
        _, counts = codes.unique(return_counts=True)
    share = counts.double() / codes.numel()
    return float(-(share * share.log2()).sum()) * codes.numel()
