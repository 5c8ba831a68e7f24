"""Singletons: classes of which the program makes one object in its whole run, and of which nothing is special.

That a call runs at most once is shown by counting: the top level runs once, and so does the body of a function that only one
place calls, if that place runs at most once itself and is in no loop.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from itertools import chain

from pgolf.bundle.facts import Facts
from pgolf.bundle.passes.call_graph import PLAIN_DECORATORS
from pgolf.bundle.program import Program
from pgolf.bundle.source import last_name
from pgolf.bundle.syntax import binds_self, field_name, is_idle_line, is_record, is_static, member_names, pairs
from pgolf.bundle.trees import below, walk

REPEATED = {
    *(ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef),
}
"""What is below these may run any number of times."""
OF_CLASS = ("super", "__class__")
"""These mean something in a method only."""
FIELD_KINDS = ("ClassVar", "InitVar", "KW_ONLY")
"""Annotations of dataclasses that stand for something other than a field."""
MAY_BE_FUNCTIONS = (ast.Name, ast.Attribute, ast.Call, ast.Lambda, ast.Subscript, ast.IfExp, ast.BoolOp, ast.NamedExpr)
"""A variable of a class that holds a function is a method."""


class Execution:
    """Code that runs at most once: the top level, and functions that only one place names, which calls them and runs once.

    Attributes:
        once: every node that runs at most once.
        lasting: functions that the main block ends with: their variables live until the program ends.
    """

    def __init__(self, program: Program):
        self.program = program
        self.once: set[ast.AST] = set()
        self.lasting: set[ast.FunctionDef] = set()
        waiting = [*chain.from_iterable(facts.table("straight", _straight_on) for facts in program.all_facts())]
        while waiting:
            node = waiting.pop()
            self.once.add(node)
            function = self._only_callee(node) if node.__class__ is ast.Call else None
            if function is not None:
                waiting += program.facts(function).table("straight inside", _straight_inside)
        main = program.main
        last = main.body[-1] if main is not None else None
        function = self._only_callee(last.value) if isinstance(last, ast.Expr) else None
        if function is not None:
            self.lasting.add(function)

    @classmethod
    def of(cls, program: Program) -> Execution:
        """That of a program as it is now."""
        return program.table("execution", lambda: cls(program))

    def _only_callee(self, node: ast.AST) -> ast.FunctionDef | None:
        """The function that a call calls, if nothing else names it and its body runs when it is called."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            return None
        name, program = node.func.id, self.program
        function = program.functions.get(name)
        if function is None or program.reads.get(name) != [node.func] or not program.is_constant(name):
            return None
        return None if function.decorator_list or program.scope(function).yields else function


def straight(body: list[ast.stmt]) -> list[ast.AST]:
    """The nodes of a body that run at most once when it does: none in loops or functions."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        found.append(node)
        if node.__class__ not in REPEATED:
            waiting += below(node)
    return found


def _straight_on(facts: Facts) -> list[ast.AST]:
    return straight([facts.node])


def _straight_inside(facts: Facts) -> list[ast.AST]:
    return straight(facts.node.body) if isinstance(facts.node, ast.FunctionDef) else []


@dataclass
class Singleton:
    """A class with one object.

    Attributes:
        definition: the class.
        call: what makes the object.
        methods: its functions by name, the constructor among them.
        constants: variables of the class -> their values.
        fields: those of a record, in order; None for any other class.
    """

    definition: ast.ClassDef
    call: ast.Call
    methods: dict[str, ast.FunctionDef] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    fields: list[str] | None = None

    @property
    def constructor(self) -> ast.FunctionDef | None:
        """The function that gives the object its attributes; None for a record and for a class without one."""
        return self.methods.get("__init__")

    def binding_self(self) -> list[ast.FunctionDef]:
        """Methods that get the object."""
        return [method for method in self.methods.values() if not is_static(method)]


def singletons(program: Program, once: set[ast.AST]) -> list[Singleton]:
    """Every class that is named once, by a call among `once`, and has nothing but methods, variables and fields."""
    found: list[Singleton] = []
    for definition in program.classes.values():
        reads = program.reads.get(definition.name, [])
        call = program.call_of(reads[0]) if len(reads) == 1 else None
        if call is not None and call in once and program.is_constant(definition.name):
            single = Singleton(definition, call)
            if _is_plain(definition, program) and all(_take(single, line) for line in definition.body):
                found.append(single)
    return found


def _is_plain(definition: ast.ClassDef, program: Program) -> bool:
    """Has a class no base, no decorator, no private names, and no line that reads another?"""
    record = is_record(definition)
    nodes = walk(definition)
    words = {node.id for node in nodes if isinstance(node, ast.Name)}
    words |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    mangled = any(word.startswith("__") and not word.endswith("__") for word in words)
    plain = record or not (definition.bases or definition.decorator_list)
    scope = program.scope(definition)
    members = [name for line in definition.body for name in member_names(line)]
    return (
        plain
        and len(set(members)) == len(members)
        and not definition.keywords
        and not mangled
        and words.isdisjoint((*OF_CLASS, *FIELD_KINDS))
        and scope.bound.keys().isdisjoint(scope.reads)
    )


def _take(single: Singleton, line: ast.stmt) -> bool:
    """Sort one line of the class's body; False where it is something else."""
    record, stored = is_record(single.definition), pairs(line)
    if isinstance(line, ast.FunctionDef):
        single.methods[line.name] = line
        return _is_plain_method(line) and not (record and line.name.startswith("__"))
    if is_idle_line(line):
        return True
    name = field_name(line) or (getattr(stored[0][0], "id", "") if len(stored) == 1 else "")
    value = getattr(line, "value", None)
    if record:
        single.fields = [*(single.fields or []), name]
    if value is not None:
        single.constants[name] = value
    has_form = isinstance(line, ast.AnnAssign) if record else value is not None
    return bool(name) and has_form and not name.startswith("__") and not isinstance(value, MAY_BE_FUNCTIONS)


def _is_plain_method(method: ast.FunctionDef) -> bool:
    special = method.name.startswith("__") and method.name not in ("__init__", "__call__")
    marks = [last_name(mark) for mark in method.decorator_list]
    if special or not all(mark in (*PLAIN_DECORATORS, "staticmethod") for mark in marks):
        return False
    return binds_self(method) if "staticmethod" not in marks else not method.name.startswith("__")
