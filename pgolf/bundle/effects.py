"""What evaluating an expression can do: the only answer of the bundler to what may go, move or be repeated.

The words: a *pure* expression does nothing and cannot fail. A *droppable* one need not be evaluated. A *movable* one gives the
same whenever it is evaluated, and so may change places with any other. An *idle* one makes an object and does nothing else.

Whether something is there is also a value: a program that catches the error for a missing attribute or variable can tell that
a pass has put a literal or a variable in its place. `observes_absence` says whether a program does that anywhere.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from functools import cached_property

from pgolf.bundle.handlers import ABSENCE, handled, may_end
from pgolf.bundle.literals import SINGLETONS, UNKNOWN, formatted, value_of
from pgolf.bundle.names import FUNCTIONS
from pgolf.bundle.program import Program
from pgolf.bundle.source import last_name
from pgolf.bundle.syntax import binds_self, is_idle_line, is_record, methods_of, pairs
from pgolf.bundle.trees import walk
from pgolf.bundle.visibility import BY_TEXT, MAKERS, SHOWING

COPIERS = frozenset(("deepcopy", "AveragedModel"))
"""What copies an object with all that it holds; so does anything else of the module `copy`."""
OF_MODULES = frozenset(("training",))
"""Attributes that every torch module has, which the program reads."""


def is_pure(node: ast.expr) -> bool:
    """Literals, `is`, and logic on these: nothing is lost by not evaluating it.

    Not the truth of a variable or attribute: an object may have its own opinion, and an attribute may be computed.
    """
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return is_pure(node.operand)
    if isinstance(node, ast.BoolOp):
        return all(is_pure(value) for value in node.values)
    if isinstance(node, ast.Compare):
        identity = all(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops)
        return identity and all(isinstance(side, ast.Name) or is_pure(side) for side in (node.left, *node.comparators))
    return value_of(node) is not UNKNOWN


def is_chain(node: ast.AST) -> bool:
    """A name, or an attribute of an attribute of one, that is read."""
    while isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        node = node.value
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def can_hold(program: Program, node: ast.expr, value: ast.expr) -> bool:
    """May a literal be written in the place of an expression?

    Not beside `is`, which asks which object it is: only None, True and False are one object wherever they are written. Not in
    the braces of an f-string where it would not be folded into the text: before Python 3.12 no text can be printed there. Not
    where it would be called or asked for an attribute that only some literals have, not in a pattern, and not in a kernel.
    """
    content, above = value_of(value), program.parent(node)
    number = type(content) in (bool, int, float)
    if isinstance(above, ast.pattern) or (isinstance(above, ast.Call) and above.func is node):
        return False
    if isinstance(above, ast.Attribute) and not isinstance(content, (str, bytes, tuple)):
        return False
    if isinstance(above, ast.Compare) and not _decides(above, content):
        return not any(isinstance(op, (ast.Is, ast.IsNot)) for op in above.ops) and _may_print(program, node, number)
    if isinstance(above, ast.FormattedValue):
        part = ast.FormattedValue(value=value, conversion=above.conversion, format_spec=above.format_spec)
        return (number or formatted(part) is not None) and not is_in_kernel(program, node)
    return _may_print(program, node, number)


def _may_print(program: Program, node: ast.expr, number: bool) -> bool:
    """May a literal stand in what is around a place: a number anywhere, another one in no f-string, none in a kernel?"""
    return (number or not is_in_text(program, node)) and not is_in_kernel(program, node)


def is_in_text(program: Program, node: ast.AST) -> bool:
    """Is this in the braces of an f-string?"""
    return any(isinstance(above, ast.JoinedStr) for above in program.ancestors(node))


def is_in_kernel(program: Program, node: ast.AST) -> bool:
    """Is this in a function that Triton compiles?"""
    above = [other for other in program.ancestors(node) if isinstance(other, ast.FunctionDef)]
    return any(last_name(mark) == "jit" for function in above for mark in function.decorator_list)


def _decides(comparison: ast.Compare, content: object) -> bool:
    """Is `x is y` the same for every object of this value: where one side is None, True or False?"""
    singles = any(content is single for single in SINGLETONS)
    others = [value_of(side) for side in (comparison.left, *comparison.comparators)]
    return singles or (len(others) == 2 and any(other is single for other in others for single in SINGLETONS))


def rebound_names(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that evaluating an expression may bind: functions that it calls declare them `global`, or a walrus stands in it."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            found.update(node.names)
        elif isinstance(node, ast.NamedExpr):
            found.add(node.target.id)
    return found


def is_movable(node: ast.expr, rebound: Collection[str]) -> bool:
    """Does an expression give the same before and after any other: a literal, or a name that no expression binds?

    Args:
        rebound: `rebound_names` of the whole program.
    """
    if isinstance(node, ast.Name):
        return node.id not in rebound
    return value_of(node) is not UNKNOWN


class Effects:
    """What the expressions of one program can do. It speaks of the program as it is when it is asked."""

    def __init__(self, program: Program):
        self.program = program

    # What may go

    def is_droppable(self, node: ast.expr) -> bool:
        """May an expression go unevaluated? A literal, a name that is always there, or an attribute of the program's own.

        Not an attribute that a library's object may lack, nor a property: that is a call. Nor any attribute where the program
        may be waiting for the error.
        """
        while isinstance(node, ast.Attribute):
            known = node.attr in self.program.own or node.attr in OF_MODULES
            if not known or node.attr in self.decorated or self.observes_absence:
                return False
            node = node.value
        return value_of(node) is not UNKNOWN if not isinstance(node, ast.Name) else self.is_always_there(node)

    def is_always_there(self, node: ast.Name) -> bool:
        """Is a name one of the top level that is bound once, or a parameter that nothing else binds?

        One that a function binds may be missing, if no line of its own body binds it above: that is an error, which somebody
        may wait for.
        """
        owner = self.program.variable(node)
        if owner.kind == "module":
            bound_somewhere = len(self.program.writes.get(node.id, [])) == 1
            return self.program.is_constant(node.id) or (bound_somewhere and not self.observes_absence)
        bound = owner.bound.get(node.id, [])
        if not isinstance(owner.node, FUNCTIONS) or len(bound) != 1:
            return False
        return isinstance(bound[0], ast.arg) or (
            self.program.place(node) is owner and self._is_bound_above(node, bound[0])
        )

    def _is_bound_above(self, node: ast.Name, binding: ast.AST) -> bool:
        """Does an assignment in a function's own body bind a variable in front of the line that reads it?"""
        function, line = self.program.function(node), self.program.parent(binding)
        line = self.program.parent(line) if isinstance(line, ast.Tuple) else line
        if not isinstance(function, ast.FunctionDef) or not isinstance(line, ast.Assign) or line not in function.body:
            return False
        following = function.body[function.body.index(line) + 1 :]
        return any(above in following for above in self.program.ancestors(node))

    @cached_property
    def decorated(self) -> frozenset[str]:
        """Functions and methods with decorators, properties among them."""
        return frozenset().union(*(facts.decorated for facts in self.program.all_facts()))

    # What makes an object

    def is_idle(self, node: ast.expr, parameters: Collection[str] = ()) -> bool:
        """Literals, constant names, parameters, containers of these, and calls that only make an object of them."""
        if isinstance(node, (ast.Tuple, ast.List)):
            return all(self.is_idle(part, parameters) for part in node.elts)
        if isinstance(node, ast.Dict):
            literal = all(key is not None and value_of(key) is not UNKNOWN for key in node.keys)
            return literal and all(self.is_idle(value, parameters) for value in node.values)
        if isinstance(node, ast.Name):
            return node.id in parameters or self._is_constant(node)
        if isinstance(node, ast.Call):
            return self.only_makes(node, parameters)
        return value_of(node) is not UNKNOWN

    def only_makes(self, node: ast.Call, parameters: Collection[str] = ()) -> bool:
        """Does a call only make a record, a `partial`, or an object whose constructor only stores?"""
        func, values = node.func, [*node.args, *(word.value for word in node.keywords)]
        if not isinstance(func, ast.Name) or func.id in parameters or not self._is_constant(func):
            return False
        if any(word.arg is None for word in node.keywords) or not all(self.is_idle(one, parameters) for one in values):
            return False
        definition = self.program.classes.get(func.id)
        if definition is None:
            return func.id in self.partials
        if is_record(definition):
            return not any(method.name.startswith("__") for method in methods_of(definition))
        return self._only_stores(definition)

    def _is_constant(self, node: ast.Name) -> bool:
        """Is this a name of the top level that is bound once, and no variable of a function that is called like it?"""
        return self.program.is_constant(node.id) and self.program.variable(node).kind == "module"

    def _only_stores(self, definition: ast.ClassDef) -> bool:
        """Does making an object of a class only store attributes that are no members of it?"""
        methods = {method.name: method for method in methods_of(definition)}
        special = any(name.startswith("__") and name not in ("__init__", "__call__") for name in methods)
        if definition.bases or definition.keywords or definition.decorator_list or special:
            return False
        made = methods.get("__init__")
        return made is None or (
            not made.decorator_list and binds_self(made) and self._only_gives_attributes(made, methods)
        )

    def _only_gives_attributes(self, made: ast.FunctionDef, methods: Collection[str]) -> bool:
        """Does a constructor only give attributes, none called like a method, what is idle?"""
        first, *rest = [argument.arg for argument in walk(made.args) if isinstance(argument, ast.arg)]
        stored = [pairs(line) for line in made.body if not is_idle_line(line)]
        targets = [target for line in stored for target, _ in line]
        values = [value for line in stored for _, value in line]
        return (
            all(stored)
            and all(_is_attribute_of(target, first, methods) for target in targets)
            and all(self.is_idle(value, rest) for value in values)
        )

    @property
    def partials(self) -> set[str]:
        """Names that mean functools.partial."""
        imports = [
            node for node in self.program.body if isinstance(node, ast.ImportFrom) and node.module == "functools"
        ]
        names = [alias for node in imports for alias in node.names if alias.name == "partial"]
        return {alias.asname or alias.name for alias in names if self.program.is_constant(alias.asname or alias.name)}

    # What the program can tell

    @cached_property
    def observes_absence(self) -> bool:
        """Does the program catch the error for what is not there, or ask whether something is?"""
        return self.looks_up_by_text or self.program.table("absence", self._may_end_absence)

    def _may_end_absence(self) -> bool:
        parts = [facts.table("handled", lambda facts: handled(facts.nodes)) for facts in self.program.all_facts()]
        return may_end(self.program.nodes, ABSENCE, [kind for part in parts for kind in part])

    @cached_property
    def looks_up_by_text(self) -> bool:
        """May attributes be read or stored that no `x.y` of the program shows?"""
        imported = {alias.name for node in self.program.nodes(ast.ImportFrom) for alias in node.names}
        return not (
            imported.isdisjoint(MAKERS)
            and self.program.reads.keys().isdisjoint(BY_TEXT)
            and self.program.attributes.keys().isdisjoint(SHOWING)
        )

    @cached_property
    def copies_objects(self) -> bool:
        """May a library make a copy of an object with all that it holds? Then one thing may be there twice."""
        imports, froms = self.program.nodes(ast.Import), self.program.nodes(ast.ImportFrom)
        names = {alias.name for node in froms for alias in node.names}
        modules = {alias.name for node in imports for alias in node.names} | {node.module for node in froms}
        return "copy" in modules or not COPIERS.isdisjoint((*names, *self.program.attributes))

    @cached_property
    def constructs_unseen(self) -> bool:
        """May a constructor run with arguments that no call by its class's name shows?

        By `x.__init__(...)` other than of `super()`, by a class that is got from an object, or as `cls` of a classmethod.
        """
        attributes = self.program.attributes
        again = [use for use in attributes.get("__init__", []) if last_name(use.value) != "super"]
        types = [use for use in self.program.reads.get("type", []) if not self._only_compares(use)]
        asked = again or types or "__class__" in attributes or "__new__" in attributes
        return bool(asked) or any("classmethod" in facts.decorators for facts in self.program.all_facts())

    def _only_compares(self, use: ast.Name) -> bool:
        """Is this the `type` of `type(x) is A`, or of `type(x).__name__`?"""
        call = self.program.call_of(use)
        above = self.program.parent(call) if call is not None and len(call.args) == 1 else None
        return isinstance(above, ast.Compare) or (isinstance(above, ast.Attribute) and above.attr == "__name__")


def _is_attribute_of(target: ast.expr, owner: str, members: Collection[str]) -> bool:
    """`owner.x`, where `x` is none of the members."""
    return isinstance(target, ast.Attribute) and getattr(target.value, "id", "") == owner and target.attr not in members
