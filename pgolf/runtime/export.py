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

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_tensors


def exported_recipes(parameters, program):
    """canonical name -> recipe of the tensors that an artifact holds, in declaration order."""
    return {
        name: program.tensor_recipes[record.quant]
        for name, _, record in canonical_tensors(parameters)
        if record.export != "drop"
    }


def encode_model(state, parameters, program, hessians, ledger):
    """Quantize a canonical state.

    Args:
        state: canonical name -> tensor.
        hessians: canonical name -> input statistics, for tensors that have any; {} without calibration.

    Returns:
        canonical name -> parts on the CPU, fitted to the budget where a `fit` component is chosen.
    """
    encoded = {}
    for name, recipe in exported_recipes(parameters, program).items():
        parts = recipe.encode(state[name], hessians.get(name), ledger)
        encoded[name] = {key: value.cpu() for key, value in parts.items()}
    if program.fit is not None:
        encoded = program.fit(encoded, functools.partial(packed_bytes, program), ledger)
    return encoded


def packed_bytes(program, encoded):
    """Size of the artifact that `encoded` would give, in bytes."""
    return len(pack_artifact(encoded, program, Ledger()))


def pack_artifact(encoded, program, ledger):
    """Encoded tensors as the bytes that are stored and counted."""
    return program.entropy_coder.compress(program.stream_layout.pack(encoded, ledger), ledger)


def unpack_artifact(data, state, program):
    """The inverse of `pack_artifact`.

    Nothing may grow past eight bytes per element of `state` plus 4 KiB per tensor and 1 MiB in all.

    Raises:
        ValueError: when the bytes are damaged, cut short or too large once decompressed.
    """
    limit = 2**20 + sum(8 * tensor.numel() + 4096 for tensor in state.values())
    try:
        return program.stream_layout.unpack(program.entropy_coder.decompress(data, limit))
    except Exception as error:
        raise ValueError(f"the artifact cannot be read: {error}") from error


def decode_model(encoded, state, parameters, program):
    """Copy what an artifact stands for into `state`, the canonical state of the model to be filled.

    Raises:
        ValueError: when names or shapes are not those of the model.
    """
    recipes = exported_recipes(parameters, program)
    if encoded.keys() != recipes.keys():
        raise ValueError("the artifact's tensors are not the model's")
    for name, recipe in recipes.items():
        tensor = recipe.decode(encoded[name], state[name].dtype)
        if tensor.shape != state[name].shape:
            raise ValueError(f"{name}: shape {[*tensor.shape]}, wanted {[*state[name].shape]}")
        state[name].copy_(tensor)
