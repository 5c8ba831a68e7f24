"""Unshadowing: a parameter that is called like a function of the top level gets a name of its own.

A function that is handed on is often called like the parameter that it is handed to. Only with another name can copy
propagation write the function where the parameter is read.

    def warm_up(run_step): run_step() ... warm_up(run_step)    ->    def warm_up(run_step_2): run_step_2() ... warm_up(run_step)
"""

from __future__ import annotations

import ast

from pgolf.bundle.passes.call_graph import Callee, CallGraph
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.program import Program


def unshadowing(program: Program) -> None:
    """Rename such parameters of functions all of whose calls are in plain sight, and the keywords of these calls."""
    functions = set(program.functions)
    for callee in list(CallGraph(program).closed.values()):
        arguments = callee.node.args
        for argument in (*arguments.args, *arguments.kwonlyargs):
            if argument.arg in functions and program.scope(callee.node).is_bound_once(argument.arg):
                _rename(program, callee, argument)


def _rename(program: Program, callee: Callee, argument: ast.arg) -> None:
    old, new = argument.arg, program.fresh(argument.arg)
    for node in program.scope(callee.node).reads_inside(old):
        assert isinstance(node, ast.Name)
        node.id = new
    argument.arg = new
    for call in callee.calls:
        for word in call.keywords:
            word.arg = new if word.arg == old else word.arg
        program.changed(call)
    program.changed(callee.node)


UNSHADOWING = Pass(
    "unshadowing",
    unshadowing,
    requires="A parameter is named by its function, and by keywords of calls that are in plain sight.",
    ensures="No parameter of a closed function that is bound once is called like a function of the top level.",
)
