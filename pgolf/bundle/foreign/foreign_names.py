"""Shorter variable names for a script that pgolf did not build, and the proof that nothing else changed.

Only variables change: never attributes, class members, parameters, keywords, builtins or names with two underscores in
front. Two variables may share a name where no scope sees both.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import keyword
import string
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from pgolf.bundle.names import IDENTIFIERS, Scope, copy_tree, scopes
from pgolf.errors import PgolfError

LETTERS = string.ascii_lowercase + string.ascii_uppercase
BUILTINS = frozenset(dir(builtins))
Key = tuple[Scope, str]


@dataclass(eq=False)
class Variable:
    """One variable: the nodes that name it, those that bind it, and the scopes that must not see another of its name."""

    scope: Scope
    name: str
    nodes: list[ast.AST] = field(default_factory=list)
    binders: list[ast.AST] = field(default_factory=list)
    footprint: set[Scope] = field(default_factory=set)


def names_at(node: ast.AST) -> list[str]:
    """The variables that a node names."""
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return list(node.names)
    if isinstance(node, ast.alias):
        return [node.asname or node.name.partition(".")[0]]
    name = getattr(node, IDENTIFIERS[type(node)])
    return [name] if name else []


def variables(tree: ast.Module) -> dict[Key, Variable]:
    """Every variable of a module, builtins included."""
    top, places = scopes(tree)
    bound = {node for scope in top.walk() for nodes in scope.bound.values() for node in nodes}
    found: dict[Key, Variable] = {}
    for node, place in places.items():
        for name in names_at(node):
            owner = place.resolve(name)
            variable = found.setdefault((owner, name), Variable(owner, name))
            variable.nodes.append(node)
            if node in bound:
                variable.binders.append(node)
            scope: Scope | None = place
            while scope is not None:
                variable.footprint.add(scope)
                if scope is owner:
                    break
                scope = scope.parent
    return found


@dataclass(frozen=True)
class Keep:
    """What must not be renamed.

    Attributes:
        all_globals: no top-level name at all.
        names: these names, at the top level.
        functions: no function.
        everywhere: these names, in every scope.
        inside: no variable of these functions.
    """

    all_globals: bool = False
    names: Set[str] = frozenset()
    functions: bool = False
    everywhere: Set[str] = frozenset()
    inside: Set[ast.AST] = frozenset()


def rename(tree: ast.Module, keep: Keep, tagged: Set[ast.AST] = frozenset()) -> ast.Module:
    """Give variables the shortest names that are free, the most used ones first (changes the tree).

    Args:
        tree: the module.
        keep: what stays.
        tagged: functions whose names stay.
    """
    found = variables(tree)
    in_classes = {name for scope, name in found if scope.kind == "class"}
    chosen: list[Variable] = []
    fixed: list[Variable] = []
    for variable in found.values():
        free = _may_change(variable, keep, tagged) and variable.name not in in_classes
        (chosen if free else fixed).append(variable)
    taken: dict[str, set[Scope]] = {}
    for variable in fixed:
        taken.setdefault(variable.name, set()).update(variable.footprint)
    chosen.sort(key=lambda item: -len(item.nodes))
    for variable in chosen:
        name = next(name for name in short_names() if not taken.get(name, set()) & variable.footprint)
        if len(name) >= len(variable.name) and not taken.get(variable.name, set()) & variable.footprint:
            name = variable.name
        taken.setdefault(name, set()).update(variable.footprint)
        for node in variable.nodes:
            _put(node, variable.name, name)
    return tree


def short_names() -> Iterator[str]:
    """a, b, ..., Z, aa, ... without keywords and builtins."""
    for length in itertools.count(1):
        for letters in itertools.product(LETTERS, repeat=length):
            name = "".join(letters)
            if not keyword.iskeyword(name) and name not in BUILTINS:
                yield name


def _may_change(variable: Variable, keep: Keep, tagged: Set[ast.AST]) -> bool:
    name, scope = variable.name, variable.scope
    if name.startswith("__") or name in keep.everywhere or not variable.binders or scope.kind == "class":
        return False
    if any(isinstance(node, (ast.arg, ast.ClassDef)) or node in tagged for node in variable.binders):
        return False
    functions = any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in variable.binders)
    dotted = any(isinstance(node, ast.alias) and not node.asname and "." in node.name for node in variable.binders)
    if dotted or (functions and keep.functions):
        return False
    if scope.kind == "module":
        return not keep.all_globals and name not in keep.names and name not in BUILTINS
    inside: Scope | None = scope
    while inside is not None:
        if inside.node in keep.inside:
            return False
        inside = inside.parent
    return True


def _put(node: ast.AST, old: str, new: str) -> None:
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        node.names = [new if name == old else name for name in node.names]
    elif isinstance(node, ast.alias):
        node.asname = new if new != node.name else None
    else:
        setattr(node, IDENTIFIERS[type(node)], new)


def check_same(old: ast.Module, new: ast.Module) -> None:
    """Raise unless `new` is `old` with variables renamed one to one.

    Written apart from `rename`: it looks at the two trees alone, and knows nothing of how names were chosen.

    Raises:
        PgolfError: PG401.
    """
    (_, old_places), (_, new_places) = scopes(old), scopes(new)
    forward: dict[tuple[ast.AST, str], tuple[ast.AST, str]] = {}
    pairs = list(_pairs(old, new))
    twins = dict(pairs)
    for left, right in pairs:
        if left not in old_places:
            continue
        for one, two in zip(names_at(left), names_at(right), strict=True):
            before, after = old_places[left].resolve(one), new_places[right].resolve(two)
            if twins.get(before.node) is not after.node:
                raise PgolfError("PG401", f"{one!r} became {two!r} of another scope")
            if forward.setdefault((before.node, one), (after.node, two)) != (after.node, two):
                raise PgolfError("PG401", f"{one!r} has two names")
            own = set(before.bound) if before.kind == "module" else {one}
            if one != two and (before.kind == "class" or isinstance(left, ast.arg) or one in BUILTINS - own):
                raise PgolfError("PG401", f"{one!r} became {two!r}, which others can see")
    if len(set(forward.values())) != len(forward):
        raise PgolfError("PG401", "two variables became one")


def _pairs(old: ast.AST, new: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Matching nodes of two trees that differ in variables' names alone.

    Raises:
        PgolfError: PG401 where they differ otherwise.
    """
    if type(old) is not type(new):
        raise PgolfError("PG401", f"{type(old).__name__} became {type(new).__name__}")
    yield old, new
    name_field = IDENTIFIERS.get(type(old), "")
    for key in old._fields:
        left, right = getattr(old, key, None), getattr(new, key, None)
        lists = (left, right) if isinstance(left, list) and isinstance(right, list) else ([left], [right])
        if len(lists[0]) != len(lists[1]):
            raise PgolfError("PG401", f"{key} of {type(old).__name__} has another length")
        for one, two in zip(*lists, strict=True):
            if isinstance(one, ast.AST) and isinstance(two, ast.AST):
                if not isinstance(one, ast.expr_context):
                    yield from _pairs(one, two)
            elif key == name_field or (key == "asname") or isinstance(old, (ast.Global, ast.Nonlocal)):
                if (one is None) != (two is None) and key != "asname":
                    raise PgolfError("PG401", f"{key} of {type(old).__name__} was added or lost")
            elif key not in ("type_comment", "kind") and (type(one), repr(one)) != (type(two), repr(two)):
                raise PgolfError("PG401", f"{one!r:.60} became {two!r:.60}")


def renamed(tree: ast.Module, keep: Keep, inside: Set[ast.AST], tagged: Set[ast.AST]) -> ast.Module:
    """A renamed copy; `inside` and `tagged` are nodes of `tree`."""
    copied = copy_tree(tree)
    twins = dict(zip(ast.walk(tree), ast.walk(copied), strict=True))
    keep = Keep(keep.all_globals, keep.names, keep.functions, keep.everywhere, {twins[node] for node in inside})
    return rename(copied, keep, {twins[node] for node in tagged})
