"""The whole state of a program's components as plain data, and back into the components of another process.

Components are ordinary objects; what training changes in them is found by walking their attributes, so plugins need no code
for it. Kept are numbers, texts, tensors (what shares memory shares it again), arrays, memory maps (by file and place),
generators, lists, dicts, and objects of plugins. Code, the model and the process group are not state: what is there stays.
Anything that is none of these is refused by its path: a state that is not whole is worth nothing.

    capture   object -> (tag, ...) of numbers, texts and tensors, which `torch.load(weights_only=True)` reads
    restore   the same into what a new process has made: in place where an object is there, else made anew
"""

from __future__ import annotations

import collections
import functools
import mmap
import random
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

PLAIN = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device)
SEQUENCES = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "deque": collections.deque}
CODE = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType, type, torch.nn.Module)
KEPT_MODULES = ("torch._dynamo", "torch._C", "torch.cuda", "torch.distributed", "torch.nn.attention", "sentencepiece")
"""Classes of these hold compiled code, streams, finished collectives and masks: made again where they are wanted."""
KEPT_NAMES = ("Program", "Session", "World", "RunLog", "Stages")
"""Classes of the runtime that belong to the process."""
HEAP_TYPE = 1 << 9
"""Flag of a class that a `class` statement has made."""
Node = tuple[Any, ...]


class Capture:
    """Turns objects into plain data; one for all objects that may share something.

    Args:
        model: name -> tensor of the model, which are kept apart and named here.

    Attributes:
        storages: memory of every tensor, as flat bytes on the CPU.
    """

    def __init__(self, model: Mapping[str, torch.Tensor]) -> None:
        self.of_model = {tensor.untyped_storage().data_ptr(): name for name, tensor in model.items()}
        self.own = {id(tensor): name for name, tensor in model.items()}
        self.seen: dict[int, int] = {}
        self.alive: list[Any] = []
        self.places: dict[int, int] = {}
        self.storages: list[torch.Tensor] = []

    def node(self, found: Any, path: str) -> Node:
        """The data of an object; `path` is for errors.

        Raises:
            ValueError: for what cannot be kept.
        """
        if isinstance(found, np.generic):
            return ("array", torch.from_numpy(np.array(found)), "scalar")
        if isinstance(found, PLAIN):
            return ("=", found)
        if isinstance(found, Path):
            return ("path", str(found))
        if isinstance(found, torch.Tensor):
            return self.tensor(found)
        if isinstance(found, CODE) or is_kept(found):
            return ("kept",)
        if id(found) in self.seen:
            return ("again", self.seen[id(found)])
        number = self.seen[id(found)] = len(self.seen)
        self.alive.append(found)  # an id is of one object only as long as it lives
        return (*self.compound(found, path), number)

    def tensor(self, found: torch.Tensor) -> Node:
        """By name where it is of the model, else by its place in a storage."""
        if id(found) in self.own:
            return ("model", self.own[id(found)])
        storage = found.untyped_storage()
        place = (found.dtype, tuple(found.size()), found.stride(), found.storage_offset())
        if storage.nbytes() and storage.data_ptr() in self.of_model:
            return ("model", self.of_model[storage.data_ptr()], *place)
        # Storages without bytes share an address.
        key = storage.data_ptr() or -len(self.storages) - 1
        if key not in self.places:
            self.places[key] = len(self.storages)
            flat = torch.empty(0, dtype=torch.uint8, device=found.device).set_(storage)
            self.storages.append(flat.cpu() if flat.device.type != "cpu" else flat.clone())
            self.alive.append(storage)
        return ("tensor", self.places[key], *place, str(found.device.type))

    def compound(self, found: Any, path: str) -> Node:
        """What has parts, and generators."""
        if isinstance(found, np.ndarray):
            return array_node(found)
        if isinstance(found, np.random.Generator):
            return ("numpy generator", self.node(found.bit_generator.state, path))
        if isinstance(found, torch.Generator):
            return ("torch generator", found.get_state())
        if isinstance(found, random.Random):
            return ("python generator", self.node(found.getstate(), path))
        if isinstance(found, torch.optim.Optimizer):
            return ("optimizer", self.node(dict(found.state), path + ".state"), self.node(found.param_groups, path))
        if isinstance(found, dict):
            pairs = [
                (self.node(key, path), self.node(value, f"{path}[{str(key)[:40]!r}]")) for key, value in found.items()
            ]
            return ("dict", pairs, type(found).__name__)
        if isinstance(found, tuple) and hasattr(found, "_fields"):
            return (
                "record",
                [self.node(getattr(found, name), f"{path}.{name}") for name in found._fields],
                *named(found),
            )
        for tag, kind in SEQUENCES.items():
            if type(found) is kind:
                return (tag, [self.node(value, f"{path}[{place}]") for place, value in enumerate(found)])
        if isinstance(found, functools.partial):
            return ("partial", self.node([*found.args], path), self.node(found.keywords, path))
        if is_ordinary(type(found)):
            pairs = [(name, self.node(value, f"{path}.{name}")) for name, value in vars(found).items()]
            return ("object", pairs, *named(found))
        raise ValueError(
            f"{path} is a {type(found).__module__}.{type(found).__qualname__}, which no checkpoint can keep"
        )


def is_kept(found: Any) -> bool:
    """Does it belong to the process, or is it code?"""
    kind = type(found)
    if isinstance(found, torch.Generator):
        return False
    return kind.__module__.startswith(KEPT_MODULES) or (
        kind.__module__.startswith("pgolf.runtime.") and kind.__name__ in KEPT_NAMES
    )


def is_ordinary(kind: type) -> bool:
    """Is all that its objects hold in their attributes? Not of classes of libraries, or that are written in C."""
    places = {one.__module__.split(".")[0] for one in kind.__mro__ if one is not object} - {"typing", "abc"}
    python = all(one.__flags__ & HEAP_TYPE for one in kind.__mro__ if one is not object)
    libraries = {"torch", "numpy", "sentencepiece"} | set(sys.stdlib_module_names) - {"__main__"}
    return python and not places & libraries and "__slots__" not in vars(kind)


def named(found: Any) -> tuple[str, str]:
    """Where its class is found."""
    return type(found).__module__, type(found).__qualname__


def array_node(found: np.ndarray) -> Node:
    """The numbers; of a stretch of a mapped file, the file and the place."""
    root: Any = found
    while isinstance(root.base, np.ndarray):
        root = root.base
    if isinstance(root.base, mmap.mmap) and found.flags.c_contiguous and getattr(root, "filename", None):
        start = root.offset + found.__array_interface__["data"][0] - root.__array_interface__["data"][0]
        return ("map", str(root.filename), found.dtype.str, list(found.shape), int(start))
    if found.dtype.hasobject or found.dtype.kind not in "biufc":
        raise ValueError(f"an array of {found.dtype} cannot be kept in a checkpoint")
    whole = np.ascontiguousarray(found)
    return (
        "array",
        torch.from_numpy(whole.view(np.uint8).copy() if whole.size else np.zeros(0, np.uint8)),
        found.dtype.str,
        list(found.shape),
    )


class Restore:
    """Puts plain data back.

    Args:
        model: name -> tensor of the model, already with its numbers.
        storages: those of the capture.
    """

    def __init__(self, model: Mapping[str, torch.Tensor], storages: Sequence[torch.Tensor]) -> None:
        self.model = model
        self.storages = storages
        self.placed: dict[int, torch.Tensor] = {}
        self.made: dict[int, Any] = {}

    def value(self, node: Node, present: Any = None) -> Any:
        """The object; `present` is what is at its place now, and is changed and returned where it can be."""
        tag = node[0]
        if tag == "=":
            return node[1]
        if tag == "path":
            return Path(node[1])
        if tag == "model":
            tensor = self.model[node[1]]
            return tensor if len(node) == 2 else placed(tensor.untyped_storage(), tensor.device, *node[2:])
        if tag == "tensor":
            return self.tensor(node, present)
        if tag == "kept":
            return present
        if tag == "array" and node[-1] == "scalar":
            return node[1].numpy()[()]
        number = node[-1]
        if tag == "again":
            return self.made[number]
        return self.compound(node, present, number)

    def tensor(self, node: Node, present: Any) -> torch.Tensor:
        """Into the memory that is there, if it is alike and nobody has had it yet."""
        _, number, dtype, size, stride, offset, device = node
        flat = self.storages[number]
        alike = (
            isinstance(present, torch.Tensor)
            and (present.dtype, tuple(present.size()), present.stride(), present.storage_offset())
            == (dtype, size, stride, offset)
            and present.untyped_storage().nbytes() == flat.numel()
        )
        if number not in self.placed:
            target = present.untyped_storage() if alike else None
            where = present.device if alike else torch.device(device)
            mine = torch.empty(0, dtype=torch.uint8, device=where)
            self.placed[number] = mine.set_(target) if target is not None else torch.empty_like(flat, device=where)
            self.placed[number].copy_(flat)
        memory = self.placed[number]
        if alike and present.untyped_storage().data_ptr() == memory.untyped_storage().data_ptr():
            return present  # type: ignore[no-any-return]
        return placed(memory.untyped_storage(), memory.device, dtype, size, stride, offset)

    def compound(self, node: Node, present: Any, number: int) -> Any:
        """What has parts; it is known before its parts are made, which may lead back to it."""
        tag = node[0]
        if tag == "object":
            _, pairs, module, name, _ = node
            found = present if present is not None and named(present) == (module, name) else new_object(module, name)
            self.made[number] = found
            for key in [key for key in vars(found) if key not in dict(pairs)]:
                delattr(found, key)
            for key, value in pairs:
                object.__setattr__(found, key, self.value(value, getattr(found, key, None)))
            return found
        if tag == "dict":
            return self.filled(node[1], node[2], present, number)
        if tag == "list":
            found = present if type(present) is list else []
            self.made[number] = found
            before = [*found]
            found[:] = [self.value(value, at(before, place)) for place, value in enumerate(node[1])]
            return found
        self.made[number] = found = self.whole(node, present)
        return found

    def whole(self, node: Node, present: Any) -> Any:
        """What is made with its parts, and never leads back to itself."""
        tag = node[0]
        if tag == "record":
            kind = type(present) if present is not None and named(present) == node[2:4] else find_class(*node[2:4])
            return kind(*[self.value(value, at(present, place)) for place, value in enumerate(node[1])])
        if tag in SEQUENCES:
            before: list[Any] = (
                [*present] if type(present) is SEQUENCES[tag] and tag not in ("set", "frozenset") else []
            )
            return SEQUENCES[tag](self.value(value, at(before, place)) for place, value in enumerate(node[1]))
        if tag == "array":
            return node[1].numpy().view(np.dtype(node[2])).reshape(node[3]).copy()
        if tag == "map":
            _, name, dtype, shape, start, _ = node
            return (
                np.memmap(name, np.dtype(dtype), "r", start, tuple(shape)) if 0 not in shape else np.zeros(shape, dtype)
            )
        if tag == "numpy generator":
            state = self.value(node[1])
            generator = present if isinstance(present, np.random.Generator) else new_generator(state["bit_generator"])
            generator.bit_generator.state = state
            return generator
        if tag == "torch generator":
            other = present if isinstance(present, torch.Generator) else torch.Generator()
            other.set_state(node[1])
            return other
        if tag == "python generator":
            chance = present if isinstance(present, random.Random) else random.Random()
            chance.setstate(self.value(node[1]))
            return chance
        return self.bound(node, present)

    def bound(self, node: Node, present: Any) -> Any:
        """Optimizers and partial functions, which are there already: `bind` has made them."""
        if present is None:
            raise ValueError(f"the checkpoint has state for a {node[0]} that is not here")
        if node[0] == "optimizer":
            state = self.value(node[1], dict(present.state))
            present.state.clear()
            present.state.update(state)
            self.value(node[2], present.param_groups)
        else:
            self.value(node[1], [*present.args])
            self.value(node[2], present.keywords)
        return present

    def filled(self, pairs: Sequence[tuple[Node, Node]], kind: str, present: Any, number: int) -> Any:
        """A dict in the order of the capture; entries that were only kept, and are not here, stay away."""
        found = present if type(present).__name__ == kind else {}
        if type(found).__name__ != kind:
            raise ValueError(f"the checkpoint has state for a {kind} that is not here")
        self.made[number] = found
        before = dict(found)
        found.clear()
        for key_node, value_node in pairs:
            key = self.value(key_node)
            if value_node[0] != "kept" or key in before:
                found[key] = self.value(value_node, before.get(key))
        return found


def at(present: Any, place: int) -> Any:
    """The part at a place, None beyond the end."""
    return present[place] if isinstance(present, (list, tuple)) and place < len(present) else None


def placed(
    storage: torch.UntypedStorage,
    device: torch.device,
    dtype: torch.dtype,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    offset: int,
) -> torch.Tensor:
    """A tensor in a storage."""
    return torch.empty(0, dtype=dtype, device=device).set_(storage, offset, size, stride)  # type: ignore[call-overload, no-any-return]


def find_class(module: str, name: str) -> Any:
    """A class by where it is, of a module that the program has imported."""
    found: Any = sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part)
    return found


def new_object(module: str, name: str) -> Any:
    """An instance without attributes."""
    kind = find_class(module, name)
    return kind.__new__(kind)


def new_generator(name: str) -> np.random.Generator:
    """With a bit generator of this class."""
    return np.random.Generator(getattr(np.random, name)())
