"""Scalar replacement of aggregates: an object that is the only one of its class becomes variables and functions.

The class is named once, by a call that runs at most once (`execution`), and nothing is special about it (`singletons`). The
object is followed to every place that it comes to (`escape`). Where it is only asked for its members and called, `self.since`
is a variable of the top level, a method a function without `self`, and what handed the object on hands on None, which dead
argument elimination drops. An object that is also handed to somebody who cannot be followed may only have `__call__` to ask
for: that function is handed on in its place.

    clock = Clock(); clock.start()      ->      def start_2(): global since_2; since_2 += 1 ... since_2 = 0; start_2()

What makes the object without doing anything else is written in front of the main block, or in the place of the call; any other
constructor becomes a function, too.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from pgolf.bundle.effects import Effects, is_chain, is_idle_line
from pgolf.bundle.literals import UNKNOWN, value_of
from pgolf.bundle.minify.external_names import NAMES
from pgolf.bundle.names import FUNCTIONS, copy_tree
from pgolf.bundle.passes.call_graph import CallGraph
from pgolf.bundle.passes.escape import Escape, Place
from pgolf.bundle.passes.execution import Execution
from pgolf.bundle.passes.singletons import Singleton, is_static, singletons
from pgolf.bundle.program import Program
from pgolf.bundle.source import last_name
from pgolf.bundle.syntax import Signature, assignment, hides_arguments, is_record, pairs
from pgolf.bundle.trees import walk

TELLING = ("type", "id")
"""With one of these a program could tell an object from a function."""
RESERVED = {"Program": "program"}
"""Rule PG317: the class whose object the entry makes -> the name that nothing else has."""
LISTING = ("globals", "locals", "vars", "eval", "exec", "dir")
"""With one of these it could find a variable that was an attribute."""


@dataclass
class _Aggregate:
    """An object that is replaced: its class, where it goes, its fields, and the new name of each member."""

    single: Singleton
    escape: Escape
    fields: set[str]
    names: dict[str, str] = field(default_factory=dict)

    @property
    def touched(self) -> set[ast.AST]:
        """What becomes something else, or goes to another place."""
        made = self.single.constructor
        moved = walk(made) if made is not None else []
        return {*self.escape.nodes, *self.escape.members, *walk(self.single.call), *moved}


def scalar_replacement(program: Program, own: Callable[[], Collection[str]]) -> bool:
    """Replace what can be replaced at once: an object that another one holds has to wait until that one is gone.

    Args:
        own: gives the attributes that are certainly the program's own.
    """
    if any(name in program.reads for name in LISTING):
        return False
    execution = Execution(program)
    chosen: list[_Aggregate] = []
    look = _Look(program, execution, CallGraph(program, own))
    touched: set[ast.AST] = set()
    for single in singletons(program, execution.once):
        aggregate = look.aggregate(single)
        if aggregate is not None and touched.isdisjoint(aggregate.touched):
            touched |= aggregate.touched
            chosen.append(aggregate)
    for aggregate in chosen:
        _Replacement(program, look.effects, aggregate).run()
    return bool(chosen)


class _Look:
    """Says which objects can be replaced."""

    def __init__(self, program: Program, execution: Execution, graph: CallGraph):
        self.program, self.execution, self.graph = program, execution, graph
        self.effects = Effects(program)

    def aggregate(self, single: Singleton) -> _Aggregate | None:
        """The object with all that is known of it, if it can be replaced."""
        reserved = RESERVED.get(single.definition.name, "") if single.fields is not None else ""
        escape = Escape(self.program, self.graph, single.call, single.binding_self(), reserved)
        stored = {node.attr for node in escape.members if not isinstance(node.ctx, ast.Load)}
        aggregate = _Aggregate(single, escape, {*single.constants, *(single.fields or ()), *stored})
        fits = (
            aggregate.fields.isdisjoint(single.methods)
            and all(self.is_plain_member(aggregate, node) for node in escape.members)
            and all(is_chain(node) for node in escape.called)
            and all(is_chain(node.left) for node in escape.compared)
            and (not escape.called or "__call__" in single.methods)
            and (not escape.loose or self.is_function(aggregate))
            and (not aggregate.fields or self.lasts(escape))
            and (not self.effects.observes_absence or self.is_always_there(aggregate))
            and _Construction(self.program, self.effects, single).is_possible
        )
        return aggregate if fits else None

    def is_plain_member(self, aggregate: _Aggregate, node: ast.Attribute) -> bool:
        """Is `x.name` a method that is read or an attribute that is read or stored, where a variable may stand for it?"""
        known = aggregate.fields if not isinstance(node.ctx, ast.Load) else {*aggregate.fields, *aggregate.single.methods}
        above = self.program.parent(node)
        if node.attr not in known or node.attr == "__init__" or not is_chain(node.value):
            return False
        if isinstance(node.ctx, ast.Load):
            is_method = node.attr in aggregate.single.methods
            return not isinstance(above, ast.pattern) and not (is_method and isinstance(above, ast.Attribute))
        if aggregate.single.fields is not None:
            return False
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        assert isinstance(root, ast.Name)
        scope = self.program.place(root)
        return isinstance(node.ctx, ast.Store) and scope.kind in ("module", "function") and not isinstance(above, ast.AnnAssign)

    def is_function(self, aggregate: _Aggregate) -> bool:
        """Can whoever gets the object only call it? Nobody but those who were followed asks for any other member."""
        members = ({*aggregate.single.methods} | aggregate.fields) - {"__init__", "__call__"}
        asked = {node for name in members for node in self.program.attributes.get(name, [])}
        return (
            "__call__" in aggregate.single.methods
            and asked.issubset(aggregate.escape.members)
            and members.isdisjoint(NAMES)
            and not any(name in self.program.reads for name in TELLING)
            and not (self.effects.looks_up_by_text or self.effects.copies_objects)
        )

    def lasts(self, escape: Escape) -> bool:
        """Does a variable that lives until the program ends hold the object, so that nothing is kept longer than before?"""
        return any(
            place.kind == "variable"
            and (place.owner is None or place.owner.node in self.execution.lasting)  # type: ignore[union-attr]
            for place in escape.stores
        )

    def is_always_there(self, aggregate: _Aggregate) -> bool:
        """Are the object and its attributes there whenever they are asked for, so that no handler can see them missing?"""
        single = aggregate.single
        made = {*single.constants, *(single.fields or ())}
        for line in single.constructor.body if single.constructor is not None else []:
            made |= {target.attr for target, _ in pairs(line) if isinstance(target, ast.Attribute)}
        return aggregate.fields <= made and all(map(self.is_bound_first, aggregate.escape.stores))

    def is_bound_first(self, place: Place) -> bool:
        """Is a place a parameter, or a variable that a line of its block binds before others read it?"""
        if place.kind != "variable":
            return False
        bound = self.program.writes[place.name] if place.owner is None else place.owner.bound[place.name]  # type: ignore[union-attr]
        if len(bound) > 1 or isinstance(bound[0], ast.arg):
            return len(bound) == 1
        line = self.program.parent(bound[0])
        if place.owner is None:
            return line in self.program.body
        body = place.owner.node.body  # type: ignore[union-attr]
        if line not in body or isinstance(place.owner.node, ast.Lambda):  # type: ignore[union-attr]
            return False
        before = [node for other in body[: body.index(line) + 1] for node in walk(other)]
        return not any(isinstance(node, ast.Name) and node.id == place.name and node is not bound[0] for node in before)


class _Construction:
    """What becomes of the call that makes an object."""

    def __init__(self, program: Program, effects: Effects, single: Singleton):
        self.program, self.single, self.call = program, single, single.call
        self.line = next(node for node in (self.call, *program.ancestors(self.call)) if isinstance(node, ast.stmt))
        self.at_top = self.line in program.body
        names = [node for node in walk(self.call) if isinstance(node, ast.Name)]
        is_of_top = all(program.variable(name).kind == "module" for name in names)
        self.is_idle = is_of_top and effects.only_makes(self.call)
        values = [value for _, value in pairs(self.line)] or [getattr(self.line, "value", None)]
        self.has_line = values == [self.call]
        """Is the call all that a statement evaluates?"""
        self.is_inlined = (self.has_line or self.is_idle) and self._fits()

    @property
    def is_possible(self) -> bool:
        """May a function be called instead, or the stores be written out? Nothing is called at the top level."""
        if hides_arguments(self.call) or not self._takes():
            return False
        return self.is_inlined or (self.single.fields is None and not self.at_top and self.single.constructor is not None)

    def _takes(self) -> bool:
        made, fields = self.single.constructor, self.single.fields
        if made is not None:
            return Signature.of(made, 1).takes(self.call)
        if fields is None:
            return not self.call.args and not self.call.keywords
        return Signature(tuple(fields), tuple(fields), self.single.constants).takes(self.call)

    def _fits(self) -> bool:
        """Can the constructor's body stand in the place of the call: stores, of literals and names that are what they were?"""
        made = self.single.constructor
        if made is None or self.single.fields is not None:
            return True
        lines = [line for line in made.body if not is_idle_line(line)]
        if made.decorator_list or any(Signature.of(made, 1).more):
            return False
        if not all(pairs(line) and all(isinstance(target, ast.Attribute) for target, _ in pairs(line)) for line in lines):
            return False
        given = Signature.of(made, 1).bound(self.call)
        return all(self._may_be_repeated(value) for value in given.values()) and self._is_simple(made, lines)

    def _may_be_repeated(self, value: ast.expr) -> bool:
        """Is an argument the same wherever in the constructor it is evaluated?"""
        if not isinstance(value, ast.Name):
            return self.is_idle or value_of(value) is not UNKNOWN
        scope = self.program.variable(value)
        if scope.kind == "module":
            return self.program.is_constant(value.id)
        return scope.kind == "function" and not any(value.id in inner.nonlocals for inner in scope.walk())

    def _is_simple(self, made: ast.FunctionDef, lines: list[ast.stmt]) -> bool:
        """Is each parameter only read, and an argument that is no name stored as it is, once?"""
        scope = self.program.scope(made)
        given = Signature.of(made, 1)
        for name in given.names:
            value = given.given(self.call, name)
            if value is None and value_of(given.defaults.get(name, made.args)) is UNKNOWN:  # type: ignore[arg-type]
                return False
            reads = [node for inner in scope.walk() for node in inner.reads.get(name, [])]
            stored = [node for line in lines for _, node in pairs(line) if node in reads]
            direct = len(stored) == len(reads) and (value is None or value_of(value) is not UNKNOWN or len(reads) < 2)
            nested = any(inner is not scope and name in inner.reads for inner in scope.walk())
            if len(scope.bound[name]) != 1 or nested or not (direct or isinstance(value, ast.Name)):
                return False
        return True

    def stores(self, names: dict[str, str]) -> list[ast.stmt]:
        """The lines that give the object's variables their values; the constructor must name these by now."""
        made = self.single.constructor
        if self.single.fields is not None:
            bound = dict(zip(self.single.fields, self.call.args, strict=False))
            bound.update({str(word.arg): word.value for word in self.call.keywords})
            bound.update({name: copy_tree(value) for name, value in self.single.constants.items() if name not in bound})
            return [_assign(names[name], value) for name, value in bound.items()]
        if made is None:
            return []
        given = Signature.of(made, 1)
        values = given.defaults | given.bound(self.call)
        scope = self.program.scope(made)
        reads = [node for name in given.names for node in scope.reads.get(name, [])]
        for node in reads:
            self.program.put(node, copy_tree(values[node.id]))
        return [line for line in made.body if not is_idle_line(line)]


class _Replacement:
    """Replaces one object."""

    def __init__(self, program: Program, effects: Effects, aggregate: _Aggregate):
        self.program, self.effects = program, effects
        self.single, self.escape, self.aggregate = aggregate.single, aggregate.escape, aggregate
        self.construction = _Construction(program, effects, self.single)
        members = [name for name in (*self.single.methods, *sorted(aggregate.fields)) if name != "__init__"]
        if not self.construction.is_inlined:
            members.append("__init__")
        self.names = {name: program.fresh(self._wanted(name)) for name in members}
        self.owner = program.owner(self.single.definition)

    def _wanted(self, member: str) -> str:
        """A name to begin with; what stands for the object itself is called like its class."""
        return self.single.definition.name.lower() if member in ("__init__", "__call__") else member.strip("_")

    def run(self) -> None:
        """Change the program."""
        self._rename_members()
        self._replace_object()
        self._replace_call()
        self._replace_class()
        self._drop_idle_calls()
        self._drop_holders()

    def _rename_members(self) -> None:
        declared: dict[ast.FunctionDef | ast.AsyncFunctionDef, set[str]] = {}
        for node in self.escape.members:
            name = self.names[node.attr]
            if isinstance(node.ctx, ast.Store):
                function = self.program.function(node)
                if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    declared.setdefault(function, set()).add(name)
            self.program.put(node, ast.Name(id=name, ctx=node.ctx))
        for function, names in declared.items():
            if function is not self.single.constructor or not self.construction.is_inlined:
                declare(self.program, function, names)

    def _replace_object(self) -> None:
        for node in self.escape.called:
            self.program.put(node, ast.Name(id=self.names["__call__"], ctx=ast.Load()))
        for comparison in self.escape.compared:
            self.program.put(comparison, ast.Constant(value=isinstance(comparison.ops[0], ast.IsNot)))
        for node in self.escape.whole:
            if is_chain(node):
                self.program.put(node, ast.Constant(value=None))
        for node in self.escape.loose:
            if node is not self.single.call:
                self.program.put(node, ast.Name(id=self.names["__call__"], ctx=ast.Load()))

    def _replace_call(self) -> None:
        """Write out what the call does, or call a function."""
        program, made = self.program, self.construction
        call, line = self.single.call, made.line
        loose = call in self.escape.loose
        value: ast.expr = ast.Name(id=self.names["__call__"], ctx=ast.Load()) if loose else ast.Constant(value=None)
        if not made.is_inlined:
            program.put(call.func, ast.Name(id=self.names["__init__"], ctx=ast.Load()))
            return
        stores = made.stores(self.names)
        function = program.function(line)
        program.put(call, value)
        if made.is_idle and not made.at_top and program.main is not None:
            program.insert(program.main, self._apart(stores), self.owner)
        elif made.at_top:
            program.insert(line, stores, self.owner)
        elif stores:
            program.put(line, *stores, line)
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                stored = {target.id for store in stores for target, _ in pairs(store) if isinstance(target, ast.Name)}
                declare(program, function, stored)

    def _apart(self, stores: list[ast.stmt]) -> list[ast.stmt]:
        """Stores, with the objects that a tuple is made of under names of their own."""
        lines: list[ast.stmt] = []
        for store in stores:
            for _, value in pairs(store):
                for place, part in enumerate(value.elts if isinstance(value, ast.Tuple) else []):
                    if self._makes_object(part):
                        name = self.program.fresh(last_name(part.func).lower())  # type: ignore[attr-defined]
                        lines.append(_assign(name, part))
                        value.elts[place] = ast.Name(id=name, ctx=ast.Load())  # type: ignore[attr-defined]
            lines.append(store)
        return lines

    def _makes_object(self, node: ast.expr) -> bool:
        """Does an expression make an object that is no record?"""
        definition = self.program.classes.get(last_name(node.func)) if isinstance(node, ast.Call) else None
        return definition is not None and not is_record(definition)

    def _replace_class(self) -> None:
        """Put functions and variables in the place of the class."""
        lines: list[ast.stmt] = []
        if self.single.fields is None:
            lines += [_assign(self.names[name], value) for name, value in self.single.constants.items()]
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
            if place.kind == "variable":
                for target in stores:
                    if isinstance(target, ast.Name):
                        drop_target(self.program, target)
                if place.owner is None:
                    forget_global(self.program, place.name)


    def _drop_idle_calls(self) -> None:
        """Drop calls of functions that did nothing but make and return the object."""
        for place in self.escape.stores:
            function = place.owner
            if isinstance(function, ast.FunctionDef) and [type(line) for line in _lines(function)] == [ast.Return]:
                for node in self.escape.nodes:
                    call = node if isinstance(node, ast.Call) and last_name(node.func) == function.name else None
                    if call is not None and not call.args and not call.keywords:
                        self.program.put(call, ast.Constant(value=None))


def _lines(function: ast.FunctionDef) -> list[ast.stmt]:
    """The body of a function that does anything."""
    return [line for line in function.body if not is_idle_line(line)]


def declare(program: Program, function: ast.FunctionDef | ast.AsyncFunctionDef, names: Iterable[str]) -> None:
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
    assert isinstance(line, ast.Assign)
    dropped = next(value for one, value in pairs(line) if one is target)
    kept = [pair for pair in pairs(line) if pair[0] is not target]
    if isinstance(dropped, ast.Constant):
        new = [assignment(kept, line)] if kept else []
    elif not kept:
        new = [ast.Expr(value=dropped)]
    else:
        return
    if line in program.body:
        program.replace(line, new)
    else:
        program.put(line, *new)


def forget_global(program: Program, name: str) -> None:
    """Take a name that nothing binds any more out of every `global`."""
    for line in list(program.nodes(ast.Global)):
        if name in line.names:
            program.changed(line)
            line.names.remove(name)
            if not line.names:
                program.put(line)


def _assign(name: str, value: ast.expr) -> ast.stmt:
    line = ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store())], value=value)
    return ast.copy_location(line, value)
