"""Constants: what is the same literal in every run is written where it is read, and what then has no use goes.

`constants_flow` finds the expressions that are always one literal: fields of records that every construction gives alike,
parameters that every call gives alike, attributes that are stored once, variables. They are replaced, the functions are
folded, and fields and parameters that nothing reads any more go with their arguments.

One difference is allowed: a program that stops because a variable of the top level that was an attribute (`solo`, `flatten`)
has no value yet may go on.
"""

from __future__ import annotations

import ast
from collections import Counter

from pgolf.bundle.specialize.constants_cells import NOTHING, Literal, Made, OneOf, options
from pgolf.bundle.specialize.constants_flow import Flow
from pgolf.bundle.specialize.constants_fold import Tidy
from pgolf.bundle.specialize.constants_places import Places
from pgolf.bundle.specialize.constants_shapes import fits
from pgolf.bundle.specialize.fold import literal_of
from pgolf.bundle.specialize.propagate import drop_parameter
from pgolf.bundle.trees import walk

SHORT = 24
"""A literal of so many characters is written at every place; a longer one only if there is one."""
READS = (ast.Name, ast.Attribute)
"""What a literal may take the place of."""


def constants(tree: ast.Module) -> bool:
    """Change the program in place; False if there was nothing to do."""
    return _Constants(tree).run()


class _Constants:
    """One round."""

    def __init__(self, tree: ast.Module):
        self.tree = tree
        self.flow = Flow(tree)
        self.places = Places(tree, self.flow)
        self.targets: dict[ast.Call, list[ast.AST]] = {}
        for function, calls in self.flow.calls.items():
            for call in calls:
                self.targets.setdefault(call, []).append(function)
        self.gone: set[ast.AST] = set()
        """Nodes of functions that are no longer in the tree."""

    def run(self) -> bool:
        replaced = self._plan()
        touched: dict[ast.AST, None] = {}
        for node, new in replaced.items():
            touched[self.places.unit(node)] = None
            self.gone.update(walk(node))
            _put(self.places.parents[node], node, new)
        changed = bool(touched)
        changed |= self._drop_fields(set(replaced))
        changed |= self._drop_parameters()
        for unit in touched:
            # Last, because it may put copies in the place of calls that are known.
            _fold(unit, self.places)
        return changed

    # What is replaced

    def _plan(self) -> dict[ast.AST, ast.AST]:
        """Node -> the literal that stands for it."""
        found = {
            node: value
            for node, value in self.flow.values.items()
            if value.__class__ is Literal and node.__class__ in READS and self._may_be_literal(node, value)
        }
        counts = Counter(value.text for value in found.values())
        return {
            node: literal_of(value.value, node)
            for node, value in found.items()
            if counts[value.text] == 1 or len(value.text) <= SHORT
        }

    def _may_be_literal(self, node: ast.AST, value: Literal) -> bool:
        if not self.places.fits(node, value.value) or not self.places.is_writable(self.places.unit(node)):
            return False
        if isinstance(node, ast.Name):
            return isinstance(node.ctx, ast.Load) and self.places.is_bound(node)
        if not isinstance(node, ast.Attribute) or NOTHING in options(self.flow.values.get(node.value)):
            # None has no such attribute, and a handler may be there for that.
            return False
        made = node.attr in self.places.constructed
        return made and isinstance(node.ctx, ast.Load) and self.places.is_plain(node.value)

    # Fields

    def _drop_fields(self, replaced: set[ast.AST]) -> bool:
        """Fields of records that nothing reads, where nobody sees a record as a whole."""
        read: set[tuple[str, str]] = set(self.flow.replaced)
        for node in self.flow.of_kind(ast.Attribute):
            owner = self.flow.values.get(node.value)
            if owner.__class__ in (Made, OneOf) and node not in replaced:
                read |= {(item.name, node.attr) for item in options(owner) if isinstance(item, Made)}
        changed = False
        for name, fields in self.flow.records.items():
            if name in self.flow.open or name in self.flow.seen:
                continue
            for field in fields:
                if (name, field) not in read and self._drop_field(name, field):
                    changed = True
        return changed

    def _drop_field(self, name: str, field: str) -> bool:
        node, calls = self.flow.classes[name], self.flow.constructions[name]
        if any(isinstance(item, ast.Starred) for call in calls for item in call.args):
            return False
        if any(keyword.arg is None for call in calls for keyword in call.keywords):
            return False
        names = [
            item.target.id
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        ]
        needed = {item for item in names if self.flow.records[name][item] is None}
        if not all(fits(call, names, names, needed) for call in calls):
            # It is an error, and would be one no more.
            return False
        given = [
            value
            for call in calls
            for value in [*call.args[names.index(field) : names.index(field) + 1], *_keyword(call, field)]
        ]
        if not all(self.places.is_plain(value) for value in given):
            return False
        for call in calls:
            self._drop_argument(call, names.index(field), field)
        kept = [item for item in node.body if not _declares(item, field)]
        node.body = kept or [ast.Pass()]
        return True

    # Parameters

    def _drop_parameters(self) -> bool:
        """Parameters that nothing reads, where all calls are known."""
        changed = False
        for function, calls in self.flow.calls.items():
            if function in self.flow.loose or not isinstance(function, ast.FunctionDef):
                continue
            if any(len(self.targets[call]) > 1 for call in calls) or len(set(calls.values())) != 1:
                continue
            skipped = next(iter(calls.values()))
            changed |= self._drop_unread(function, list(calls), skipped)
        return changed

    def _drop_unread(self, function: ast.FunctionDef, calls: list[ast.Call], skipped: int) -> bool:
        arguments = function.args
        if arguments.posonlyargs or arguments.vararg or arguments.kwarg or self._reads_all(function, skipped):
            return False
        used = {node.id for item in function.body for node in walk(item) if isinstance(node, ast.Name)}
        changed = False
        for name in [item.arg for item in arguments.args[skipped:]]:
            place = [item.arg for item in arguments.args].index(name) - skipped
            given = [value for call in calls for value in [*call.args[place : place + 1], *_keyword(call, name)]]
            if name not in used and all(self.places.is_plain(value) for value in given):
                for call in calls:
                    self._drop_argument(call, place, name)
                drop_parameter(arguments, name)
                changed = True
        return changed

    def _reads_all(self, function: ast.FunctionDef, skipped: int) -> bool:
        """Is every parameter read still?"""
        scopes = list(self.flow.inner[function].walk())
        return all(
            any(not self.gone.issuperset(scope.reads.get(item.arg, ())) for scope in scopes)
            for item in function.args.args[skipped:]
        )

    def _drop_argument(self, call: ast.Call, place: int, name: str) -> None:
        for value in [*call.args[place : place + 1], *_keyword(call, name)]:
            self.gone.update(walk(value))
        del call.args[place : place + 1]
        call.keywords = [keyword for keyword in call.keywords if keyword.arg != name]


def _fold(unit: ast.AST, places: Places) -> None:
    """Fold in place."""
    assert isinstance(unit, ast.FunctionDef)
    folded = Tidy(places).visit(unit)
    assert isinstance(folded, ast.FunctionDef)
    unit.body = folded.body


def _keyword(call: ast.Call, name: str) -> list[ast.expr]:
    return [keyword.value for keyword in call.keywords if keyword.arg == name]


def _declares(node: ast.stmt, field: str) -> bool:
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == field


def _put(parent: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Put one node in the place of another."""
    for name, value in ast.iter_fields(parent):
        if value is old:
            setattr(parent, name, new)
        elif isinstance(value, list):
            setattr(parent, name, [new if item is old else item for item in value])
