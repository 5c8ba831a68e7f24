"""Alpha equivalence: are two modules the same program up to the names of their variables?

The second may also begin with `SHORT = builtin` lines, and its functions with `short = parameter` lines: that is how
python-minifier shortens what cannot be renamed in place.
"""

from __future__ import annotations

import ast
from typing import NoReturn

from pgolf.bundle.names import FUNCTIONS, Scope, scopes
from pgolf.errors import PgolfError

Key = tuple[Scope, str]


class _Renaming:
    """A one-to-one map between the variables of two trees, found while walking both."""

    def __init__(self, old: ast.Module, new: ast.Module):
        self.old_scope, self.old_places = scopes(old)
        self.new_scope, self.new_places = scopes(new)
        self.pairs: dict[ast.AST, ast.AST] = {old: new}
        self.aliases: dict[Key, str] = {}
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
        # A short name stands for the parameter or the builtin that it was set to.
        if new_key in self.aliases:
            new_key = (new_key[0], self.aliases[new_key])
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

    def key(self, scope: Scope, name: str) -> Key:
        return scope.resolve(name), name

    # Trees

    def walk(self, old: ast.AST, new: ast.AST) -> None:
        if type(old) is not type(new):
            self.fail(old, f"{type(old).__name__} became {type(new).__name__}")
        self.pairs[old] = new
        if isinstance(new, (ast.Module, *FUNCTIONS)) and not isinstance(new, ast.Lambda):
            self.take_aliases(old, new)
        for field in old._fields:
            self.compare(old, new, field, getattr(old, field, None), getattr(new, field, None))

    def take_aliases(self, old: ast.AST, new: ast.AST) -> None:
        """Remove the `short = name` lines that were added in front."""
        assert isinstance(old, (ast.Module, *FUNCTIONS)) and isinstance(new, (ast.Module, *FUNCTIONS))
        assert isinstance(old.body, list) and isinstance(new.body, list)
        scope = next(item for item in self.new_scope.walk() if item.node is new)
        for node in new.body[: len(new.body) - len(old.body)]:
            assert isinstance(node, ast.stmt)
            target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
            value = node.value if isinstance(node, ast.Assign) else None
            if not isinstance(target, ast.Name) or not isinstance(value, ast.Name):
                self.fail(old, f"{ast.unparse(node)!r} was added")
            short, name = target.id, value.id
            if isinstance(new, ast.Module):
                valid = name not in scope.bound
            else:
                valid = any(isinstance(item, ast.arg) for item in scope.bound.get(name, []))
            if not valid or (scope, short) in self.aliases:
                self.fail(old, f"{ast.unparse(node)!r} was added")
            self.aliases[scope, short] = name
        self.check_unread(scope, new)

    def check_unread(self, scope: Scope, new: ast.AST) -> None:
        """A short name is a second variable, so the first must not be used beside it."""
        for (owner, short), name in self.aliases.items():
            if owner is scope and not isinstance(new, ast.Module):
                reads = [n for s in scope.walk() for n in s.reads.get(name, []) if s.resolve(name) is scope]
                if len(reads) != 1 or len(scope.bound[name]) != 1:
                    self.fail(new, f"{name!r} is used beside its short name {short!r}")

    def compare(self, old: ast.AST, new: ast.AST, field: str, left: object, right: object) -> None:
        if field == "body" and isinstance(left, list) and isinstance(right, list):
            right = right[len(right) - len(left) :] if len(right) >= len(left) else right
        if isinstance(left, list) and isinstance(right, list):
            if isinstance(old, (ast.Global, ast.Nonlocal)):
                for one, two in zip(left, right, strict=True):
                    self.same(old, one, new, two)
                return
            if len(left) != len(right):
                self.fail(old, f"{field} has {len(right)} parts, not {len(left)}")
            for one, two in zip(left, right, strict=True):
                self.compare(old, new, field, one, two)
        elif isinstance(left, ast.AST) and isinstance(right, ast.AST):
            self.walk(left, right)
        elif isinstance(left, str) and isinstance(right, str) and _is_identifier(old, field):
            self.same(old, left, new, right)
        elif isinstance(old, ast.alias) and field == "asname":
            self.same(old, old.asname or old.name.partition(".")[0], new, _bound(new))
        elif field not in ("ctx", "type_comment", "kind") and (type(left), left) != (type(right), right):
            self.fail(old, f"{field} {left!r} became {right!r}")


def _bound(node: ast.AST) -> str:
    assert isinstance(node, ast.alias)
    return node.asname or node.name.partition(".")[0]


IDENTIFIERS = {
    ast.Name: "id",
    ast.arg: "arg",
    ast.FunctionDef: "name",
    ast.AsyncFunctionDef: "name",
    ast.ClassDef: "name",
    ast.ExceptHandler: "name",
    ast.MatchAs: "name",
    ast.MatchStar: "name",
    ast.MatchMapping: "rest",
}


def _is_identifier(node: ast.AST, field: str) -> bool:
    return IDENTIFIERS.get(type(node)) == field


def check_renaming(old: ast.Module, new: ast.Module) -> None:
    """Raise unless `new` is `old` with its variables renamed one to one.

    Names that others see stay: attributes, keywords, class members, and parameters that can be passed by name.

    Raises:
        PgolfError: PG401, where they differ.
    """
    renaming = _Renaming(old, new)
    renaming.walk(old, new)
    for (scope, name), (_, new_name) in renaming.forward.items():
        if scope.kind == "class" and name != new_name:
            raise PgolfError("PG401", f"minify renamed the class member {name!r} to {new_name!r}")
        for node in scope.bound.get(name, []):
            if isinstance(node, ast.arg) and name != new_name and _by_keyword(scope, node):
                raise PgolfError("PG401", f"minify renamed the parameter {name!r} to {new_name!r}")


def _by_keyword(scope: Scope, parameter: ast.arg) -> bool:
    """Can a caller pass this parameter by name? The `self` or `cls` of a method is taken not to be."""
    function = scope.node
    assert isinstance(function, FUNCTIONS)
    arguments = function.args
    method = scope.parent is not None and scope.parent.kind == "class" and isinstance(function, ast.FunctionDef)
    bare = method and all(ast.unparse(item) == "classmethod" for item in getattr(function, "decorator_list", []))
    own = bare and not arguments.posonlyargs and parameter is arguments.args[0] if arguments.args else False
    return parameter in arguments.kwonlyargs or (parameter in arguments.args and not own)
