"""Alpha equivalence: are two modules the same program up to the names of their variables and members?"""

from __future__ import annotations

import ast
from typing import Any, NoReturn

from pgolf.bundle.minify.legality import Survey, survey
from pgolf.bundle.names import IDENTIFIERS, Scope, bound_name, scopes
from pgolf.bundle.trees import ONE, SHAPES
from pgolf.bundle.visibility import EXTERNAL_NAMES
from pgolf.errors import PgolfError

Key = tuple[Scope, str]


class _Leaves(dict[type[ast.AST], tuple[str, ...]]):
    """Class of node -> its fields that hold no node worth a visit, other than those that mean nothing."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        others = {*dict(SHAPES[kind]), "ctx", "type_comment", "kind", "type_ignores"}
        self[kind] = found = tuple(name for name in kind._fields if name not in others)
        return found


_LEAVES = _Leaves()


class _Renaming:
    """A one-to-one map between the variables of two trees, found while walking both."""

    def __init__(self, old: ast.Module, new: ast.Module, found: Survey):
        self.found = found
        self.old_places = self.found.places
        _, self.new_places = scopes(new)
        self.pairs: dict[ast.AST, ast.AST] = {old: new}
        self.members: dict[str, str] = {}
        self.member_names: dict[str, str] = {}
        self.field_keywords: set[ast.AST] = set()
        self.keywords: set[str] = set()
        self.forward: dict[Key, Key] = {}
        self.backward: dict[Key, Key] = {}

    def fail(self, node: ast.AST, message: str) -> NoReturn:
        line = getattr(node, "lineno", 0)
        raise PgolfError("PG401", f"minify changed the program at line {line} of the shaken source: {message}")

    # Variables

    def same(self, node: ast.AST, old_name: str, new_node: ast.AST, new_name: str) -> None:
        """One identifier on each side: they must be the same variable."""
        old_key = self.key(self.old_places[node], old_name)
        new_key = self.key(self.new_places[new_node], new_name)
        if (
            self.forward.setdefault(old_key, new_key) != new_key
            or self.backward.setdefault(new_key, old_key) != old_key
        ):
            self.fail(node, f"{old_name!r} became {new_name!r} here and something else before")
        if self.pairs.get(old_key[0].node) is not new_key[0].node:
            self.fail(node, f"{old_name!r} moved to another scope")
        builtin = old_name not in old_key[0].bound
        if builtin and new_key[1] != old_name:
            self.fail(node, f"{old_name!r} is not defined in the program, yet renamed to {new_name!r}")
        if old_key[0].kind == "class":
            self.same_member(node, old_name, new_name)
        elif (old_key[0].node, old_name) in self.found.fixed and old_name != new_name:
            self.fail(node, f"the parameter {old_name!r} may be passed by name and became {new_name!r}")

    def same_member(self, node: ast.AST, old_name: str, new_name: str) -> None:
        """An attribute, a field or a class's own name: one name everywhere, and renamed only if it is the program's."""
        same = self.members.setdefault(old_name, new_name) == new_name
        if not same or self.member_names.setdefault(new_name, old_name) != old_name:
            self.fail(node, f"the member {old_name!r} became {new_name!r} here and something else before")
        if old_name != new_name and old_name not in self.found.own:
            self.fail(node, f"the member {old_name!r}, which is not the program's alone, became {new_name!r}")
        if old_name != new_name and old_name in self.found.inherited and new_name in EXTERNAL_NAMES:
            self.fail(node, f"the member {old_name!r} became {new_name!r}, which its class may inherit")

    def key(self, scope: Scope, name: str) -> Key:
        return scope.resolve(name), name

    # Trees

    def compare(self) -> None:
        """Go through both trees, outer nodes first."""
        (old_root, new_root), *_ = self.pairs.items()
        waiting: list[tuple[Any, Any]] = [(old_root, new_root)]
        for old, new in waiting:
            kind = old.__class__
            if kind is not new.__class__:
                self.fail(old, f"{kind.__name__} became {type(new).__name__}")
            if old is None:
                continue
            self.pairs[old] = new
            if kind is ast.Call and old.keywords:
                self.note_keywords(old)
            for field, holds in SHAPES[kind]:
                left: Any = getattr(old, field, None)
                right: Any = getattr(new, field, None)
                if holds == ONE:
                    waiting.append((left, right))
                elif len(left) != len(right):
                    self.fail(old, f"{field} has {len(right)} parts, not {len(left)}")
                else:
                    waiting += zip(left, right, strict=True)
            for field in _LEAVES[kind]:
                self.compare_leaves(old, new, field, getattr(old, field, None), getattr(new, field, None))

    def note_keywords(self, call: ast.Call) -> None:
        """Keywords are members where they are fields of a record."""
        if self.found.names_fields(call):
            self.field_keywords.update(call.keywords)
        else:
            self.keywords.update(item.arg for item in call.keywords if item.arg)

    def compare_leaves(self, old: ast.AST, new: ast.AST, field: str, left: object, right: object) -> None:
        """What is no tree: names, literals, operators."""
        if isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                self.fail(old, f"{field} has {len(right)} parts, not {len(left)}")
            for one, two in zip(left, right, strict=True):
                self.compare_leaves(old, new, field, one, two)
        elif isinstance(old, ast.alias) and field == "asname":
            self.same(old, bound_name(old) or "", new, bound_name(new) or "")
        elif isinstance(left, str) and isinstance(right, str):
            self.compare_words(old, new, field, left, right)
        # Operators, which have no fields, are one object everywhere.
        elif left is not right and (type(left), left) != (type(right), right):
            self.fail(old, f"{field} {left!r} became {right!r}")

    def compare_words(self, old: ast.AST, new: ast.AST, field: str, left: str, right: str) -> None:
        """A variable, a member, or what must be the same."""
        if isinstance(old, (ast.Global, ast.Nonlocal)) or IDENTIFIERS.get(type(old)) == field:
            self.same(old, left, new, right)
        elif self.is_member(old, field):
            self.same_member(old, left, right)
        elif left != right:
            self.fail(old, f"{field} {left!r} became {right!r}")

    def is_member(self, node: ast.AST, field: str) -> bool:
        return (isinstance(node, ast.Attribute) and field == "attr") or (node in self.field_keywords and field == "arg")


def check_renaming(old: ast.Module, new: ast.Module, found: Survey | None = None) -> None:
    """Raise unless `new` is `old` with its variables and members renamed one to one.

    Names that others see stay: keywords, parameters that someone passes by name, and members that are not the program's.
    No parameter gets the name of a keyword that it did not have.

    Args:
        found: the survey of `old`, where the caller has it.

    Raises:
        PgolfError: PG401, where they differ.
    """
    renaming = _Renaming(old, new, found or survey(old))
    renaming.compare()
    for (scope, name), (_, new_name) in renaming.forward.items():
        parameter = any(isinstance(node, ast.arg) for node in scope.bound.get(name, []))
        if parameter and name != new_name and new_name in renaming.keywords:
            raise PgolfError("PG401", f"minify renamed the parameter {name!r} to the keyword {new_name!r}")
