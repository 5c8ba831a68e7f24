"""Execution counts: what runs at most once in a run of the program, and whose variables live until its end."""

from __future__ import annotations

import ast

from pgolf.bundle.program import Program
from pgolf.bundle.trees import below

REPEATED = (
    *(ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef),
)
"""What is below these may run any number of times."""


class Execution:
    """Code that runs at most once: the top level, and functions that it or such a function calls at the only place that names them.

    Attributes:
        once: every node that runs at most once.
        lasting: functions that the main block ends with: their variables live until the program ends.
    """

    def __init__(self, program: Program):
        self.program = program
        self.once: set[ast.AST] = set()
        self.lasting: set[ast.FunctionDef] = set()
        waiting = [node for statement in program.body for node in straight([statement])]
        while waiting:
            node = waiting.pop()
            if node not in self.once:
                self.once.add(node)
                function = self._only_callee(node)
                if function is not None:
                    waiting += straight(function.body)
        main = program.main
        last = main.body[-1] if main is not None else None
        function = self._only_callee(last.value) if isinstance(last, ast.Expr) else None
        if function is not None:
            self.lasting.add(function)

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
        if not isinstance(node, REPEATED):
            waiting += below(node)
    return found
