"""Splice: write a function's statements before the statement that calls it, where that comes to the same."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from pgolf.bundle.names import copy_tree
from pgolf.bundle.specialize.inline_body import NUMBERS, Weight, heavy, split, structured
from pgolf.bundle.specialize.inline_order import comes_first
from pgolf.bundle.specialize.inline_places import SIMPLE, binds, head, returns_nothing
from pgolf.bundle.specialize.inline_site import Site, put
from pgolf.bundle.specialize.inline_view import rename
from pgolf.bundle.specialize.propagate import assignment, pairs
from pgolf.bundle.trees import walk

MOST = 2
"""As many variables may be cleared after a call: more make the program longer than the call did."""

Parts = tuple[list[ast.stmt], ast.expr]


@dataclass
class Splice(Site):
    """One attempt.

    Attributes:
        settled: variables of the callee that are None wherever other code of it runs.
        mine: those of the caller; the callee's join them.
    """

    settled: set[str] = field(default_factory=set)
    mine: set[str] = field(default_factory=set)
    trivial: dict[ast.expr, bool] = field(default_factory=dict)
    nothing: ast.expr = field(default_factory=lambda: ast.Constant(value=None))
    unread: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)

    def write_statements(self) -> bool:
        """Change the caller and use up the callee's body; False, with nothing changed, where that cannot be shown."""
        parts = split(self.callee.body)
        if not self._fits(parts):
            return False
        results = self._results(parts)
        kept = self._aliases(results) | results
        given = {name: value for name, value in self.arguments.items() if not self._is_dropped(name, kept)}
        self.moved = moved = self._moved(given, parts, kept)
        given = {name: value for name, value in given.items() if name not in moved}
        self.unread = {name for name in given if not self.reads[name] and len(self.callee.scope.bound[name]) == 1}
        # What the statement assigns lives on as before.
        lasting = {name for name, new in kept.items() if name in results or new in self.targets}
        clear = self._to_clear(given, moved, lasting)
        if clear is None:
            return False
        # These are about the caller as it is before anything is written.
        _ = self.live, self.needed, self.unsure
        written = self._written(parts, results)
        if written is None:
            return False
        self.gone |= moved
        names = self.names(kept, list(given))
        rename(self.callee, names)
        if parts is None:
            # Handlers are made anew, and have their new names only now.
            written = self._written(parts, results) or []
        self._replace(written, given, clear, names)
        return True

    def _fits(self, parts: Parts | None) -> bool:
        """Is the call the first thing in its statement that does anything, and can the callee's returns be written?"""
        statement, root = self.place.statement, head(self.place.statement)
        if root is None or not (root is self.call or (parts and comes_first(root, [self.call], self.here))):
            return False
        if isinstance(statement, ast.AugAssign) and not self.here.is_steady(statement.target):
            return False
        return parts is None or self.fits_text(parts[1])

    @property
    def whole(self) -> bool:
        """Is the call all that its statement evaluates?"""
        return head(self.place.statement) is self.call

    @property
    def targets(self) -> set[str]:
        """Names that the statement assigns to in any case."""
        statement = self.place.statement
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        nodes = [node for target in targets for node in walk(target)]
        return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}

    @property
    def ending(self) -> bool:
        """Does nothing of the caller run after the statement?"""
        statement = self.place.statement
        return isinstance(statement, ast.Return) or (self.place.last and isinstance(statement, SIMPLE))

    # Variables

    def _results(self, parts: Parts | None) -> dict[str, str]:
        """Variables of the callee that may be the ones that the statement assigns them to."""
        statement = self.place.statement
        if parts is None or not self.whole or self.place.guarded or not isinstance(statement, ast.Assign):
            return {}
        found: dict[str, str] = {}
        for target, item in _pairs(statement, parts[1]):
            if not isinstance(target, ast.Name):
                return {}
            if (
                isinstance(item, ast.Name)
                and self.callee.places[item].resolve(item.id) is self.callee.scope
                and item.id not in self.gone | self.unsure | found.keys()
                and target.id not in found.values()
                and self.is_free(target, item.id)
            ):
                found[item.id] = target.id
        return found

    def _aliases(self, results: dict[str, str]) -> dict[str, str]:
        """Parameters that may take over the variable they are given, because the caller does not need it any more."""
        if not self.whole or self.place.guarded:
            return {}
        needed = {*(self.live - self.targets), *self.needed, self.caller.method[0], *results.values()}
        return {
            name: value.id
            for name, value in self.arguments.items()
            if isinstance(value, ast.Name)
            and name not in self.gone | results.keys()
            and value.id not in needed
            and self.is_free(value, name)
        }

    def _is_dropped(self, name: str, kept: dict[str, str]) -> bool:
        value = self.arguments[name]
        same = name in kept and isinstance(value, ast.Name) and value.id == kept[name]
        # A variable without a value is an error here, if it is one.
        return name in self.gone or (same and self.here.is_steady(value))

    def _moved(self, given: dict[str, ast.expr], parts: Parts | None, kept: dict[str, str]) -> set[str]:
        """The last parameters that are read once, in the first statement, before anything that could tell."""
        body = self.callee.body if parts is None else parts[0]
        root = head(body[0]) if body else parts[1] if parts is not None else None
        names = list(given)
        for start in range(len(names) if root is not None else 0):
            chosen = names[start:]
            once = all(
                len(self.reads[name]) == 1 == len(self.callee.scope.bound[name]) and name not in kept for name in chosen
            )
            if not once or root is None or not all(self.fits_braces(root, name) for name in chosen):
                continue
            if comes_first(root, [self.reads[name][0] for name in chosen], self.inside({*names[:start]})):
                return set(chosen)
        return set()

    def _to_clear(self, given: dict[str, ast.expr], moved: set[str], lasting: set[str]) -> list[str] | None:
        """Variables to set to None after the statement, because they would live on; None where that is not enough."""
        if self.whole and self.ending and not self.place.held:
            return []
        shadowed = self.caller.bound | self.callee.bound
        numbers = frozenset(name for name in NUMBERS if not self.known.count(name)) - shadowed
        imported = self.known.imported - shadowed
        bound = self.caller.scope.bound
        alive = frozenset(name for name, nodes in bound.items() if len(nodes) == 1 and isinstance(nodes[0], ast.arg))
        outside = Weight(self.known.held, numbers, alive, imported)
        fixed = frozenset(name for name in self.gone if outside.is_light(self.arguments[name]))
        passed = {name for name, value in given.items() if not outside.is_light(value)}
        inside = Weight(self.known.held, numbers, fixed, imported)
        held = heavy(self.callee, passed, self.gone | moved | self.unread, inside)
        clear = [name for name in held if name not in lasting | self.settled]
        simple = self.whole and isinstance(self.place.statement, SIMPLE) and not self.place.guarded
        return clear if not clear or (simple and len(clear) <= MOST) else None

    # Statements

    def _written(self, parts: Parts | None, results: dict[str, str]) -> list[ast.stmt] | None:
        """The callee's statements with the caller's own at their ends."""
        statement, body = self.place.statement, self.callee.body
        if parts is not None:
            start, value = parts
            if isinstance(statement, ast.Assign) and results:
                rest = [pair for pair in _pairs(statement, value) if not _is_result(*pair, results)]
                return [*start, assignment(rest, statement)] if rest else start
            if isinstance(statement, ast.Expr) and self.whole:
                return start + self._finish(value)
            return [*start, put(statement, [([self.call], value)])]
        if isinstance(statement, ast.Return):
            falls = binds(body) is not None and not self.place.last
            return [*body, ast.Return(value=None)] if falls else body
        found = [node for line in body for node in walk(line) if isinstance(node, ast.Return)]
        if self.ending and isinstance(statement, ast.Expr) and all(returns_nothing(node) for node in found):
            return body
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        quiet = isinstance(statement, (ast.Assign, ast.Expr)) and all(isinstance(item, ast.Name) for item in targets)
        return structured(body, self._finish, quiet) if isinstance(statement, SIMPLE) else None

    def _finish(self, value: ast.expr | None) -> list[ast.stmt]:
        """What the statement does with a result."""
        value = value if value is not None else self.nothing
        match self.place.statement:
            case ast.Assign(targets=targets):
                return [ast.Assign(targets=[copy_tree(target) for target in targets], value=value)]
            case ast.AnnAssign() as node:
                return [ast.AnnAssign(copy_tree(node.target), copy_tree(node.annotation), value, node.simple)]
            case ast.AugAssign() as node:
                return [ast.AugAssign(copy_tree(node.target), node.op, value)]
        if value not in self.trivial:
            # What is given for a parameter that is moved here is still to be evaluated.
            self.trivial[value] = self.inside(self.arguments.keys() - self.moved).is_steady(value)
        return [] if self.trivial[value] else [ast.Expr(value)]

    def _replace(
        self,
        written: list[ast.stmt],
        given: dict[str, ast.expr],
        clear: list[str],
        names: dict[tuple[bool, str], str],
    ) -> None:
        """Write the callee's lines, with their new names, in the place of the statement."""
        new = {name: names.get((True, name), name) for name in self.callee.scope.bound}
        none = {new[name] for name in (*clear, *self.settled) if name in new}
        # A name that the caller had for something else is None no more, or not for sure.
        self.mine -= set(new.values()) - none
        self.mine |= none - set(self.caller.scope.bound)
        inner = ast.Module(body=written, type_ignores=[])
        put(inner, [(self.reads[name], self.arguments[name]) for name in self.gone])
        lines = [
            ast.Expr(value) if name in self.unread else _assign([new[name]], value) for name, value in given.items()
        ]
        lines += inner.body
        if clear:
            lines.append(_assign([new[name] for name in clear], ast.Constant(value=None)))
        statement, block = self.place.statement, self.place.block
        place = next(number for number, item in enumerate(block) if item is statement)
        block[place : place + 1] = lines or [ast.Pass()]
        for line in block[place : place + max(len(lines), 1)]:
            if not hasattr(line, "lineno"):
                ast.copy_location(line, statement)
        self.declare()


def _is_result(target: ast.expr, value: ast.expr, results: dict[str, str]) -> bool:
    """Does a variable become the one that it is assigned to? Assigned to two, it becomes the first."""
    return isinstance(target, ast.Name) and isinstance(value, ast.Name) and results.get(value.id) == target.id


def _pairs(statement: ast.Assign, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """The statement's targets with what they would get; nothing where it assigns to several."""
    return pairs(ast.Assign(targets=statement.targets, value=value)) if len(statement.targets) == 1 else []


def _assign(names: list[str], value: ast.expr) -> ast.stmt:
    return ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store()) for name in names], value=value)
