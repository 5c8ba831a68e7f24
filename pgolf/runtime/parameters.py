"""Parameter records at run time: the module tree, keyed initialisation, and banks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from torch import Tensor

    from pgolf.contracts.architecture import Initializer
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.records import Param


def canonical_names(record: Param, name: str) -> tuple[str, ...]:
    """Canonical names of what the stored tensor `name` holds: a bank's members along its first axis, else itself."""
    if not record.members:
        return (name,)
    layers = range(record.shape[0] // len(record.members))
    return tuple(member.format(layer) for member in record.members for layer in layers)


def canonical_tensors(parameters: Sequence[Param]) -> list[tuple[str, Initializer, Param]]:
    """(name, init, record) of every canonical tensor in declaration order: banks as their members, all else as itself."""
    found = []
    for record in parameters:
        if record.members:
            layers = range(record.shape[0] // len(record.members))
            for member, init in zip(record.members, record.init, strict=True):
                found += [(member.format(layer), init, record) for layer in layers]
        else:
            found += [(name, record.init, record) for name in record.stored_names()]
    return found


def matrix_role(name: str, outside: str) -> tuple[str, int]:
    """("attn.c_q", 3) for "blocks.3.attn.c_q.weight"; (outside, 0) for a tensor that is no weight of a block."""
    if name.startswith("blocks.") and name.endswith(".weight"):
        layer, role = name[len("blocks.") : -len(".weight")].split(".", 1)
        return role, int(layer)
    return outside, 0


def register_parameters(
    root: nn.Module, parameters: Sequence[Param], device: torch.device, activation_dtype: torch.dtype
) -> None:
    """Register every declared tensor under its state-dict name, uninitialised; a point of the tree computes nothing."""
    for record in parameters:
        dtype = activation_dtype if record.dtype == "activation" else torch.float32
        for name in record.stored_names():
            *path, leaf = name.split(".")
            node: Any = root
            for step in path:
                if step not in node._modules:
                    node.add_module(step, nn.ModuleList())
                node = node._modules[step]
            node.register_parameter(leaf, nn.Parameter(torch.empty(record.shape, dtype=dtype, device=device)))


def keyed_generator(seed: int, name: str) -> torch.Generator:
    """A CPU generator that depends on the seed and the tensor's name alone, so ablations are paired."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))


def initialize(model: nn.Module, parameters: Sequence[Param], seed: int, ledger: Ledger) -> None:
    """Fill every tensor from its own keyed generator; a bank's slices are keyed by their members' names."""
    state = canonical_state(model.state_dict(), parameters)
    for name, init, _ in canonical_tensors(parameters):
        start = torch.empty(state[name].shape)
        init(start, keyed_generator(seed, name), ledger)
        state[name].copy_(start)


def canonical_state(state: Mapping[str, Tensor], parameters: Sequence[Param]) -> dict[str, Tensor]:
    """A state dict with banks taken apart into their members, in declaration order; its tensors are views."""
    tensors: list[Tensor] = []
    for record in parameters:
        for name in record.stored_names():
            tensors += state[name].unbind() if record.members else [state[name]]
    return {name: tensor for (name, _, _), tensor in zip(canonical_tensors(parameters), tensors, strict=True)}


def zeros(tensor: Tensor, generator: torch.Generator, ledger: Ledger) -> None:
    """All zero."""
    tensor.zero_()


def ones(tensor: Tensor, generator: torch.Generator, ledger: Ledger) -> None:
    """All one."""
    tensor.fill_(1.0)


def constant(tensor: Tensor, generator: torch.Generator, ledger: Ledger, value: float) -> None:
    """One value everywhere."""
    tensor.fill_(value)


def normal(tensor: Tensor, generator: torch.Generator, ledger: Ledger, std: float) -> None:
    """Normal with mean zero."""
    tensor.normal_(0.0, std, generator=generator)
