"""What calls hand to the functions and records that they lead to."""

from __future__ import annotations

import ast

from pgolf.bundle.names import FunctionNode
from pgolf.bundle.specialize.constants_cells import ANYTHING, Made, Value, is_followed
from pgolf.bundle.specialize.constants_objects import Objects
from pgolf.bundle.specialize.constants_shapes import Signature, gives, handed_back, hides, signature


class Arguments(Objects):
    """Follows arguments into parameters and fields."""

    def __init__(self, tree: ast.Module):
        super().__init__(tree)
        self.signatures: dict[tuple[FunctionNode, int], Signature] = {}
        self.followed: dict[FunctionNode, bool] = {}
        self.handed: dict[FunctionNode, str] = {}
        """Function -> the parameter that it gives back."""

    def is_followed(self, function: FunctionNode) -> bool:
        if function not in self.followed:
            self.followed[function] = is_followed(function, self.inner[function])
        return self.followed[function]

    def signature(self, function: FunctionNode, skipped: int) -> Signature:
        if (function, skipped) not in self.signatures:
            self.signatures[function, skipped] = signature(function, skipped)
        return self.signatures[function, skipped]

    def arguments(self, node: ast.Call) -> list[Value]:
        values = [self.eval(item) for item in node.args]
        values += [self.eval(item.value) for item in node.keywords]
        return values

    def outside(self, node: ast.Call) -> Value:
        """A call of something that is not followed."""
        for value in self.arguments(node):
            self.release(value)
        return ANYTHING

    def construct(self, name: str, node: ast.Call) -> Value:
        if name in self.records:
            if node not in self.constructions[name]:
                self.constructions[name].append(node)
            self.fill(name, node)
            return self.made[name]
        made = self.method(name, "__init__")
        if made is not None:
            self.bind(made, node, 1)
        else:
            self.outside(node)
        return self.made[name]

    def fill(self, name: str, node: ast.Call) -> None:
        """A record's fields from the call that makes it."""
        fields = self.records[name]
        given = self.given(node, list(fields))
        for field, default in fields.items():
            value = ANYTHING if given is None else given.pop(field, None)
            if value is None and default is not None and not gives(node, list(fields), field):
                value = self.constant(default)
            self.write((name, field), value)

    def replace(self, owner: Made, node: ast.Call) -> Value:
        given = self.given(node, [])
        if given is not None and not set(given) <= set(self.records[owner.name]):
            return owner
        for field in self.records[owner.name]:
            if given is None or field in given:
                self.replaced.add((owner.name, field))
                self.write((owner.name, field), ANYTHING if given is None else given[field])
        return owner

    def given(self, node: ast.Call, parameters: list[str]) -> dict[str, Value] | None:
        """Parameter -> argument; None where stars hide them. What is over is released."""
        values = self.arguments(node)
        if hides(node):
            for value in values:
                self.release(value)
            return None
        for value in values[len(parameters) : len(node.args)]:
            self.release(value)
        found = dict(zip(parameters, values[: len(node.args)], strict=False))
        found.update(
            {str(item.arg): value for item, value in zip(node.keywords, values[len(node.args) :], strict=True)}
        )
        return found

    def bind(self, function: FunctionNode, node: ast.Call, skipped: int, alone: bool = True) -> Value:
        """Hand a call's arguments to a function; gives its result."""
        if not alone:
            self.loose.add(function)
        if not self.is_followed(function):
            return self.outside(node)
        takes = self.signature(function, skipped)
        if not takes.takes(node):
            # One of several that are called there at different times; this call would be a TypeError.
            self.loose.add(function)
            self.arguments(node)
            return None
        self.calls.setdefault(function, {})[node] = skipped
        given = self.given(node, takes.positional)
        # What a function hands back is known for each call of it.
        handed = self._handed_back(function) if given else ""
        result = given.get(handed) if given and handed in takes.positional else None
        self._give(function, takes, given)
        return self.read((function, "return")) if result is None else result

    def _give(self, function: FunctionNode, takes: Signature, given: dict[str, Value] | None) -> None:
        """Let the parameters hold what a call gives, and release what is over."""
        scope = self.inner[function]
        if given is None:
            self.loose.add(function)
        for name in takes.names:
            if given is None:
                self.write((scope, name), ANYTHING)
            elif name in given:
                self.write((scope, name), given.pop(name))
            elif name in takes.defaults:
                self.write((scope, name), self.constant(takes.defaults[name]))
        for value in (given or {}).values():
            self.release(value)

    def _handed_back(self, function: FunctionNode) -> str:
        if function not in self.handed:
            self.handed[function] = handed_back(function, self.inner[function], self.is_compile)
        return self.handed[function]

    def is_compile(self, node: ast.Call) -> bool:
        func = node.func
        return isinstance(func, ast.Attribute) and func.attr == "compile" and self._is_torch(func.value)

    def _is_torch(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Name):
            return False
        bound = self.places[node].resolve(node.id).bound.get(node.id, [])
        return len(bound) == 1 and isinstance(bound[0], ast.alias) and bound[0].name == "torch"
