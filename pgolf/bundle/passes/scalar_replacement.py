"""Scalar replacement of aggregates: an object that is the only one of its class becomes variables and functions.

The class is named once, by a call that runs at most once, and nothing is special about it (`singletons`). The object is
followed to every place that it comes to (`escape`). Where it is only asked for its members and called, `self.since` is a
variable of the top level, a method a function without `self`, and what handed the object on hands on None, which dead argument
elimination drops. An object that is also handed to somebody who cannot be followed may only have `__call__` to ask for: that
function is handed on in its place. What makes the object without doing anything else is written in front of the main block, or
in the place of the call; any other constructor becomes a function, too (`construction`).

    clock = Clock(); clock.start()      ->      def start_2(): global since_2; since_2 += 1 ... since_2 = 0; start_2()
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from pgolf.bundle.effects import is_chain
from pgolf.bundle.passes.aggregates import Aggregate, aggregates
from pgolf.bundle.passes.construction import assign
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.passes.dead_stores import forget_globals
from pgolf.bundle.program import Program
from pgolf.bundle.source import last_name
from pgolf.bundle.syntax import assignment, is_idle_line, is_record, is_static, pairs

Function = ast.FunctionDef | ast.AsyncFunctionDef


def scalar_replacement(program: Program) -> None:
    """Replace what can be replaced at once: an object that another one holds has to wait until that one is gone."""
    found = aggregates(program)
    for aggregate in found:
        _Replacement(program, aggregate).run()
    if found:
        forget_globals(program)


class _Replacement:
    """Replaces one object."""

    def __init__(self, program: Program, aggregate: Aggregate):
        self.program, self.single, self.escape = program, aggregate.single, aggregate.escape
        self.construction = aggregate.construction
        self.handed_on = [*self.escape.handed, *self.escape.loose]
        members = [name for name in (*self.single.methods, *sorted(aggregate.fields)) if name != "__init__"]
        if not self.construction.is_inlined:
            members.append("__init__")
        self.names = {name: program.fresh(self._wanted(name)) for name in members}

    def _wanted(self, member: str) -> str:
        """A name to begin with; what stands for the object itself is called like its class."""
        return self.single.definition.name.lower() if member in ("__init__", "__call__") else member.strip("_")

    def run(self) -> None:
        """Change the program."""
        self._replace_members()
        self._replace_object()
        self._replace_call()
        self._replace_class()
        self._drop_holders()

    def _name(self, member: str) -> ast.expr:
        return ast.Name(id=self.names[member], ctx=ast.Load())

    def _replace_members(self) -> None:
        declared: dict[Function, set[str]] = {}
        for node in self.escape.members:
            function = self.program.function(node) if isinstance(node.ctx, ast.Store) else None
            if isinstance(function, Function):
                declared.setdefault(function, set()).add(self.names[node.attr])
            self.program.put(node, ast.Name(id=self.names[node.attr], ctx=node.ctx))
        for function, names in declared.items():
            if function is not self.single.constructor or not self.construction.is_inlined:
                declare(self.program, function, names)

    def _replace_object(self) -> None:
        for node in self.escape.called:
            self.program.put(node, self._name("__call__"))
        for comparison in self.escape.compared:
            self.program.put(comparison, ast.Constant(value=isinstance(comparison.ops[0], ast.IsNot)))
        for node in [node for node in self.escape.whole if is_chain(node)]:
            self.program.put(node, ast.Constant(value=None))
        for node in [node for node in self.handed_on if node is not self.single.call]:
            self.program.put(node, self._name("__call__"))

    def _replace_call(self) -> None:
        """Write out what the call does, or call a function."""
        program, call, line = self.program, self.single.call, self.construction.line
        if not self.construction.is_inlined:
            program.put(call.func, self._name("__init__"))
            return
        function = program.function(line)
        stores = self.construction.stores(self.names)
        program.put(call, self._name("__call__") if call in self.handed_on else ast.Constant(value=None))
        if self.construction.at_top or (self.construction.is_idle and program.main is not None):
            place = line if self.construction.at_top else program.main
            assert place is not None
            for store in self._apart(stores):
                program.insert(place, [store], self._owner(store))
        elif stores:
            program.put(line, *stores, line)
            if isinstance(function, Function):
                targets = [target for store in stores for target, _ in pairs(store)]
                declare(program, function, [target.id for target in targets if isinstance(target, ast.Name)])

    def _owner(self, line: ast.stmt) -> str:
        """The module that a store comes from: the class of what is stored, or of the object, or the call of a record."""
        for _, value in pairs(line):
            made = self.program.classes.get(last_name(value.func)) if isinstance(value, ast.Call) else None
            if made is not None:
                return self.program.owner(made)
        line = self.program.statement(self.construction.line)
        return self.program.owner(self.single.definition if self.single.fields is None else line)

    def _apart(self, stores: list[ast.stmt]) -> list[ast.stmt]:
        """Stores, with the objects that a tuple is made of under names of their own."""
        lines: list[ast.stmt] = []
        for store in stores:
            tuples = [value for _, value in pairs(store) if isinstance(value, ast.Tuple)]
            for value in tuples:
                for place, part in enumerate(value.elts):
                    definition = self.program.classes.get(last_name(part.func)) if isinstance(part, ast.Call) else None
                    if definition is not None and not is_record(definition):
                        name = self.program.fresh(definition.name.lower())
                        lines.append(assign(name, part))
                        value.elts[place] = ast.copy_location(ast.Name(id=name, ctx=ast.Load()), part)
            lines.append(store)
        return lines

    def _replace_class(self) -> None:
        """Put functions and variables in the place of the class."""
        is_object = self.single.fields is None
        constants = self.single.constants if is_object else {}
        lines = [assign(self.names[name], value) for name, value in constants.items()]
        for name, method in self.single.methods.items():
            if is_static(method):
                method.decorator_list = [mark for mark in method.decorator_list if last_name(mark) != "staticmethod"]
            else:
                del method.args.args[0]
            if name in self.names:
                method.name = self.names[name]
                lines.append(method)
        self.program.replace(self.single.definition, lines)

    def _drop_holders(self) -> None:
        """Drop what gave variables the object; a call that returned it is still made."""
        for place, stores in self.escape.stores.items():
            for target in stores if place.kind == "variable" else ():
                if isinstance(target, ast.Name):
                    drop_target(self.program, target)


def declare(program: Program, function: Function, names: Iterable[str]) -> None:
    """Have a function declare that variables are of the top level."""
    first = 1 if is_idle_line(function.body[0]) and len(function.body) > 1 else 0
    line = function.body[first]
    if isinstance(line, ast.Global):
        line.names = sorted({*line.names, *names})
    else:
        function.body.insert(first, ast.copy_location(ast.Global(names=sorted(names)), function.body[0]))
    program.changed(function)


def drop_target(program: Program, target: ast.Name) -> None:
    """Drop a variable that nothing reads any more from the assignment of None, or of what a call returns, to it."""
    above = program.parent(target)
    line = program.parent(above) if isinstance(above, ast.Tuple) else above
    assert isinstance(line, ast.stmt)
    dropped = next(value for one, value in pairs(line) if one is target)
    kept = [pair for pair in pairs(line) if pair[0] is not target]
    if kept and not isinstance(dropped, ast.Constant):
        return
    new: list[ast.stmt] = [assignment(kept, line)] if kept else []
    if isinstance(dropped, ast.Call):
        new = [ast.copy_location(ast.Expr(value=dropped), line)]
    if line in program.body:
        program.replace(line, new)
    else:
        program.put(line, *new)


SCALAR_REPLACEMENT = Pass(
    "scalar-replacement",
    scalar_replacement,
    requires="`program` names the record that the entry makes, and nothing else.",
    ensures="Objects that were the only ones of their classes and could be followed are variables and functions.",
)
