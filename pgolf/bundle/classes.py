"""What a class statement says: the members that it defines, its bases, and which methods get their object."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from pgolf.bundle.names import FunctionNode, bound_name
from pgolf.bundle.source import last_name
from pgolf.bundle.trees import walk

DECORATORS = (
    *("staticmethod", "classmethod", "property", "no_grad", "inference_mode", "enable_grad", "contextmanager", "cache"),
    *("lru_cache", "cached_property", "setter", "dataclass"),
)
"""Decorators that pass arguments on as they come."""


def is_record(node: ast.ClassDef) -> bool:
    """A NamedTuple or a dataclass."""
    bases = [last_name(base) for base in node.bases]
    return bases == ["NamedTuple"] or "dataclass" in [last_name(mark) for mark in node.decorator_list]


def field_names(node: ast.ClassDef) -> tuple[str, ...]:
    """The fields that a record declares."""
    return tuple(
        line.target.id for line in node.body if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    )


def bases_from(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> tuple[set[str], bool]:
    """The classes of the program that a class inherits from, and whether anything else than NamedTuple makes it its own.

    An unknown decorator gets the class, and may keep it.
    """
    names = {last_name(base) for base in node.bases} - {"NamedTuple"}
    marked = any(last_name(mark) != "dataclass" for mark in node.decorator_list)
    return names & set(classes), marked or bool(node.keywords) or not names <= set(classes)


def member_names(node: ast.stmt) -> list[str]:
    """Members that a line of a class's body gives it."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [node.name]
    return [name.id for name in walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)]


def is_static(method: FunctionNode) -> bool:
    """Does a method get something else than its object as its first argument?"""
    marks = [last_name(mark) for mark in getattr(method, "decorator_list", [])]
    return "staticmethod" in marks or "classmethod" in marks


def binds_self(method: FunctionNode) -> bool:
    """Does a method get its object as first parameter, and is that name bound nowhere else below it?"""
    if not method.args.args or method.args.posonlyargs or is_static(method):
        return False
    first = method.args.args[0].arg
    return sum(bound_name(node) == first for node in walk(method)) == 1


def own_stores(node: ast.ClassDef) -> Iterator[ast.Attribute]:
    """`self.x` as a target, in a method whose `self` is never anything else."""
    for method in node.body:
        if not isinstance(method, ast.FunctionDef):
            continue
        stored = [
            target
            for target in walk(method)
            if isinstance(target, ast.Attribute) and not isinstance(target.ctx, ast.Load)
        ]
        if stored and binds_self(method):
            first = method.args.args[0].arg
            yield from (target for target in stored if isinstance(target.value, ast.Name) and target.value.id == first)
