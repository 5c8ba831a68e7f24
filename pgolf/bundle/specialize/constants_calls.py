"""What calls of the program lead to."""

from __future__ import annotations

import ast

from pgolf.bundle.specialize.constants_arguments import Arguments
from pgolf.bundle.specialize.constants_cells import (
    ANYTHING,
    Items,
    Known,
    Literal,
    Made,
    OneOf,
    Option,
    Several,
    Value,
)
from pgolf.bundle.specialize.constants_objects import objects

KEEPS_NOTHING = ("len", "isinstance", "range", "str", "int", "float", "bool", "repr", "print", "any", "all", "format")
"""Builtins that neither keep nor give back what they get; what they call on it are methods with underscores."""
COPIES = ("tuple", "list", "sorted", "reversed", "iter")
HARMLESS = (
    *("state_dict", "load_state_dict", "named_parameters", "parameters", "named_buffers", "buffers", "get_parameter"),
    *("register_parameter", "register_buffer", "add_module", "zero_grad"),
)
"""Methods of torch's modules that do not give the module back and do not call it."""
GIVES_ITSELF = ("eval", "train")
"""Methods of torch's modules that do no more than give the module back."""


class Calls(Arguments):
    """Follows calls."""

    def __init__(self, tree: ast.Module):
        super().__init__(tree)
        self.callees: dict[ast.Name, list[ast.AST]] = {}
        """Name that is called -> what binds it at the top level, or itself."""

    def call(self, node: ast.Call) -> Value:
        func = node.func
        if isinstance(func, ast.Name):
            bound = self.callees.get(func)
            if bound is None:
                place = self.places[func].resolve(func.id)
                bound = self.callees[func] = place.bound.get(func.id, []) if place is self.scope else [func]
            if len(bound) == 1 and isinstance(bound[0], ast.FunctionDef):
                return self.bind(bound[0], node, 0)
            if len(bound) == 1 and isinstance(bound[0], ast.ClassDef):
                return self.construct(func.id, node)
            if not bound:
                return self.builtin(func.id, node)
        elif isinstance(func, ast.Attribute):
            return self.call_attribute(func, node)
        return self.call_value(self.eval(func), node)

    def call_value(self, value: Value, node: ast.Call, alone: bool = True) -> Value:
        """A call of whatever a variable or attribute holds."""
        if isinstance(value, OneOf):
            # The others would be a TypeError before anything happens.
            found = [item for item in objects(value) if self._takes(item, node)]
            self.arguments(node)
            return self.joined_values([self.call_value(item, node, len(found) == 1) for item in found])
        if isinstance(value, Known):
            return self.bind(value.function, node, 0, alone)
        if isinstance(value, Made):
            method = self._called(value)
            if method is not None:
                return self.bind(method, node, 1, alone)
        if value is None:
            self.arguments(node)
            return None
        return self.outside(node)

    def _takes(self, value: Option, node: ast.Call) -> bool:
        """May a value be called like that?"""
        if isinstance(value, Known):
            return not self.is_followed(value.function) or self.signature(value.function, 0).takes(node)
        method = self._called(value) if isinstance(value, Made) else None
        return method is None or not self.is_followed(method) or self.signature(method, 1).takes(node)

    def _called(self, value: Made) -> ast.FunctionDef | None:
        """What a call of an object calls."""
        made = self.method(value.name, "__call__")
        return self.method(value.name, "forward") if made is None and self.is_foreign(value.name) else made

    def call_attribute(self, func: ast.Attribute, node: ast.Call) -> Value:
        if isinstance(func.value, ast.Call) and isinstance(func.value.func, ast.Name) and func.value.func.id == "super":
            return self.call_super(func.attr, node)
        if node.args and self.is_compile(node):
            return self.compiled(node)
        owner = self.eval(func.value)
        if isinstance(owner, OneOf):
            found = objects(owner)
            return self.joined_values([self.call_on(item, func.attr, node, len(found) == 1) for item in found])
        return self.call_on(owner, func.attr, node)

    def call_on(self, owner: Value, name: str, node: ast.Call, alone: bool = True) -> Value:
        """`owner.name(...)`; `alone` says that nothing else may be called there."""
        if owner is None:
            self.arguments(node)
            return None
        if isinstance(owner, Made):
            return self.call_method(owner, name, node, alone)
        if isinstance(owner, Items) and name in ("append", "extend"):
            for value in self.arguments(node):
                self.write(owner.key, value if name == "append" else self.elements(value))
            return ANYTHING
        return self.call_unknown(owner, name, node)

    def call_method(self, owner: Made, name: str, node: ast.Call, alone: bool) -> Value:
        method = self.method(owner.name, name)
        if method is not None and name in self.stored:
            # An object's own attribute hides the method of its class.
            self.release_method(method)
            return self.outside(node)
        if method is not None:
            return self.bind(method, node, 1, alone)
        if owner.name in self.records and name == "_replace":
            return self.replace(owner, node)
        foreign = self.is_foreign(owner.name) and name not in self.closed
        harmless = name in HARMLESS or (name in GIVES_ITSELF and node in self.discarded)
        if (foreign and not harmless) or (owner.name in self.records and name not in self.records[owner.name]):
            self.release(owner)
        return self.call_value(ANYTHING if foreign else self.attribute(owner, name), node, alone)

    def call_unknown(self, owner: Value, name: str, node: ast.Call) -> Value:
        """A method of an object of unknown class: all that have the name may be meant."""
        if name == "_replace":
            for record in self.records:
                self.replace(self.made[record], node)
            return ANYTHING
        methods = self.methods_named(name)
        for method in methods:
            self.release_method(method)
        value = self.attribute(owner, name) if name in self.closed and not methods else ANYTHING
        if isinstance(value, (Known, Made)):
            return self.call_value(value, node)
        if not isinstance(owner, Literal):
            self.release(owner)
        return self.outside(node)

    def call_super(self, name: str, node: ast.Call) -> Value:
        for base in self.bases.get(self.owner, ()):
            method = self.method(base, name) if base in self.classes else None
            if method is not None:
                return self.bind(method, node, 1)
        return self.outside(node)

    def compiled(self, node: ast.Call) -> Value:
        """`torch.compile(x, ...)` is called as x is."""
        first, *rest = self.arguments(node)
        for value in rest:
            self.release(value)
        if first is None or isinstance(first, (Known, Made, OneOf)):
            return first
        self.release(first)
        return ANYTHING

    def builtin(self, name: str, node: ast.Call) -> Value:
        given = self.arguments(node)
        plain = not node.keywords and not any(isinstance(item, ast.Starred) for item in node.args)
        if name in KEEPS_NOTHING:
            for value in given if name != "isinstance" else []:
                self.see(value, deep=name != "len")
            for value in given[len(node.args) :]:
                # `print(x, file=y)` calls `y.write`.
                self.release(value)
            return ANYTHING
        if name in COPIES and given and len(node.args) == 1:
            self.write((node, "items"), self.elements(given[0]))
            for value in given[1:]:
                self.release(value)
            if name == "sorted":
                # They are compared, or handed to the key.
                self.release(self.read((node, "items")))
            return Items((node, "items"))
        if name == "enumerate" and plain and given:
            self.write((node, "items"), Several((ANYTHING, self.elements(given[0]))))
            return Items((node, "items"))
        if name == "zip" and not any(isinstance(item, ast.Starred) for item in node.args):
            self.write((node, "items"), Several(tuple(self.elements(value) for value in given[: len(node.args)])))
            return Items((node, "items"))
        for value in given:
            self.release(value)
        return ANYTHING
