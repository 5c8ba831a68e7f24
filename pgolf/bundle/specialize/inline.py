"""Inline: a function or method that one call names, and nothing else, is written out in the place of the call.

The call goes, and so do the definition, its parameters and what they were given. Whatever cannot be shown to come to the
same is left alone. A function whose body is `return value` may be called anywhere in an expression: its arguments must be
ones that may be evaluated at another moment, or be evaluated in the same order as before. Any other body is written before
the statement that calls it, which must evaluate nothing before the call that the body could change or notice. A small value
is also written out in the place of two calls.

A function's variables die when it returns. Where the caller goes on, one that may hold a tensor is set to None after the
statement; where there are more, or where that would not be the same moment, the function stays.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from pgolf.bundle.minify.members import binds_self, member_names, survey
from pgolf.bundle.names import FUNCTIONS, copy_tree
from pgolf.bundle.source import last_name
from pgolf.bundle.specialize.inline_order import Facts, facts
from pgolf.bundle.specialize.inline_places import Place, divided, expressions, places
from pgolf.bundle.specialize.inline_splice import Splice
from pgolf.bundle.specialize.inline_view import View, refusal, value_of_body, view
from pgolf.bundle.trees import below, walk

CALLERS = ("classmethod", "inference_mode", "no_grad", "property", "staticmethod")
"""Decorators of functions that may get other code: none of them reads it."""
SMALL = 20
"""A value with at most so many parts is written out twice; measured, as is `MOST`."""


@dataclass(frozen=True)
class _Candidate:
    """A function, its class for a method, and a call of it, which is the only use of its name, or one of two."""

    function: ast.FunctionDef
    made: ast.ClassDef | None
    call: ast.Call
    only: bool


@dataclass
class _Inliner:
    """One pass over the program; `calls` are those to inline, by their callers."""

    known: Facts
    made: dict[ast.FunctionDef, ast.ClassDef | None]
    calls: dict[ast.FunctionDef, list[_Candidate]]
    views: dict[ast.FunctionDef, View] = field(default_factory=dict)
    settled: dict[ast.FunctionDef, set[str]] = field(default_factory=dict)
    begun: set[ast.FunctionDef] = field(default_factory=set)
    filled: set[ast.FunctionDef] = field(default_factory=set)
    changed: bool = False

    def view(self, function: ast.FunctionDef) -> View:
        """What the function is now."""
        if function not in self.views:
            self.views[function] = view(function, self.made.get(function), self.known)
        return self.views[function]

    def fill(self, function: ast.FunctionDef) -> None:
        """Inline into a function what it calls, innermost functions first."""
        if function in self.begun:
            return
        self.begun.add(function)
        for candidate in self.calls.get(function, []):
            self.fill(candidate.function)
            # One that is not filled yet calls the function in turn.
            if candidate.function in self.filled and self.write(function, candidate):
                self.changed = True
                self.views.pop(function)
                self.views.pop(candidate.function, None)
        self.filled.add(function)

    def write(self, caller: ast.FunctionDef, candidate: _Candidate) -> bool:
        """Inline one call."""
        seen = self.view(candidate.function)
        if refusal(seen) or _calls_itself(seen):
            return False
        place = next((item for item in places(caller) if _is_in(candidate.call, item.statement)), None)
        if place is None:
            return False
        if not candidate.only:
            copied = view(copy_tree(candidate.function), candidate.made, self.known)
            return self.splice(caller, copied, place, candidate)
        if self.splice(caller, seen, place, candidate) or self.write_divided(caller, seen, place, candidate):
            _empty(candidate)
            return True
        return False

    def write_divided(self, caller: ast.FunctionDef, seen: View, place: Place, candidate: _Candidate) -> bool:
        """The same for `a, b = x, f(y)`, as `a = x` and `b = f(y)`."""
        lines = divided(place, candidate.call, self.view(caller))
        if lines is None:
            return False
        number = next(number for number, item in enumerate(place.block) if item is place.statement)
        place.block[number : number + 1] = lines
        self.views.pop(caller)
        again = next(item for item in places(caller) if item.statement is lines[1])
        if self.splice(caller, seen, again, candidate):
            return True
        place.block[number : number + 2] = [place.statement]
        self.views.pop(caller)
        return False

    def splice(self, caller: ast.FunctionDef, seen: View, place: Place, candidate: _Candidate) -> bool:
        """One attempt at one form of the statement."""
        called = candidate.call.func
        receiver = called.value if candidate.made is not None and isinstance(called, ast.Attribute) else None
        site = Splice(self.known, self.view(caller), seen, place, candidate.call, receiver)
        site.settled, site.mine = (self.settled.setdefault(item, set()) for item in (seen.function, caller))
        return site.look() and (site.write_expression() or (candidate.only and site.write_statements()))


def inline(tree: ast.Module) -> bool:
    """Change the tree in place; True where anything was inlined."""
    made = dict(_functions(tree))
    known = facts(tree, survey(tree, parameters=False))
    callers = {call: item for item in made for call in _calls(item)}
    calls: dict[ast.FunctionDef, list[_Candidate]] = {}
    for candidate in _candidates(tree, known):
        if candidate.call in callers and callers[candidate.call] is not candidate.function:
            calls.setdefault(callers[candidate.call], []).append(candidate)
    work = _Inliner(known, made, calls)
    for function in made:
        work.fill(function)
    return work.changed


def _functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, ast.ClassDef | None]]:
    """Functions and methods of the top level, each with its class."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node, None
        elif isinstance(node, ast.ClassDef):
            yield from ((item, node) for item in node.body if isinstance(item, ast.FunctionDef))


def _calls(function: ast.FunctionDef) -> Iterator[ast.Call]:
    """The calls of a function outside functions in it, if it may get other code."""
    if not all(last_name(item) in CALLERS for item in function.decorator_list):
        return
    waiting: list[ast.AST] = [*function.body]
    for node in waiting:
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, FUNCTIONS):
            waiting += below(node)


def _is_in(call: ast.Call, statement: ast.stmt) -> bool:
    return any(node is call for node in expressions(statement))


def _candidates(tree: ast.Module, known: Facts) -> Iterator[_Candidate]:
    """Functions and methods of which the program shows all uses, and these are calls."""
    uses: dict[str, list[ast.AST]] = {}
    callers: dict[ast.AST, ast.Call] = {}
    defined: dict[str, int] = {}
    for node in walk(tree):
        if isinstance(node, ast.Name):
            uses.setdefault(node.id, []).append(node)
        elif isinstance(node, ast.Attribute):
            uses.setdefault("." + node.attr, []).append(node)
        elif isinstance(node, ast.Call):
            callers[node.func] = node
    for made in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
        for name in [name for item in made.body for name in member_names(item)]:
            defined[name] = defined.get(name, 0) + 1
    for function, owner in _functions(tree):
        name = function.name
        if owner is None and known.count(name) != 1:
            continue
        if owner is not None and not (name in known.found.own and defined[name] == 1 and binds_self(function)):
            continue
        here = uses.get(name if owner is None else "." + name, [])
        small = len(here) == 2 and _size(function) <= SMALL
        if all(use in callers for use in here) and (len(here) == 1 or small):
            yield from (_Candidate(function, owner, callers[use], len(here) == 1) for use in here)


def _size(function: ast.FunctionDef) -> int:
    """How many parts the value of an expression function has; many for any other function."""
    value = value_of_body(function)
    return SMALL + 1 if value is None else sum(isinstance(node, ast.expr) for node in walk(value))


def _calls_itself(seen: View) -> bool:
    name = seen.function.name
    nodes = [node for line in seen.body for node in walk(line)]
    return name in seen.outer or any(isinstance(node, ast.Attribute) and node.attr == name for node in nodes)


def _empty(candidate: _Candidate) -> None:
    """Leave nothing of a function whose body was moved, with its parameters."""
    candidate.function.args = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    candidate.function.body = [ast.copy_location(ast.Pass(), candidate.function)]
    if candidate.made is not None:
        rest = [item for item in candidate.made.body if item is not candidate.function]
        candidate.made.body = rest or [ast.copy_location(ast.Pass(), candidate.made)]
