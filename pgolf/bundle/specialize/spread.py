"""Spread: a variable, parameter or attribute that always holds one top-level object or function is written as its name.

`counter = byte_counter` makes every `counter` below it the same object, and so does a parameter that each call gives it, or
an attribute that is stored once in the whole program. `flatten` then sees what is done with the object.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from pgolf.bundle.names import Scope, scopes
from pgolf.bundle.specialize.idle import Idle, calls_constructor, copies_objects
from pgolf.bundle.syntax import binds_self, member_names, pairs
from pgolf.bundle.trees import Transformer, by_class, walk
from pgolf.bundle.visibility import BY_TEXT, EXTERNAL_NAMES

BY_NAME = ("SimpleNamespace", "namedtuple", "attrgetter", "methodcaller", "make_dataclass")
"""These store or read attributes that no `x.y` shows."""


class Spread:
    """What the program binds, and the places that read what is always one top-level thing."""

    def __init__(self, tree: ast.Module):
        self.tree = tree
        kinds = by_class(walk(tree))
        self.known = Idle(tree, kinds)
        self.scope, _ = scopes(tree)
        self.scopes = {scope.node: scope for scope in self.scope.walk()}
        self.names: dict[str, list[ast.AST]] = {}
        self.attributes: dict[str, list[ast.Attribute]] = {}
        for name in kinds[ast.Name]:
            self.names.setdefault(name.id, []).append(name)
        for attribute in kinds[ast.Attribute]:
            self.attributes.setdefault(attribute.attr, []).append(attribute)
        self.calls: dict[ast.AST, ast.Call] = {node.func: node for node in kinds[ast.Call]}
        self.things = things(tree, self.known, self.scope)
        self.by_text = not self.names.keys().isdisjoint((*BY_TEXT, *BY_NAME, "AttributeError")) or copies_objects(kinds)
        self.again = calls_constructor(self.attributes.get("__init__", []))
        self.functions = list(self._functions({node for node in kinds[ast.For] if _takes_one(node)}))
        self.found: dict[ast.AST, str] = {}
        self.loops: set[ast.AST] = set()

    def thing(self, node: ast.expr | None) -> str:
        """The top-level object or function that an expression names, or will."""
        if node in self.found:
            return self.found[node]
        return node.id if isinstance(node, ast.Name) and node.id in self.things else ""

    def reads(self, scope: Scope, name: str) -> list[ast.AST]:
        """Every place that reads a variable of a function."""
        return [node for inner in scope.walk() for node in inner.reads.get(name, []) if inner.resolve(name) is scope]

    def variables(self, function: ast.FunctionDef) -> None:
        """`x = thing` in the body itself, where nothing else binds `x` and only what follows reads it."""
        scope = self.scopes[function]
        for place, item in enumerate(function.body):
            for target, value in pairs(item) if isinstance(item, ast.Assign) and len(item.targets) == 1 else []:
                thing = self.thing(value)
                if not thing or not isinstance(target, ast.Name) or scope.bound.get(target.id) != [target]:
                    continue
                reads = self.reads(scope, target.id)
                below = {node for later in function.body[place + 1 :] for node in walk(later)}
                if below.issuperset(reads):
                    self.found.update((node, thing) for node in reads)

    def loop(self, function: ast.FunctionDef, node: ast.For) -> None:
        """`for x in (thing,)` without a way out of it, where nothing else binds or reads `x`: only its body is left."""
        scope, target = self.scopes[function], node.target
        assert isinstance(node.iter, ast.Tuple)
        (one,) = node.iter.elts
        if not self.thing(one) or node.orelse or not isinstance(target, ast.Name):
            return
        if any(isinstance(item, (ast.Break, ast.Continue)) for item in walk(node)):
            return
        reads = self.reads(scope, target.id)
        below = {inner for item in node.body for inner in walk(item)}
        if scope.bound.get(target.id) == [target] and below.issuperset(reads):
            self.found.update((read, self.thing(one)) for read in reads)
            self.loops.add(node)

    def parameters(self, function: ast.FunctionDef, name: str, skipped: int) -> None:
        """Parameters of a function that is only ever called by this name, where each call gives the same thing."""
        uses, arguments = self.names.get(name, []), function.args
        calls = [self.calls[node] for node in uses if node in self.calls]
        hidden = any(
            isinstance(part, ast.Starred) or (isinstance(part, ast.keyword) and part.arg is None)
            for call in calls
            for part in (*call.args, *call.keywords)
        )
        if hidden or not calls or len(calls) < len(uses) or arguments.posonlyargs or function.decorator_list:
            return
        scope = self.scopes[function]
        for place, argument in enumerate(arguments.args[skipped:]):
            given = [self.thing(_given(call, place, argument.arg)) for call in calls]
            if given[0] and len(set(given)) == 1 and scope.bound[argument.arg] == [argument]:
                self.found.update((node, given[0]) for node in self.reads(scope, argument.arg))

    def stored(self, made: ast.FunctionDef) -> None:
        """`self.x = thing` of a constructor, where no other attribute `x` is stored or defined."""
        first = made.args.args[0].arg
        for item in made.body:
            for target, value in pairs(item) if isinstance(item, ast.Assign) and len(item.targets) == 1 else []:
                thing = self.thing(value)
                own = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)
                if not thing or not own or not isinstance(target, ast.Attribute) or ast.unparse(target.value) != first:
                    continue
                uses = [node for node in self.attributes[target.attr] if node is not target]
                if target.attr not in self.members | EXTERNAL_NAMES and all(_is_read(node) for node in uses):
                    self.found.update((node, thing) for node in uses)

    @cached_property
    def members(self) -> set[str]:
        """What the classes of the program define."""
        return {name for node in self.known.classes.values() for item in node.body for name in member_names(item)}

    def _functions(self, loops: set[ast.For]) -> Iterator[tuple[ast.FunctionDef, ast.ClassDef | None, list[ast.For]]]:
        """The top level's functions, and methods with their classes, each with those of the loops that are in it."""
        for node in self.tree.body:
            owner = node if isinstance(node, ast.ClassDef) else None
            for item in owner.body if owner is not None else [node]:
                if isinstance(item, ast.FunctionDef):
                    yield item, owner, [node for node in walk(item) if node in loops] if loops else []  # type: ignore[misc]

    def run(self) -> bool:
        number = -1
        while number < len(self.found):
            number = len(self.found)
            self.look()
        elsewhere = {node for node in self.found if not isinstance(node, ast.Name)}
        for node in self.found.keys() - elsewhere:
            assert isinstance(node, ast.Name)
            node.id = self.found[node]
        changes = elsewhere | self.loops
        for statement in self.tree.body:
            if not changes.isdisjoint(walk(statement)):
                _Name(self.found, self.loops).visit(statement)
        return bool(self.found or self.loops)

    def look(self) -> None:
        """Go through the program once; what is found lets the next time find more."""
        for function, owner, loops in self.functions:
            self.variables(function)
            for node in loops:
                self.loop(function, node)
            if owner is None:
                self.parameters(function, function.name, 0)
            elif function.name == "__init__" and binds_self(function):
                if not (owner.bases or owner.keywords or owner.decorator_list or self.again):
                    self.parameters(function, owner.name, 1)
                if not self.by_text:
                    self.stored(function)


def spread(tree: ast.Module) -> bool:
    """Change the whole program in place."""
    return Spread(tree).run()


def things(tree: ast.Module, known: Idle, scope: Scope) -> set[str]:
    """The names of the top-level objects and functions that are one thing each in the whole run."""
    inner = {name for other in scope.walk() if other is not scope for name in other.bound}
    named = {name for name in _things(tree, known) if name in known.named}
    return named - inner


def _things(tree: ast.Module, known: Idle) -> Iterator[str]:
    """Functions without decorators, and variables that hold an object."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and known.is_idle(node.value):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _takes_one(node: ast.For) -> bool:
    return isinstance(node.iter, ast.Tuple) and len(node.iter.elts) == 1


def _given(call: ast.Call, place: int, name: str) -> ast.expr | None:
    if place < len(call.args):
        return call.args[place]
    return next((item.value for item in call.keywords if item.arg == name), None)


def _is_read(node: ast.Attribute) -> bool:
    """Is an attribute read off something that needs no evaluation?"""
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Load):
        inner = inner.value
    return isinstance(inner, ast.Name)


class _Name(Transformer):
    """Writes a name for given expressions, and the bodies of given loops for these."""

    def __init__(self, found: dict[ast.AST, str], loops: set[ast.AST]):
        self.found, self.loops = found, loops

    def visit(self, node: ast.AST) -> ast.AST | list[ast.stmt]:
        name = self.found.get(node)
        if name is not None:
            return ast.copy_location(ast.Name(id=name, ctx=ast.Load()), node)
        self.generic_visit(node)
        return node.body if isinstance(node, ast.For) and node in self.loops else node
