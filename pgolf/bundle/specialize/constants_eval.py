"""What expressions of the program hold."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from pgolf.bundle.names import COMPREHENSIONS, FunctionNode, Scope
from pgolf.bundle.specialize.constants_calls import Calls
from pgolf.bundle.specialize.constants_cells import (
    ANYTHING,
    NOTHING,
    Items,
    Key,
    Known,
    Literal,
    Made,
    OneOf,
    Option,
    Several,
    Value,
    options,
)
from pgolf.bundle.specialize.fold import value_of
from pgolf.bundle.trees import below


class Expressions(Calls):
    """Follows expressions, and assigns to targets."""

    globals: frozenset[str] = frozenset()
    """Variables of the top level that a function binds."""

    def __init__(self, tree: ast.Module):
        super().__init__(tree)
        self.meanings: dict[tuple[Scope, str], tuple[Key, Value]] = {}
        """Name in a scope -> the cell that it reads, or what it holds where there is none."""

    def eval(self, node: ast.expr) -> Value:
        """What an expression may hold."""
        self.values[node] = value = EXPRESSIONS.get(node.__class__, Expressions._other)(self, node)
        return value

    def _constant(self, node: ast.Constant) -> Value:
        return self.constant(node)

    def _other(self, node: ast.expr) -> Value:
        for child in below(node):
            if isinstance(child, ast.expr):
                self.release(self.eval(child))
        return ANYTHING

    def _binary(self, node: ast.BinOp) -> Value:
        self.release(self.eval(node.left))
        self.release(self.eval(node.right))
        return ANYTHING

    def _name(self, node: ast.Name) -> Value:
        place = self.places[node], node.id
        found = self.meanings.get(place)
        if found is None:
            found = self.meanings[place] = self._meaning(*place)
        key, value = found
        return value if key is None else self.read(key)

    def _meaning(self, place: Scope, name: str) -> tuple[Key, Value]:
        """A definition that is used in other ways than by calls of it is opened, once and for all."""
        scope = place.resolve(name)
        bound = scope.bound.get(name, [])
        definitions = [item for item in bound if not isinstance(item, (ast.Name, ast.arg))]
        if scope is self.scope and definitions:
            if any(isinstance(item, ast.ClassDef) for item in definitions):
                self.open_definition(name)
            functions = [item for item in definitions if isinstance(item, ast.FunctionDef)]
            if len(bound) == 1 and functions:
                return None, Known(functions[0])
            for function in functions:
                self.release_function(function)
            return None, ANYTHING
        if scope is self.scope and not bound and name not in self.globals:
            return None, ANYTHING
        return (scope, name), None

    def _attribute(self, node: ast.Attribute) -> Value:
        return self.attribute(self.eval(node.value), node.attr)

    def _call(self, node: ast.Call) -> Value:
        func = node.func
        if isinstance(func, ast.Name) and func.id == "isinstance" and len(node.args) == 2 and not self._binds(func):
            # The class is only compared with.
            self.eval(node.args[0])
            return ANYTHING
        return self.call(node)

    def _binds(self, node: ast.Name) -> bool:
        return node.id in self.places[node].resolve(node.id).bound

    def _tuple(self, node: ast.Tuple) -> Value:
        value = self.constant(node)
        if value is not ANYTHING:
            return value
        if any(isinstance(item, ast.Starred) for item in node.elts):
            return self._list(node)
        return Several(tuple(self.eval(item) for item in node.elts))

    def _list(self, node: ast.List | ast.Tuple) -> Value:
        key = (node, "items")
        for item in node.elts:
            self.write(key, self.elements(self.eval(item.value)) if isinstance(item, ast.Starred) else self.eval(item))
        return Items(key)

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp) -> Value:
        self._generators(node)
        self.write((node, "items"), self.eval(node.elt))
        return Items((node, "items"))

    def _generators(self, node: ast.expr) -> None:
        for generator in node.generators if isinstance(node, COMPREHENSIONS) else []:
            self.target(generator.target, self.elements(self.eval(generator.iter)))
            for test in generator.ifs:
                self.see(self.eval(test))

    def _collected(self, node: ast.SetComp | ast.DictComp) -> Value:
        self._generators(node)
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self.release(self.eval(part))
        return ANYTHING

    def _lambda(self, node: ast.Lambda) -> Value:
        self.defaults(node)
        self.release(self.eval(node.body))
        return ANYTHING

    def defaults(self, function: FunctionNode) -> None:
        """The defaults of a function in a function: values of parameters that hold anything."""
        for item in (*function.args.defaults, *function.args.kw_defaults):
            if item is not None:
                self.release(self.eval(item))

    def _either(self, node: ast.BoolOp) -> Value:
        found: Value = None
        for place, item in enumerate(node.values):
            value = self.eval(item)
            self.see(value)
            last = place == len(node.values) - 1
            if isinstance(value, Literal) and not last and bool(value.value) is isinstance(node.op, ast.And):
                continue
            found = self.join(found, value)
        return found

    def _not(self, node: ast.UnaryOp) -> Value:
        number = self.constant(node)
        if number is not ANYTHING:
            return number
        value = self.eval(node.operand)
        if isinstance(node.op, ast.Not):
            self.see(value)
        else:
            self.release(value)
        return ANYTHING

    def _compare(self, node: ast.Compare) -> Value:
        values = [self.eval(item) for item in (node.left, *node.comparators)]
        if not all(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            for value in values:
                self.see(value, deep=True)
        return ANYTHING

    def _choice(self, node: ast.IfExp) -> Value:
        self.see(self.eval(node.test))
        return self.join(self.eval(node.body), self.eval(node.orelse))

    def _named(self, node: ast.NamedExpr) -> Value:
        value = self.eval(node.value)
        self.target(node.target, value)
        return value

    def _subscript(self, node: ast.Subscript) -> Value:
        held = self.eval(node.value)
        self.release(self.eval(node.slice))
        return self.joined_values([self._item(item, node) for item in options(held)])

    def _item(self, held: Option, node: ast.Subscript) -> Value:
        place, sliced = value_of(node.slice), isinstance(node.slice, ast.Slice)
        if isinstance(held, Items):
            return held if sliced else self.read(held.key)
        if isinstance(held, Several) and not sliced:
            known = type(place) is int and -len(held.values) <= place < len(held.values)
            return held.values[place] if known else self.elements(held)
        if isinstance(held, Known):
            return None
        self.release(held)
        return ANYTHING

    def _text(self, node: ast.JoinedStr | ast.FormattedValue) -> Value:
        for child in below(node):
            if isinstance(child, ast.expr):
                self.see(self.eval(child), deep=True)
        return ANYTHING

    def _starred(self, node: ast.Starred) -> Value:
        return self.elements(self.eval(node.value))

    def _yield(self, node: ast.Yield) -> Value:
        if node.value is not None:
            self.release(self.eval(node.value))
        return ANYTHING

    # Targets

    def load(self, node: ast.expr) -> Value:
        """What a target holds before it is assigned to."""
        if isinstance(node, ast.Name):
            return self.read((self.places[node].resolve(node.id), node.id))
        if isinstance(node, ast.Attribute):
            return self.attribute(self.eval(node.value), node.attr)
        return self._subscript(node) if isinstance(node, ast.Subscript) else ANYTHING

    def target(self, node: ast.expr, value: Value) -> None:
        """Assign."""
        if isinstance(node, ast.Name):
            self.write((self.places[node].resolve(node.id), node.id), value)
        elif isinstance(node, ast.Attribute):
            self.store(self.eval(node.value), node.attr, value)
        elif isinstance(node, ast.Subscript):
            held = self.eval(node.value)
            self.release(self.eval(node.slice))
            if isinstance(held, Items):
                self.write(held.key, self.elements(value) if isinstance(node.slice, ast.Slice) else value)
            else:
                self.release(held)
                self.release(value)
        elif isinstance(node, (ast.Tuple, ast.List)):
            for target, item in zip(node.elts, self._parts(value, node.elts), strict=True):
                self.target(target, item)
        elif isinstance(node, ast.Starred):
            self.release(value)
            self.target(node.value, ANYTHING)

    def _parts(self, value: Value, targets: list[ast.expr]) -> list[Value]:
        """What so many targets get of one value."""
        count = len(targets)
        starred = any(isinstance(item, ast.Starred) for item in targets)
        if isinstance(value, OneOf) and len(value.options) == 2 and NOTHING in value.options:
            # None cannot be unpacked.
            value = next(item for item in value.options if item != NOTHING)
        if isinstance(value, Several) and len(value.values) == count and not starred:
            return list(value.values)
        if isinstance(value, Made) and value.name in self.records and not starred:
            self.see(value)
            fields = list(self.records[value.name])
            if len(fields) == count:
                return [self.read((value.name, field)) for field in fields]
        found = self.elements(value)
        if starred:
            self.release(found)
        return [ANYTHING if starred else found] * count


EXPRESSIONS: dict[type[ast.expr], Callable[[Expressions, Any], Value]] = {
    ast.Name: Expressions._name,
    ast.Constant: Expressions._constant,
    ast.BinOp: Expressions._binary,
    ast.Attribute: Expressions._attribute,
    ast.Call: Expressions._call,
    ast.Tuple: Expressions._tuple,
    ast.List: Expressions._list,
    ast.ListComp: Expressions._comprehension,
    ast.GeneratorExp: Expressions._comprehension,
    ast.SetComp: Expressions._collected,
    ast.DictComp: Expressions._collected,
    ast.Lambda: Expressions._lambda,
    ast.BoolOp: Expressions._either,
    ast.UnaryOp: Expressions._not,
    ast.Compare: Expressions._compare,
    ast.IfExp: Expressions._choice,
    ast.NamedExpr: Expressions._named,
    ast.Subscript: Expressions._subscript,
    ast.JoinedStr: Expressions._text,
    ast.FormattedValue: Expressions._text,
    ast.Starred: Expressions._starred,
    ast.Yield: Expressions._yield,
}
