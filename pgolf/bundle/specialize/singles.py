"""Classes that make one object, which has a top-level name and goes nowhere: what they have, and who mentions it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from pgolf.bundle.names import FUNCTIONS, scopes
from pgolf.bundle.source import last_name
from pgolf.bundle.specialize.fold import SINGLETONS, UNKNOWN, spec_text, value_of
from pgolf.bundle.specialize.idle import Idle, is_idle_line
from pgolf.bundle.specialize.journey import Journey, is_called
from pgolf.bundle.syntax import binds_self
from pgolf.bundle.trees import below, walk
from pgolf.bundle.visibility import BY_TEXT

DECORATORS = ("staticmethod", "no_grad", "inference_mode")
ASKING = ("AttributeError", "globals", "locals", "vars", "eval", "exec")
"""With one of these a program could see that an attribute is a variable now."""
OF_CLASS = ("super", "__class__")
"""These mean something in a method only."""
TELLING = (*BY_TEXT, "type", "id")
"""With one of these it could tell an object from a function."""


@dataclass
class Single:
    """A class with one object.

    Attributes:
        statement: the assignment that makes the object; `name` is its variable.
        values: what the constructor's parameters are given.
        methods: its functions by name.
        constants: literals of the class by name.
        stores: what its constructor stores where, in order.
        attributes: everything stored in `self`.
        uses: each mention of a member, by the object's name or `self` -> the member.
        whole: each mention of the object that asks for no member; all but calls need a class with nothing but `__call__`.
        shown: constants that must stay variables, because a literal would not mean the same wherever they are read.
    """

    definition: ast.ClassDef
    statement: ast.Assign
    name: str
    values: dict[str, ast.expr]
    stores: list[tuple[ast.Attribute, ast.expr]]
    methods: dict[str, ast.FunctionDef] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    uses: dict[ast.Attribute, str] = field(default_factory=dict)
    whole: list[ast.Name] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)


class Look:
    """The whole program: who mentions what, and inside what."""

    def __init__(self, tree: ast.Module):
        self.known = Idle(tree)
        self.names: dict[str, list[ast.Name]] = {}
        self.parents: dict[ast.AST, ast.AST] = {}
        self.attributes: dict[str, list[ast.Attribute]] = {}
        scope, self.places = scopes(tree)
        self.bound_inside = {name for inner in scope.walk() if inner is not scope for name in inner.bound}
        for node in walk(tree):
            for child in below(node):
                self.parents[child] = node
            if isinstance(node, ast.Name):
                self.names.setdefault(node.id, []).append(node)
            elif isinstance(node, ast.Attribute):
                self.attributes.setdefault(node.attr, []).append(node)
        self.mute = not any(name in self.names for name in ASKING)
        self.alike = not any(name in self.names for name in TELLING)

    def single(self, node: ast.stmt) -> Single | None:
        """What `node` makes, where that is the only object of a class that can be flattened."""
        if not self.mute or not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            return None
        call, target = node.value, node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Name) or not isinstance(call.func, ast.Name):
            return None
        definition = self.known.classes.get(call.func.id)
        if definition is None or len(self.names[call.func.id]) != 1 or not self.is_single(target.id):
            return None
        stores, values = self.known.constructor(definition), given(definition, call)
        if stores is None or values is None or not self.known.makes(call, frozenset()):
            return None
        single = Single(definition, node, target.id, values, stores)
        return single if self.reads_body(single) and self.reads_uses(single) and self.fits(single) else None

    def is_single(self, name: str) -> bool:
        """Is a name bound once, and at the top level?"""
        return name in self.known.named and name not in self.bound_inside

    def reads_body(self, single: Single) -> bool:
        """Sort what a class has; False where it has something else."""
        for item in single.definition.body:
            if isinstance(item, ast.FunctionDef):
                marks = [last_name(mark) for mark in item.decorator_list]
                if item.name in single.methods or not all(mark in DECORATORS for mark in marks):
                    return False
                if "staticmethod" not in marks and not binds_self(item):
                    return False
                single.methods[item.name] = item
            elif isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name) and len(item.targets) == 1:
                if value_of(item.value) is UNKNOWN or item.targets[0].id in single.constants:
                    return False
                single.constants[item.targets[0].id] = item.value
            elif not is_idle_line(item):
                return False
        names = {node.id for node in walk(single.definition) if isinstance(node, ast.Name)}
        return not set(single.methods) & set(single.constants) and not names & set(OF_CLASS)

    def reads_uses(self, single: Single) -> bool:
        """Collect all mentions of the object; False where an attribute is stored in an inner scope, or deleted."""
        for name, method in single.methods.items():
            if "staticmethod" in [last_name(mark) for mark in method.decorator_list]:
                continue
            first = method.args.args[0].arg
            for node in walk(method):
                if not isinstance(node, ast.Name) or node.id != first:
                    continue
                if not self.mentions(single, node):
                    return False
                outer = self.parents[node]
                stored = isinstance(outer, ast.Attribute) and not isinstance(outer.ctx, ast.Load)
                if stored and self.scope(outer) is not method:
                    return False
                if name == "__init__" and not stored:
                    return False
        return all(
            self.mentions(single, node)
            and not (isinstance(self.parents[node], ast.Attribute) and stores(self.parents[node]))
            for node in self.names[single.name]
            if isinstance(node.ctx, ast.Load)
        )

    def mentions(self, single: Single, node: ast.Name) -> bool:
        """Note one mention of the object; False where it deletes an attribute."""
        outer = self.parents[node]
        if not isinstance(outer, ast.Attribute):
            single.whole.append(node)
            return True
        single.uses[outer] = outer.attr
        if isinstance(outer.ctx, ast.Store):
            single.attributes.add(outer.attr)
        elif (
            isinstance(outer.ctx, ast.Load)
            and outer.attr in single.constants
            and not self.is_literal_place(outer, single)
        ):
            single.shown.add(outer.attr)
        return not isinstance(outer.ctx, ast.Del)

    def is_literal_place(self, node: ast.Attribute, single: Single) -> bool:
        """May a constant stand here: not beside `is`, and a text in no braces but its own?"""
        value = value_of(single.constants[node.attr])
        inner: ast.AST = node
        while isinstance(inner, ast.expr):
            outer = self.parents[inner]
            compared = isinstance(outer, ast.Compare) and any(isinstance(op, (ast.Is, ast.IsNot)) for op in outer.ops)
            if compared and not any(value is item for item in SINGLETONS):
                return False
            if isinstance(outer, ast.FormattedValue):
                whole = inner is node and (outer.format_spec is None or spec_text(outer.format_spec) is not None)
                if not whole and type(value) not in (bool, int, float):
                    return False
            inner = outer
        return True

    def scope(self, node: ast.AST) -> ast.AST:
        """The function, comprehension or class around a node."""
        outer = self.parents[node]
        while not isinstance(
            outer, (*FUNCTIONS, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
        ):
            outer = self.parents[outer]
        return outer

    def fits(self, single: Single) -> bool:
        """Does each mention mean a member that is one thing only?"""
        members = {*single.methods, *single.constants, *single.attributes}
        number = len(single.methods) + len(single.constants) + len(single.attributes)
        if number != len(members) or not set(single.uses.values()) <= members:
            return False
        if single.whole and "__call__" not in single.methods:
            return False
        loose = [node for node in single.whole if not is_called(node, self.parents)]
        # Whoever else gets the object can only call it, if there is nothing else to ask for.
        bare = members <= {"__call__", "__init__"}
        return not loose or (
            self.alike
            and (
                bare
                or all(
                    Journey(self.parents, self.places, self.names, self.attributes).ends_in_calls(node)
                    for node in loose
                )
            )
        )


def stores(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)


def given(definition: ast.ClassDef, call: ast.Call) -> dict[str, ast.expr] | None:
    """What a call gives for each parameter of the constructor; None where that is not plain to see."""
    made = [item for item in definition.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
    if not made:
        return None if call.args or call.keywords else {}
    arguments = made[0].args
    if len(made) > 1 or arguments.posonlyargs or arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
        return None
    names = [argument.arg for argument in arguments.args[1:]]
    defaults = arguments.defaults
    values = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True)) if defaults else {}
    values.update(zip(names, call.args, strict=False))
    values.update({item.arg: item.value for item in call.keywords if item.arg})
    fits = len(call.args) <= len(names) and set(values) == set(names)
    # What is stored twice must be one object.
    plain = all(isinstance(value, ast.Name) or value_of(value) is not UNKNOWN for value in values.values())
    return values if fits and plain else None
