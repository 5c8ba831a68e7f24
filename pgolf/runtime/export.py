"""The artifact: trained tensors to bytes and back.

    encode_model -> {name: {part: tensor}} -> pack_artifact -> bytes
    unpack_artifact -> {name: {part: tensor}} -> decode_model -> canonical state

Encoding: the plan assigns classes, transforms change tensors, the recipe of its class encodes each tensor, `fit` makes the
codes smaller where they do not fit, and corrections add their parts to what codes then stand for. Names are canonical, so the
artifact never depends on the parameter layout. It holds tensors, strings, numbers and bytes only: no class could be found
again after renaming. The calls are described in `pgolf.contracts.quantizer` and `pgolf.contracts.compressor`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_tensors
from pgolf.runtime.quantize import KEPT_ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts, Statistics
    from pgolf.runtime.program import Program
    from pgolf.runtime.records import Param


def quantization_classes(parameters: Sequence[Param]) -> dict[str, str]:
    """canonical name -> quantization class of the tensors that an artifact holds, in declaration order."""
    return {name: record.quant for name, _, record in canonical_tensors(parameters) if record.export != "drop"}


def encode_model(
    state: Mapping[str, Tensor],
    parameters: Sequence[Param],
    program: Program,
    statistics: Statistics,
    ledger: Ledger,
    code_size: int = 0,
) -> dict[str, Parts]:
    """Quantize a canonical state.

    Args:
        state: canonical name -> tensor.
        statistics: canonical name -> input statistics by name, for tensors that have any; {} without calibration.
        code_size: bytes of the program's own file, for `fit`.

    Returns:
        canonical name -> parts on the CPU, fitted to the budget where a `fit` component is chosen. A tensor whose class
        the plan has changed has the number of its class, in the order of `tensor_recipes`, as part "class". A tensor whose
        parts would not give finite numbers again, because its steps are beyond float16, is kept as it is.

    Raises:
        ValueError: when a tensor is not finite, or does not stay so.
    """
    classes = declared = quantization_classes(parameters)
    if program.quantization_plan:
        classes = planned_classes(classes, state, program, statistics, ledger)
    encoded = {}
    if program.grouped:
        solved = encode_groups(state, classes, program, statistics, ledger)
    for name, quant in classes.items():
        if program.grouped and name in solved:
            parts = solved[name]
        else:
            tensor = state[name]
            known: Mapping[str, Tensor] = statistics.get(name, {})
            if program.tensor_transforms:
                tensor, known = transformed(name, tensor, known, program, ledger)
            parts = program.tensor_recipes[quant].encode(name, tensor, known, ledger)
        encoded[name] = finished(name, state[name], parts, quant, declared[name], program)
    if program.fit is not None:
        measure = functools.partial(counted_bytes, state, parameters, program, statistics, code_size)
        requantize = Requantizer(state, parameters, program, statistics, classes)
        encoded = program.fit(encoded, measure, requantize, ledger)
    return add_corrections(state, parameters, program, statistics, encoded, ledger)


def finished(name: str, tensor: Tensor, parts: Parts, quant: str, declared: str, program: Program) -> Parts:
    """Parts on the CPU, with the number of a class that is not the declared one.

    A tensor that they do not bring back as finite numbers is kept as its recipe saw it, in its own dtype. ValueError where
    it is not finite itself, or too large for what transforms do.
    """
    seen = transformed(name, tensor, {}, program, Ledger())[0] if program.tensor_transforms else tensor
    for found in (parts, {"kept": seen}):
        # Codes of what is no number are numbers.
        if tensor.isfinite().all() and decode_tensor(name, found, quant, program, tensor.dtype).isfinite().all():
            if program.quantization_plan and quant != declared:
                found["class"] = torch.tensor([*program.tensor_recipes].index(quant), dtype=torch.uint8)
            return {key: value.cpu() for key, value in found.items()}
    raise ValueError(f"{name} does not stay finite: nothing is exported")


def planned_classes(
    classes: dict[str, str], state: Mapping[str, Tensor], program: Program, statistics: Statistics, ledger: Ledger
) -> dict[str, str]:
    """The classes as the plans change them; ValueError for a tensor or a class that there is not."""
    classes = dict(classes)
    for plan in program.quantization_plan:
        planned = plan(state, statistics, ledger)
        # A tensor that is not exported has no class, and gets none.
        classes |= {name: quant for name, quant in planned.items() if name in classes or name not in state}
    for name, quant in classes.items():
        if name not in state or quant not in program.tensor_recipes:
            raise ValueError(
                f"{name} is planned to have the class {quant!r}: wanted a tensor and a class that there are"
            )
    return classes


def transformed(
    name: str, tensor: Tensor, known: Mapping[str, Tensor], program: Program, ledger: Ledger
) -> tuple[Tensor, Mapping[str, Tensor]]:
    """What the recipe sees of a tensor and its statistics."""
    for transform in program.tensor_transforms:
        tensor, known = transform.apply(name, tensor, known, ledger)
    return tensor, known


def encode_groups(
    state: Mapping[str, Tensor], classes: dict[str, str], program: Program, statistics: Statistics, ledger: Ledger
) -> dict[str, Parts]:
    """Parts of the large matrices whose class encodes those of one shape together."""
    groups: dict[tuple[str, int, int], list[str]] = {}
    for name, quant in classes.items():
        if quant in program.grouped and state[name].ndim == 2 and state[name].numel() > KEPT_ELEMENTS:
            rows, columns = state[name].shape
            groups.setdefault((quant, rows, columns), []).append(name)
    found: dict[str, Parts] = {}
    for (quant, _, _), names in groups.items():
        tensors = [state[name] for name in names]
        known: list[Mapping[str, Tensor]] = [statistics.get(name, {}) for name in names]
        if program.tensor_transforms:
            changed = [transformed(name, state[name], statistics.get(name, {}), program, ledger) for name in names]
            tensors, known = [tensor for tensor, _ in changed], [one for _, one in changed]
        recipe: Any = program.tensor_recipes[quant]
        found |= zip(names, recipe.encode_group(names, tensors, known, ledger), strict=True)
    return found


class Requantizer:
    """Encodes tensors again for `fit`: `pgolf.contracts.quantizer.Requantize`."""

    def __init__(
        self,
        state: Mapping[str, Tensor],
        parameters: Sequence[Param],
        program: Program,
        statistics: Statistics,
        classes: Mapping[str, str],
    ) -> None:
        self.state = state
        self.parameters = parameters
        self.program = program
        self.statistics = statistics
        self.classes = classes

    def encode(self, name: str, more: Mapping[str, Tensor]) -> Parts:
        """With `more` among the statistics; what it does is counted nowhere."""
        tensor, quant, program = self.state[name], self.classes[name], self.program
        known: Mapping[str, Tensor] = {**self.statistics.get(name, {}), **more}
        if program.tensor_transforms:
            tensor, known = transformed(name, tensor, known, program, Ledger())
        parts = program.tensor_recipes[quant].encode(name, tensor, known, Ledger())
        return finished(name, self.state[name], parts, quant, quantization_classes(self.parameters)[name], program)

    def correct(self, encoded: dict[str, Parts]) -> dict[str, Parts]:
        """Of some tensors, or all."""
        return add_corrections(self.state, self.parameters, self.program, self.statistics, encoded, Ledger())

    def error(self, name: str, parts: Parts) -> float:
        """Summed over the outputs of inputs with the tensor's Hessian; without one, inputs are as large as others are."""
        weight = self.state[name].float()
        decoded = decode_corrected(name, parts, self.classes[name], self.program, torch.float32)
        error = weight - decoded.to(weight.device)
        known = self.statistics.get(name, {})
        if "hessian" in known:
            return ((error @ known["hessian"]) * error).sum().item()
        hessians = [other["hessian"] for other in self.statistics.values() if "hessian" in other]
        sizes = [hessian.diagonal().mean().item() for hessian in hessians]
        return error.square().sum().item() * (sum(sizes) / len(sizes) if sizes else 1.0)


def add_corrections(
    state: Mapping[str, Tensor],
    parameters: Sequence[Param],
    program: Program,
    statistics: Statistics,
    encoded: dict[str, Parts],
    ledger: Ledger,
) -> dict[str, Parts]:
    """`encoded` with the parts of every correction, as "NAME.PART"; each sees what the ones before it have mended.

    Parts of that form which `fit` has left become statistics, and are not stored.
    """
    if program.corrections:
        classes = quantization_classes(parameters)
        told = {name: {key: value for key, value in parts.items() if "." in key} for name, parts in encoded.items()}
        statistics = {
            **statistics,
            **{name: {**statistics.get(name, {}), **more} for name, more in told.items() if more},
        }
        encoded = {
            name: {key: value for key, value in parts.items() if "." not in key} for name, parts in encoded.items()
        }
        decoded = {
            name: decode_tensor(name, parts, classes[name], program, torch.float32).to(state[name].device)
            for name, parts in encoded.items()
        }
        for correction in program.corrections:
            for name, parts in correction.encode(state, decoded, statistics, ledger).items():
                decoded[name] = correction.decode(name, parts, decoded[name])
                named = {f"{correction.name}.{key}": value.cpu() for key, value in parts.items()}
                encoded = {**encoded, name: {**encoded[name], **named}}
    return encoded


def counted_bytes(
    state: Mapping[str, Tensor],
    parameters: Sequence[Param],
    program: Program,
    statistics: Statistics,
    code_size: int,
    encoded: dict[str, Parts],
) -> int:
    """`code_size`, and the bytes of the artifact that `encoded` would give with its corrections."""
    whole = add_corrections(state, parameters, program, statistics, encoded, Ledger())
    return code_size + len(pack_artifact(whole, program, Ledger()))


def pack_artifact(encoded: dict[str, Parts], program: Program, ledger: Ledger) -> bytes:
    """Encoded tensors as the bytes that are stored and counted."""
    return program.entropy_coder.compress(program.stream_layout.pack(encoded, ledger), ledger)


def unpack_artifact(data: bytes, state: Mapping[str, Tensor], program: Program) -> dict[str, Parts]:
    """The inverse of `pack_artifact`.

    Nothing may grow past eight bytes per element of `state` plus 4 KiB per tensor and 1 MiB in all.

    Raises:
        ValueError: when the bytes are damaged, cut short or too large once decompressed.
    """
    limit = 2**20 + sum(8 * tensor.numel() + 4096 for tensor in state.values())
    try:
        return program.stream_layout.unpack(program.entropy_coder.decompress(data, limit))
    except Exception as error:
        # Torch's readers say where in their own code they were, on further lines.
        raise ValueError(f"the artifact cannot be read: {str(error)[:99]!r}") from error


def decode_tensor(name: str, parts: Parts, quant: str, program: Program, kind: dtype) -> Tensor:
    """A tensor from its recipe's parts, without corrections; `quant` is the class of its record."""
    if program.quantization_plan and "class" in parts:
        quant = [*program.tensor_recipes][int(parts["class"].item())]
    tensor = program.tensor_recipes[quant].decode(name, parts, kind)
    if program.tensor_transforms:
        for transform in reversed(program.tensor_transforms):
            tensor = transform.undo(name, tensor)
    return tensor


def decode_model(
    encoded: dict[str, Parts], state: Mapping[str, Tensor], parameters: Sequence[Param], program: Program
) -> None:
    """Copy what an artifact stands for into `state`, the canonical state of the model to be filled.

    Raises:
        ValueError: when names, parts or shapes are not those of the model.
    """
    classes = quantization_classes(parameters)
    if encoded.keys() != classes.keys():
        raise ValueError("the artifact's tensors are not the model's")
    for name, quant in classes.items():
        try:
            tensor = decode_corrected(name, encoded[name], quant, program, state[name].dtype)
        except Exception as error:
            raise ValueError(f"the artifact's {name} cannot be decoded: {error!r}") from error
        if tensor.shape != state[name].shape:
            raise ValueError(f"{name}: shape {[*tensor.shape]}, wanted {[*state[name].shape]}")
        state[name].copy_(tensor)


def decode_corrected(name: str, parts: Parts, quant: str, program: Program, kind: dtype) -> Tensor:
    """A tensor from all its parts; corrections are added in float32."""
    if not program.corrections:
        return decode_tensor(name, parts, quant, program, kind)
    tensor = decode_tensor(name, parts, quant, program, torch.float32)
    for correction in program.corrections:
        prefix = correction.name + "."
        own = {key[len(prefix) :]: value for key, value in parts.items() if key.startswith(prefix)}
        if own:
            tensor = correction.decode(name, own, tensor)
    return tensor
