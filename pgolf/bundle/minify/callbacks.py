"""Callbacks: which parameters a library may pass by name to a function of the program that it was handed.

`operator.register_autograd(back, setup_context=keep)` calls `keep(ctx=..., inputs=..., output=...)`, so that all parameters
keep their names in a function that is given to something outside the program. Keywords may also be handed on: what
`partial(f, 1)` gives is called as `f`, and `checkpoint(f, x, use_reentrant=False, scale=2)` calls `f(x, scale=2)`, though `f`
has no parameter `use_reentrant`. So a parameter also keeps its name where its function is used other than by calling it, and
the name is a keyword of a call that may be handed a function, or a key of a dictionary.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pgolf.bundle.names import FUNCTIONS, FunctionNode, Scope, is_imported
from pgolf.bundle.source import last_name
from pgolf.bundle.trees import below, walk

if TYPE_CHECKING:
    from pgolf.bundle.minify.members import Survey

Nodes = Mapping[type[ast.AST], Sequence[Any]]
Key = str | tuple[Scope | ast.AST, str]
"""An attribute of any object, a variable of a scope, or what a function returns (with an empty name)."""

POSITIONAL = ("partial",)
"""Functions that add no keywords of their own to a call."""
FLOWS: tuple[tuple[type[ast.AST], str, str], ...] = (
    (ast.Assign, "value", "targets"),
    (ast.AnnAssign, "value", "target"),
    (ast.AugAssign, "value", "target"),
    (ast.NamedExpr, "value", "target"),
    (ast.For, "iter", "target"),
    (ast.comprehension, "iter", "target"),
    (ast.withitem, "context_expr", "optional_vars"),
)
"""Statements that give a value a name: the fields of the value and of the names."""


def callback_parameters(found: Survey, nodes: Nodes) -> Iterator[tuple[ast.AST, str]]:
    """(function, parameter) of every such parameter."""
    holders = _Holders(found, nodes)
    passed = set(_passed(found, nodes, holders))
    given = holders.given_away(nodes)
    for key, functions in holders.functions.items():
        if key in given:
            for function in functions:
                yield from ((function, name) for name in sorted(_names(function)))
        elif key in ("", "__call__") or key in holders.handed:
            for function in functions:
                yield from ((function, name) for name in sorted(_names(function) & passed))


def _names(function: FunctionNode) -> set[str]:
    """Parameters that can be passed by name."""
    return {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}


def _passed(found: Survey, nodes: Nodes, holders: _Holders) -> Iterator[str]:
    """Keywords of calls that may be handed a function, and keys of dictionaries."""
    for call in nodes.get(ast.Call, ()):
        if call.keywords and not found.names_fields(call) and not holders.called_by(call) and holders.hands_on(call):
            yield from (keyword.arg for keyword in call.keywords if keyword.arg)
    for node in nodes.get(ast.Dict, ()):
        yield from (key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


class _Holders:
    """Variables and attributes that may hold a function of the program, followed through assignments and results.

    Not through parameters: a function that hands its own parameter on is a gap that is left.

    Attributes:
        functions: what names them -> functions; a class names its constructor, and nothing names a lambda.
        handed: what is read other than to call it.
        known: what may hold a function; the empty key is a lambda.
    """

    def __init__(self, found: Survey, nodes: Nodes):
        self.found, self.nodes = found, nodes
        self.functions: dict[Key, list[FunctionNode]] = {}
        for node, scope in found.of_node.items():
            if isinstance(node, FUNCTIONS):
                self.functions.setdefault(self._key_of(node, scope), []).append(node)
        self.called = {call.func for call in nodes.get(ast.Call, ())}
        reads = [*nodes.get(ast.Name, ()), *nodes.get(ast.Attribute, ())]
        self.handed = {self.key(node) for node in reads if self._is_handed(node)}
        self._held: dict[ast.AST, set[Key]] = {}
        self.known: set[Key] = {"", *self.functions}
        self.flows, before = [(self.held(value), keys) for value, keys in self._flows()], -1
        while before != len(self.known):
            before = len(self.known)
            for held, keys in self.flows:
                if not self.known.isdisjoint(held):
                    self.known.update(keys)

    def _key_of(self, function: FunctionNode, scope: Scope) -> Key:
        owner = scope.parent.node if scope.parent is not None else None
        if isinstance(function, ast.Lambda):
            return ""
        if isinstance(owner, ast.ClassDef) and function.name != "__init__":
            return function.name
        named = owner if isinstance(owner, ast.ClassDef) else function
        return self.found.places[named].resolve(named.name), named.name

    def key(self, node: ast.Name | ast.Attribute) -> Key:
        """What a name or attribute means; an import or builtin is a variable of the module too."""
        if isinstance(node, ast.Attribute):
            return node.attr
        return self.found.places[node].resolve(node.id), node.id

    def _is_handed(self, node: ast.AST) -> bool:
        named = isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load)
        return named and node not in self.called

    def called_by(self, call: ast.Call) -> list[FunctionNode]:
        """The program's functions that a call by a name or of a method may mean."""
        return self.functions.get(self.key(call.func), []) if isinstance(call.func, (ast.Name, ast.Attribute)) else []

    def given_away(self, nodes: Nodes) -> set[Key]:
        """What names functions that are arguments of calls outside the program, which may call them by their own keywords."""
        found: set[Key] = set()
        for call in nodes.get(ast.Call, ()):
            if self.called_by(call) or not (
                isinstance(call.func, ast.Attribute) or is_imported(call.func, self.found.places)
            ):
                continue
            if last_name(call.func) not in POSITIONAL:
                for value in (*call.args, *(word.value for word in call.keywords)):
                    found |= self.held(value)
        before = -1
        while before != len(found):
            before = len(found)
            for held, keys in self.flows:
                if not found.isdisjoint(keys):
                    # An attribute that a variable holds is seldom a method, and often has the name of one.
                    found.update(key for key in held if isinstance(key, tuple))
        return found

    def may_hold(self, value: ast.AST) -> bool:
        """May an expression be a function of the program, or hold one?"""
        return not self.known.isdisjoint(self.held(value))

    def held(self, value: ast.AST) -> set[Key]:
        """What an expression is or holds; what `a.b` holds is known by `b` alone, and a lambda has the empty key."""
        known = self._held.get(value)
        if known is not None:
            return known
        self._held[value] = found = set[Key]()
        waiting = [value]
        for node in waiting:
            if isinstance(node, ast.Lambda):
                found.add("")
            elif isinstance(node, (ast.Name, ast.Attribute)) and self._is_handed(node):
                found.add(self.key(node))
            else:
                if isinstance(node, ast.Call):
                    found.update((function, "") for function in self.called_by(node))
                # A comprehension holds its elements; what it goes through flows into its variables.
                waiting += [item for item in below(node) if not isinstance(item, ast.comprehension)]
        return found

    def hands_on(self, call: ast.Call) -> bool:
        """Is an argument of a call a function, or the object that it is a method of made with one?"""
        owner = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        return any(self.may_hold(item) for item in (*owner, *call.args, *(word.value for word in call.keywords)))

    def _flows(self) -> Iterator[tuple[ast.AST, set[Key]]]:
        """(expression, what may hold its value)."""
        for kind, source, target in FLOWS:
            for node in self.nodes.get(kind, ()):
                value, targets = getattr(node, source), getattr(node, target)
                parts = targets if isinstance(targets, list) else [targets]
                names = [item for part in parts if part is not None for item in walk(part)]
                if value is not None:
                    yield value, {self.key(item) for item in names if isinstance(item, (ast.Name, ast.Attribute))}
        for function in self.found.of_node:
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                result: set[Key] = {(function, "")}
                yield from ((item, result) for item in walk(function) if isinstance(item, ast.Return))
