"""The proof that renaming changed nothing else. It knows nothing of how names were chosen: it looks at two trees alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pgolf.bundle.names import IDENTIFIERS, scopes
from pgolf.errors import PgolfError
from pgolf.repack.rename import BUILTINS, names_at


def check_same(old: ast.Module, new: ast.Module) -> None:
    """Raise unless `new` is `old` with variables renamed one to one.

    Written apart from `rename`: it looks at the two trees alone, and knows nothing of how names were chosen.

    Raises:
        PgolfError: PG401.
    """
    (_, old_places), (_, new_places) = scopes(old), scopes(new)
    forward: dict[tuple[ast.AST, str], tuple[ast.AST, str]] = {}
    pairs = list(_pairs(old, new))
    keywords = {node.arg for node in ast.walk(old) if isinstance(node, ast.keyword)}
    texts = {node.value for node in ast.walk(old) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
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
            named = one in keywords or one in texts or two in keywords or isinstance(before.node, ast.Lambda)
            given = isinstance(left, ast.arg) and named
            if one != two and (before.kind == "class" or given or one in BUILTINS - own):
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


def check_equal(old: ast.AST, new: ast.AST) -> None:
    """Raise PG401 unless two trees are equal."""
    if ast.dump(old) != ast.dump(new):
        raise PgolfError("PG401", "the printed text is another program")
