"""The artifact: trained tensors to bytes and back.

    encode_model -> {name: {part: tensor}} -> fit (optional) -> pack_artifact -> bytes
    unpack_artifact -> {name: {part: tensor}} -> decode_model -> canonical state

Names are canonical, so the artifact never depends on the parameter layout. It holds tensors, strings, numbers and
bytes only: no class could be found again after renaming.

Protocols: a recipe has `encode(tensor, hessian, ledger) -> parts` and `decode(parts, dtype) -> tensor`; the stream
layout `pack(encoded, ledger) -> bytes` and `unpack(data) -> encoded`; the entropy coder `name`, for file names,
`compress(data, ledger)` and `decompress(data, limit)`, which raises ValueError rather than produce more than `limit`
bytes.
"""

import functools
import math
from pathlib import Path

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import slices


def exported_slices(parameters):
    """The canonical tensors an artifact holds, in declaration order."""
    return [part for part in slices(parameters) if part.record.export != "drop"]


def encode_model(state, parameters, program, hessians, ledger):
    """Quantize a canonical state.

    Args:
        state: canonical name -> tensor.
        hessians: canonical name -> input statistics, for tensors that have any; {} without calibration.

    Returns:
        canonical name -> parts on the CPU, fitted to the budget where a `fit` component is chosen.
    """
    encoded = {}
    for part in exported_slices(parameters):
        recipe = program.tensor_recipes[part.record.quant]
        parts = recipe.encode(state[part.name].detach(), hessians.get(part.name), ledger)
        encoded[part.name] = {key: value.cpu().contiguous() for key, value in parts.items()}
    if program.fit is not None:
        encoded = program.fit(encoded, functools.partial(packed_bytes, program), ledger)
    return encoded


def packed_bytes(program, encoded):
    """Size of the artifact that `encoded` would give, in bytes."""
    return len(pack_artifact(encoded, program, Ledger()))


def pack_artifact(encoded, program, ledger):
    """Encoded tensors as the bytes that are stored and counted."""
    return program.entropy_coder.compress(program.stream_layout.pack(encoded, ledger), ledger)


def unpack_artifact(data, parameters, program):
    """The inverse of `pack_artifact`.

    Nothing may grow past eight bytes per declared element plus 4 KiB per tensor and 1 MiB in all.

    Raises:
        ValueError: when the bytes are damaged, cut short or too large once decompressed.
    """
    limit = 2**20
    for part in exported_slices(parameters):
        shape = part.record.shape if part.index < 0 else part.record.shape[1:]
        limit += 8 * math.prod(shape) + 4096
    try:
        return program.stream_layout.unpack(program.entropy_coder.decompress(data, limit))
    except Exception as error:
        raise ValueError(f"the artifact cannot be read: {error}") from error


def decode_model(encoded, state, parameters, program):
    """The canonical state that an artifact stands for.

    Args:
        state: canonical state of the model to be filled; gives shapes and dtypes, and the values of tensors that are
            not exported.

    Raises:
        ValueError: when names or shapes are not those of the model.
    """
    wanted = exported_slices(parameters)
    if sorted(encoded) != sorted(part.name for part in wanted):
        raise ValueError("the artifact's tensors are not the model's: was it written by another build?")
    decoded = dict(state)
    for part in wanted:
        name = part.name
        tensor = program.tensor_recipes[part.record.quant].decode(encoded[name], state[name].dtype)
        if tensor.shape != state[name].shape:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)} in the artifact, {tuple(state[name].shape)} here")
        decoded[name] = tensor
    return decoded


def write_artifact(path, data):
    """Write `data` so that `path` never holds half of it."""
    partial = Path(f"{path}.tmp")
    partial.write_bytes(data)
    partial.replace(path)
