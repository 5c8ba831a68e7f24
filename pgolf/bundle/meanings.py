"""What every name of the top level means, and what it is called in the flat module.

A name keeps its spelling unless two things have it: then one of them gets a name that the program has no word for. Which one
is decided by what they are and by their modules' names, never by the order in which modules came.
"""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from pgolf.bundle.names import IDENTIFIERS, scopes, words_of
from pgolf.bundle.source import ENTRY, Module, Statement
from pgolf.bundle.trees import copy_tree

BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__"}
RUNTIME = "pgolf.runtime."


class Meaning(NamedTuple):
    """What a global name stands for.

    Attributes:
        kind: "declared" by a module of the program, "external", "optional" (None where it is missing) or "builtin".
        where: the module that declares it, the outermost part of an external name, such as `torch`, or the whole statement
            that imports what is optional.
        name: the name there, or the rest of the external name; empty for an external module.
        called: how the program spells it.
    """

    kind: str
    where: str
    name: str
    called: str


def identity(modules: dict[str, Module], module: Module, name: str) -> Meaning | None:
    """What a global name means in a module; None if unknown."""
    if name in module.declares:
        optional = module.declares[name].optional
        return Meaning("optional", optional, name, name) if optional else Meaning("declared", module.name, name, name)
    binding = module.imports.get(name)
    if binding is None:
        return Meaning("builtin", "", name, name) if name in BUILTINS else None
    if binding.module in module.internal:
        return identity(modules, modules[binding.module], binding.name)
    # `import torch.nn as nn` and `from torch import nn` give one object.
    path = f"{binding.module}.{binding.name}".rstrip(".")
    where, _, rest = path.rpartition(".")
    return Meaning("external", where, rest, name) if where else Meaning("external", path, "", name)


class Mention(NamedTuple):
    """A global name in a reached statement."""

    name: str
    meaning: Meaning
    statement: Statement


def mentions(modules: dict[str, Module]) -> Iterator[Mention]:
    """Every global name that a reached statement declares or uses, declarations first."""
    for module in modules.values():
        for statement in module.reached():
            for name in statement.declares:
                meaning = identity(modules, module, name)
                if meaning is not None:
                    yield Mention(name, meaning, statement)
    for module in modules.values():
        for statement in module.reached():
            for name in sorted(statement.uses):
                meaning = identity(modules, module, name)
                if meaning is not None:
                    yield Mention(name, meaning, statement)


def flat_names(found: list[Mention]) -> dict[Meaning, str]:
    """The name of each meaning in the flat module, one for each."""
    by_name: dict[str, set[Meaning]] = {}
    for item in found:
        by_name.setdefault(item.meaning.called, set()).add(item.meaning)
    chosen: dict[Meaning, str] = {}
    others = {item.meaning for item in found if item.name != item.meaning.called and _is_captured(item)}
    for name in sorted(by_name):
        first, *rest = sorted(by_name[name], key=_rank)
        others.update(rest)
        chosen[first] = name
    if others:
        taken = _words(found)
        for meaning in sorted(others, key=_rank):
            chosen[meaning] = _fresh(meaning.called, taken)
            taken.add(chosen[meaning])
    return chosen


def _rank(meaning: Meaning) -> tuple[int, Meaning]:
    """Who keeps its name comes first: builtins must, the passes know the runtime's records and the entry's by name."""
    if meaning.kind == "declared":
        return (1 if meaning.where.startswith(RUNTIME) else 2 if meaning.where == ENTRY else 4), meaning
    return (0 if meaning.kind == "builtin" else 3), meaning


def _is_captured(item: Mention) -> bool:
    """Would a name that an import changed, written as it was before, mean a variable inside the statement?"""
    top = item.statement.scoped[0]
    return any(item.meaning.called in scope.bound for scope in top.walk() if scope is not top)


def _words(found: list[Mention]) -> set[str]:
    """Every word of the program that could be taken for a variable."""
    words = {*BUILTINS, *keyword.kwlist, *(item.name for item in found), *(item.meaning.called for item in found)}
    for statement in {item.statement for item in found}:
        words |= words_of(statement.scoped[0])
    return words


def _fresh(name: str, taken: set[str]) -> str:
    return next(new for number in count(2) if (new := f"{name}_{number}") not in taken)


def renamed(node: ast.stmt, names: dict[str, str]) -> ast.stmt:
    """A copy of a top-level statement with other global names, or itself where it stays as it is."""
    names = {old: new for old, new in names.items() if old != new}
    if not names:
        return node
    copied = copy_tree(node)
    for inner, scope in scopes(copied)[1].items():
        if isinstance(inner, ast.alias):
            old = inner.asname or inner.name.partition(".")[0]
            if old in names and scope.kind == "module":
                inner.asname = names[old]
            continue
        field = IDENTIFIERS.get(type(inner), "")
        old = getattr(inner, field, "") if field else ""
        if old in names and scope.resolve(old).kind == "module":
            setattr(inner, field, names[old])
    return copied
