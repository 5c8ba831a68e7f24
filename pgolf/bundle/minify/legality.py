"""Which names other than variables may be renamed: attributes, methods, fields, and parameters passed by name.

`visibility` says what something outside the program may mean by a name; here is what the program itself means by it: the
keywords of its calls, and records, whose fields are their constructor's parameters.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pgolf.bundle.names import FUNCTIONS, FunctionNode, Resolved, Scope, scopes
from pgolf.bundle.source import last_name
from pgolf.bundle.syntax import field_names, is_record
from pgolf.bundle.trees import walk
from pgolf.bundle.visibility import RECORD_NAMES, Visibility

ANY = ("**",)
"""Stands for the keywords of a call with `**`."""


@dataclass
class Survey:
    """What may be renamed.

    Attributes:
        scope: the module's scope tree; `places` has the scope of each identifier.
        own: attributes, methods and fields that may be renamed.
        fixed: parameters that must keep their names, by function and name.
        records: classes whose fields are their constructor's parameters, with these.
        inherited: members of classes with a base outside the program: their new names must not be ones of the base.
        of_node: the scope of each function, class and comprehension.
        outside: see `Visibility`.
    """

    scope: Scope
    places: Mapping[ast.AST, Scope]
    own: frozenset[str] = frozenset()
    fixed: set[tuple[ast.AST, str]] = field(default_factory=set)
    records: dict[str, tuple[str, ...]] = field(default_factory=dict)
    inherited: frozenset[str] = frozenset(RECORD_NAMES)
    of_node: dict[ast.AST, Scope] = field(default_factory=dict)
    outside: frozenset[str] = frozenset()

    def names_fields(self, call: ast.Call) -> bool:
        """Are a call's keywords fields of a record: `Record(...)` and `record._replace(...)`?"""
        if isinstance(call.func, ast.Attribute):
            return call.func.attr == "_replace"
        return isinstance(call.func, ast.Name) and self.global_name(call.func) in self.records

    def callee(self, call: ast.Call) -> ast.AST | None:
        """The function of the top level that `f(...)` or, for a kernel, `f[grid](...)` certainly calls."""
        func = call.func.value if isinstance(call.func, ast.Subscript) else call.func
        bound = self.scope.bound.get(self.global_name(func), []) if isinstance(func, ast.Name) else []
        return bound[0] if len(bound) == 1 and isinstance(bound[0], ast.FunctionDef) else None

    def global_name(self, node: ast.Name) -> str:
        """The name, where it means something of the top level."""
        return node.id if self.places[node].resolve(node.id).kind == "module" else ""


def survey(tree: ast.Module, resolved: Resolved | None = None) -> Survey:
    """Look at the whole program once; `resolved` are its scopes, where the caller has them."""
    scope, places = resolved = resolved or scopes(tree)
    visible = Visibility.of(tree, resolved)
    found = Survey(scope, places, of_node={inner.node: inner for inner in scope.walk()})
    found.outside = frozenset(visible.outside)
    found.records = {name: field_names(node) for name, node in visible.classes.items() if is_record(node)}
    calls = [node for node in visible.nodes(ast.Call) if node.keywords]
    spread = [found.callee(node) for node in calls if any(item.arg is None for item in node.keywords)]
    ties = sorted({_keywords(node) for node in calls if not found.names_fields(node)} - {()})
    ties = [ANY] if None in spread else ties
    outside = sorted(name for name in visible.outside if name in visible.classes)
    found.inherited |= frozenset(visible.members(outside))
    found.fixed = _fixed(found, visible, ties, spread)
    passed = {name for fields in found.records.values() for name in _meant(ties, set(fields))}
    found.own = visible.own - passed
    return found


def _fixed(
    found: Survey, visible: Visibility, ties: list[tuple[str, ...]], spread: list[ast.AST | None]
) -> set[tuple[ast.AST, str]]:
    """Parameters that must keep their names, and what kernels read of other functions, by function and name."""
    fixed: set[tuple[ast.AST, str]] = set()
    for node in found.of_node:
        if isinstance(node, FUNCTIONS):
            named = _fixed_parameters(node, [ANY] if node in spread else ties, visible)
            fixed.update((node, name) for name in named)
    for name in names_in_kernels(found.scope):
        owner = found.places[name].resolve(name.id)
        if owner is not found.scope:
            fixed.add((owner.node, name.id))
    return fixed


def names_in_kernels(module: Scope) -> list[ast.Name]:
    """The names in functions under `triton.jit`, whose compiler reads them."""
    found: list[ast.AST] = []
    for one in module.walk():
        if any(last_name(mark) == "jit" for mark in getattr(one.node, "decorator_list", ())):
            found += walk(one.node)
    return [node for node in found if isinstance(node, ast.Name)]


def _keywords(call: ast.Call) -> tuple[str, ...]:
    return tuple(sorted(keyword.arg for keyword in call.keywords if keyword.arg))


def _meant(ties: list[tuple[str, ...]], named: set[str]) -> set[str]:
    """Those of a function's parameters that a call of the program may pass by name.

    A call with keywords succeeds only in a function that has parameters of all these names, so that no other function is
    meant by it. With `**` in a call, anything may be.
    """
    return named if ties == [ANY] else {name for names in ties if named.issuperset(names) for name in names}


def _fixed_parameters(function: FunctionNode, ties: list[tuple[str, ...]], visible: Visibility) -> Iterator[str]:
    """Parameters that someone may pass by name: a call of the program, or something outside it."""
    yield from sorted(visible.keywords_from_outside(function))
    arguments = function.args
    named = {argument.arg for argument in (*arguments.args, *arguments.kwonlyargs)}
    if arguments.kwarg is not None:
        yield from sorted(name for name in named if ties == [ANY] or any(name in names for names in ties))
    else:
        yield from sorted(_meant(ties, named))
