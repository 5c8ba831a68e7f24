"""Copy propagation: what only ever holds one object or function of the top level is written as its name.

    counter = byte_counter; counter(x)      ->      byte_counter(x)

So is a parameter that every call gives it, an attribute that is stored once in the whole program, and the variable of a loop
over it alone, of which only the body is left. Scalar replacement then sees what is done with the object.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from pgolf.bundle.effects import Effects, is_chain
from pgolf.bundle.names import Scope, bound_name
from pgolf.bundle.passes.call_graph import Callee, CallGraph
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.passes.singletons import Execution
from pgolf.bundle.program import Program
from pgolf.bundle.syntax import binds_self, methods_of, pairs
from pgolf.bundle.trees import walk


def propagate_copies(program: Program) -> None:
    """Write the names, and the bodies of such loops."""
    copies = _Copies(program)
    while copies.find():
        pass
    # Who asks for a scope after a change waits for the facts of what was changed: first all questions, then all changes.
    exprs = [(node, name) for node, name in copies.names.items() if isinstance(node, ast.expr)]
    for node, name in [one for one in exprs if program.means_global(*one)]:
        program.put(node, ast.Name(id=name, ctx=ast.Load()))
    for loop in copies.loops:
        program.put(loop, *loop.body)


class _Copies:
    """The places that read what is always one thing of the top level.

    Attributes:
        names: place -> the name of the thing.
        loops: those over one thing alone.
    """

    def __init__(self, program: Program):
        self.program, self.effects = program, Effects(program)
        self.things = _things(program, self.effects)
        self.names: dict[ast.AST, str] = {}
        self.loops: list[ast.For] = []
        self.callees = list(CallGraph(program).closed.values())
        self.assignments = program.assignments
        self.singles = [
            loop for loop in program.nodes(ast.For) if isinstance(loop.iter, ast.Tuple) and len(loop.iter.elts) == 1
        ]
        untold = self.effects.observes_absence or self.effects.copies_objects or self.effects.constructs_unseen
        self.constructors = [] if untold else _constructors(program)

    def find(self) -> bool:
        """Go through the program once; what is found lets the next time find more. False if nothing was."""
        before = len(self.names), len(self.loops)
        for line, stored in self.assignments:
            for target, value in stored:
                if isinstance(target, ast.Name):
                    self._find_variable(line, target, self.thing(value))
        for loop in self.singles:
            self._find_loop(loop)
        for callee in self.callees:
            self._find_parameters(callee)
        for constructor in self.constructors:
            for stored in map(pairs, constructor.body):
                for target, value in stored:
                    self._find_attribute(constructor, target, self.thing(value))
        return before != (len(self.names), len(self.loops))

    def thing(self, node: ast.expr | None) -> str:
        """The name of the thing that an expression is, or an empty string."""
        if isinstance(node, ast.Name) and node.id in self.things and self.program.variable(node).kind == "module":
            return node.id
        return self.names.get(node, "") if node is not None else ""

    def note(self, reads: Iterable[ast.AST], thing: str) -> None:
        """All these places read the thing."""
        self.names.update((node, thing) for node in reads)

    def _find_variable(self, line: ast.Assign, target: ast.Name, thing: str) -> None:
        """`x = thing` in a function's own body, where nothing else binds `x` and only what follows reads it."""
        scope = self.program.place(target)
        function = scope.node
        if not thing or not isinstance(function, ast.FunctionDef) or not _is_bound_by(scope, target):
            return
        if line not in function.body:
            return
        reads = scope.reads_inside(target.id)
        following = function.body[function.body.index(line) + 1 :]
        if all(self._is_below(read, following) for read in reads):
            self.note(reads, thing)

    def _find_loop(self, loop: ast.For) -> None:
        """`for x in (thing,)` without a way out of it, where nothing else binds or reads `x`."""
        assert isinstance(loop.iter, ast.Tuple)
        thing = self.thing(loop.iter.elts[0])
        leaves = any(isinstance(node, (ast.Break, ast.Continue)) for node in walk(loop))
        if not thing or leaves or loop.orelse or loop in self.loops or not isinstance(loop.target, ast.Name):
            return
        scope = self.program.place(loop.target)
        reads = scope.reads_inside(loop.target.id)
        if _is_bound_by(scope, loop.target) and all(self._is_below(read, loop.body) for read in reads):
            self.note(reads, thing)
            self.loops.append(loop)

    def _is_below(self, node: ast.AST, lines: list[ast.stmt]) -> bool:
        """Is a node in one of these lines?"""
        return any(above in lines for above in self.program.ancestors(node))

    def _find_parameters(self, callee: Callee) -> None:
        """Parameters that each call gives the same thing."""
        given, calls = callee.signature.given, callee.calls
        for name, reads in callee.reads.items():
            thing = self.thing(given(calls[0], name))
            if thing and all(self.thing(given(call, name)) == thing for call in calls):
                self.note(reads, thing)

    def _find_attribute(self, constructor: ast.FunctionDef, target: ast.expr, thing: str) -> None:
        """`self.x = thing` of a constructor, where no other attribute `x` is stored or defined."""
        first = constructor.args.args[0].arg
        if not thing or not isinstance(target, ast.Attribute) or target.attr not in self.program.own:
            return
        uses = [use for use in self.program.attributes[target.attr] if use is not target]
        own = isinstance(target.value, ast.Name) and target.value.id == first
        if own and target.attr not in self.program.members and all(is_chain(use) for use in uses):
            self.note(uses, thing)


def _is_bound_by(scope: Scope, node: ast.AST) -> bool:
    """Is this the one node that binds a variable of the scope?"""
    name = bound_name(node) or ""
    return scope.bound.get(name) == [node] and scope.is_bound_once(name)


def _things(program: Program, effects: Effects) -> set[str]:
    """The names of the top-level objects and functions that are one thing each in the whole run."""
    things = {name for name, node in program.functions.items() if not node.decorator_list}
    for line in program.body:
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Call) and effects.is_idle(line.value):
            things.update(target.id for target in line.targets if isinstance(target, ast.Name))
    return {name for name in things if program.is_constant(name)} | _bound_once(program)


def _bound_once(program: Program) -> set[str]:
    """Variables of the top level that one line binds, in a function, which runs at most once: all reads give one object."""
    once = Execution.of(program).once if program.global_names else set()
    bound = {name: program.writes.get(name, []) for name in program.global_names}
    assigned = {target for line, stored in program.assignments if line in once for target, _ in stored}
    return {name for name, nodes in bound.items() if len(nodes) == 1 and nodes[0] in assigned}


def _constructors(program: Program) -> list[ast.FunctionDef]:
    """Those that nothing but making an object of their class calls."""
    plain = [node for node in program.classes.values() if not (node.bases or node.keywords or node.decorator_list)]
    methods = [method for node in plain for method in methods_of(node)]
    return [method for method in methods if method.name == "__init__" and binds_self(method)]


COPY_PROPAGATION = Pass(
    "copy-propagation",
    propagate_copies,
    requires="a name of the top level is bound once (PG304), so that it means one thing in the whole run",
    ensures="no variable and no parameter of a closed function that only ever holds one such thing is read",
)
