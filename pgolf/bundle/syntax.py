"""Questions about the shape of a definition, a call or an assignment, answered by its own tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pgolf.bundle.names import FunctionNode, Scope, bound_name
from pgolf.bundle.source import last_name
from pgolf.bundle.trees import walk

Pair = tuple[ast.expr, ast.expr]
"""A target and what it is given."""
DECORATORS = (
    *("staticmethod", "classmethod", "property", "no_grad", "inference_mode", "enable_grad", "contextmanager", "cache"),
    *("lru_cache", "cached_property", "setter", "dataclass"),
)
"""Decorators that pass arguments on as they come."""


# Statements


def is_docstring(node: ast.stmt) -> bool:
    """A literal on its own."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_idle_line(node: ast.stmt) -> bool:
    """A docstring or `pass`."""
    return isinstance(node, ast.Pass) or is_docstring(node)


def is_main_block(node: ast.stmt) -> bool:
    """`if __name__ == "__main__":` without an else."""
    return isinstance(node, ast.If) and not node.orelse and ast.unparse(node.test) == "__name__ == '__main__'"


# Classes


def methods_of(node: ast.ClassDef) -> list[ast.FunctionDef]:
    """The functions in a class's body."""
    return [line for line in node.body if isinstance(line, ast.FunctionDef)]


def is_record(node: ast.ClassDef) -> bool:
    """A NamedTuple or a dataclass."""
    bases = [last_name(base) for base in node.bases]
    return bases == ["NamedTuple"] or "dataclass" in [last_name(mark) for mark in node.decorator_list]


def field_name(line: ast.stmt) -> str:
    """The field that a line of a record's class declares, or an empty string."""
    return line.target.id if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) else ""


def field_names(node: ast.ClassDef) -> tuple[str, ...]:
    """The fields that a record declares."""
    return tuple(name for name in map(field_name, node.body) if name)


def bases_from(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> tuple[set[str], bool]:
    """The classes of the program that a class inherits from, and whether anything else than NamedTuple makes it its own.

    An unknown decorator gets the class, and may keep it.
    """
    names = {last_name(base) for base in node.bases} - {"NamedTuple"}
    marked = any(last_name(mark) != "dataclass" for mark in node.decorator_list)
    return names & set(classes), marked or bool(node.keywords) or not names <= set(classes)


def member_names(line: ast.stmt) -> list[str]:
    """Members that a line of a class's body gives it."""
    if isinstance(line, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [line.name]
    return [node.id for node in walk(line) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def is_static(method: FunctionNode) -> bool:
    """Does a method get something else than its object as its first argument?"""
    marks = [last_name(mark) for mark in getattr(method, "decorator_list", [])]
    return "staticmethod" in marks or "classmethod" in marks


def binds_self(method: FunctionNode, scope: Scope | None = None) -> bool:
    """Does a method, whose scope may be known, get its object as first parameter, and is that name bound nowhere else below?"""
    if not method.args.args or method.args.posonlyargs or is_static(method):
        return False
    first = method.args.args[0].arg
    if scope is not None:
        return sum(len(inner.bound.get(first, ())) for inner in scope.walk()) == 1
    words = [node for node in walk(method) if node.__class__ is not ast.Name or node.id == first]  # type: ignore[attr-defined]
    return sum(bound_name(node) == first for node in words) == 1


def own_stores(node: ast.ClassDef) -> Iterator[ast.Attribute]:
    """`self.x` as a target, in a method whose `self` is never anything else."""
    for method in methods_of(node):
        stored = [one for one in walk(method) if isinstance(one, ast.Attribute) and not isinstance(one.ctx, ast.Load)]
        if stored and binds_self(method):
            first = method.args.args[0].arg
            yield from (target for target in stored if isinstance(target.value, ast.Name) and target.value.id == first)


# Calls


@dataclass(frozen=True)
class Signature:
    """The parameters of a function that its calls give.

    Attributes:
        positional: those that may be given by position, in order.
        names: all that may be given by name.
        defaults: parameter -> default.
        more: whether any further arguments by position, and by name, are taken.
    """

    positional: tuple[str, ...]
    names: tuple[str, ...]
    defaults: dict[str, ast.expr]
    more: tuple[bool, bool] = (False, False)

    @classmethod
    def of(cls, function: FunctionNode, skipped: int = 0) -> Signature:
        """What calls that do not give the first `skipped` parameters have to give."""
        arguments = function.args
        placed = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
        defaults = dict(zip(placed[len(placed) - len(arguments.defaults) :], arguments.defaults, strict=True))
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if default is not None:
                defaults[argument.arg] = default
        by_name = [argument.arg for argument in (*arguments.args, *arguments.kwonlyargs)]
        by_name = by_name[max(skipped - len(arguments.posonlyargs), 0) :]
        more = arguments.vararg is not None, arguments.kwarg is not None
        return cls(tuple(placed[skipped:]), tuple(by_name), defaults, more)

    def takes(self, call: ast.Call) -> bool:
        """Does a call fit the parameters? Unknown numbers of arguments fit."""
        return hides_arguments(call) or self.fits(call)

    def fits(self, call: ast.Call) -> bool:
        """Does a call that hides nothing fit the parameters?"""
        keywords, placed = {str(word.arg) for word in call.keywords}, self.positional[: len(call.args)]
        return (
            (len(call.args) <= len(self.positional) or self.more[0])
            and (self.more[1] or keywords.issubset(self.names))
            and keywords.isdisjoint(placed)
            and self._needed <= keywords.union(placed)
        )

    @cached_property
    def _needed(self) -> set[str]:
        """What each call must give."""
        return {*self.positional, *self.names}.difference(self.defaults)

    def given(self, call: ast.Call, name: str) -> ast.expr | None:
        """What a call that hides nothing gives for a parameter; None where it leaves it to the default."""
        place = self.positional.index(name) if name in self.positional else len(call.args)
        placed = call.args[place] if place < len(call.args) else None
        return next((word.value for word in call.keywords if word.arg == name), placed)

    def bound(self, call: ast.Call) -> dict[str | None, ast.expr]:
        """Parameter -> what a call gives for it."""
        found: dict[str | None, ast.expr] = dict(zip(self.positional, call.args, strict=False))
        found.update((word.arg, word.value) for word in call.keywords)
        return found


def hides_arguments(call: ast.Call) -> bool:
    """Do stars hide what a call gives?"""
    if call.keywords and any(word.arg is None for word in call.keywords):
        return True
    return any(value.__class__ is ast.Starred for value in call.args)


def drop_parameter(arguments: ast.arguments, name: str) -> None:
    """Remove a parameter and its default."""
    for place, argument in enumerate(arguments.args):
        if argument.arg == name:
            default = place - (len(arguments.args) - len(arguments.defaults))
            if default >= 0:
                del arguments.defaults[default]
            del arguments.args[place]
            return
    for place, argument in enumerate(arguments.kwonlyargs):
        if argument.arg == name:
            del arguments.kwonlyargs[place], arguments.kw_defaults[place]
            return


# Assignments


def pairs(node: ast.stmt) -> list[Pair]:
    """The (target, value) of a plain assignment, or those of a tuple to a tuple; nothing for any other statement."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return []
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        starred = any(isinstance(part, ast.Starred) for part in (*target.elts, *value.elts))
        return [] if starred else list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


def assignment(kept: list[Pair], like: ast.stmt) -> ast.stmt:
    """An assignment of these values to these targets, in the place of another statement."""
    if not kept:
        return ast.copy_location(ast.Pass(), like)
    if len(kept) == 1:
        target, value = kept[0]
    else:
        target = ast.Tuple(elts=[one for one, _ in kept], ctx=ast.Store())
        value = ast.Tuple(elts=[one for _, one in kept], ctx=ast.Load())
    return ast.copy_location(ast.Assign(targets=[target], value=value), like)
