"""Parameter records at run time: the module tree, keyed initialisation, and banks."""

import hashlib
from typing import NamedTuple

import torch
from torch import nn


class Parameter(NamedTuple):
    """One declared tensor, or one per layer; the fields are those of the build-time record `pgolf.Param`.

    `init` is a function `(tensor, generator, ledger) -> None`, or a tuple of one per member for a bank; `plugin` is the
    one that declared the record.
    """

    name: str
    shape: tuple
    init: object
    group: str
    quant: str
    plugin: str
    layers: int = 0
    dtype: str = "float32"
    members: tuple = ()
    reduction: str = "replicated"
    tap: str = ""
    average: bool = True
    adapt: bool = True
    export: str = "yes"


class Slice(NamedTuple):
    """One canonical tensor: its name, the stored tensor and the slice of it (-1: all), its start and its record."""

    name: str
    source: str
    index: int
    init: object
    record: Parameter


class Node(nn.Module):
    """A point of the parameter tree; it holds tensors and names, and computes nothing."""


def stored_names(record):
    """State-dict names of a record's tensors."""
    return tuple(record.name.format(layer) for layer in range(record.layers)) or (record.name,)


def slices(parameters):
    """Every canonical tensor in declaration order: banks as their members, everything else as itself."""
    found = []
    for record in parameters:
        if record.members:
            count = record.shape[0] // len(record.members)
            for place, member in enumerate(record.members):
                for layer in range(count):
                    index = place * count + layer
                    found.append(Slice(member.format(layer), record.name, index, record.init[place], record))
        else:
            found += [Slice(name, name, -1, record.init, record) for name in stored_names(record)]
    return found


def grow(root, parameters, device, activation_dtype):
    """Register every declared tensor under its state-dict name, uninitialised."""
    for record in parameters:
        dtype = activation_dtype if record.dtype == "activation" else torch.float32
        for name in stored_names(record):
            *path, leaf = name.split(".")
            node = root
            for step in path:
                child = node._modules.get(step)
                if child is None:
                    child = nn.ModuleList() if step == "blocks" else Node()
                    node.add_module(step, child)
                node = child
            node.register_parameter(leaf, nn.Parameter(torch.empty(record.shape, dtype=dtype, device=device)))


def keyed_generator(seed, name):
    """A CPU generator that depends on the seed and the tensor's name alone, so ablations are paired."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))


@torch.no_grad()
def initialize(model, parameters, seed, ledger):
    """Fill every tensor from its own keyed generator; a bank's slices are keyed by their members' names."""
    tensors = dict(model.named_parameters())
    for part in slices(parameters):
        target = tensors[part.source] if part.index < 0 else tensors[part.source][part.index]
        start = torch.empty(target.shape, dtype=torch.float32)
        part.init(start, keyed_generator(seed, part.name), ledger)
        target.copy_(start)


def canonical_state(state, parameters):
    """A state dict with banks taken apart into their members, in declaration order."""
    return {
        part.name: state[part.source] if part.index < 0 else state[part.source][part.index]
        for part in slices(parameters)
    }


def stored_state(canonical, parameters):
    """The inverse of `canonical_state`: members stacked into their banks."""
    state = {}
    for part in slices(parameters):
        if part.index < 0:
            state[part.source] = canonical[part.name]
        else:
            state.setdefault(part.source, []).append(canonical[part.name])
    return {name: torch.stack(value) if isinstance(value, list) else value for name, value in state.items()}


def zeros(tensor, generator, ledger):
    """All zero."""
    tensor.zero_()


def ones(tensor, generator, ledger):
    """All one."""
    tensor.fill_(1.0)


def constant(tensor, generator, ledger, value):
    """One value everywhere."""
    tensor.fill_(value)


def normal(tensor, generator, ledger, std):
    """Normal with mean zero."""
    tensor.normal_(0.0, std, generator=generator)
