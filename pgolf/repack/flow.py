"""Follows a value through a script: into variables, parameters, results and choices, each expression once.

What becomes of the value elsewhere is decided by a handler for its kind (`own_path`, `own_text`). Where it cannot be followed,
the flow is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from enum import Enum, auto

from pgolf.repack.evidence import LATIN1, Evidence
from pgolf.repack.index import Function, Index


class Kind(Enum):
    """What an expression may hold."""

    PATH = auto()
    """The path of the script's file."""
    SOME_PATH = auto()
    """The path of that file or of another."""
    FOLDER = auto()
    """The folder of the file."""
    ARGUMENTS = auto()
    """A list with the path in it."""
    FILE = auto()
    """The file, opened as text."""
    BINARY = auto()
    """The file, opened as bytes."""
    SOME_BINARY = auto()
    """That file or another, opened as bytes."""
    BYTES = auto()
    """The bytes of the file."""
    SOME_BYTES = auto()
    """The bytes of that file or of another."""
    TEXT = auto()
    """The text of the file."""
    DERIVED = auto()
    """A text made from that of the file."""


WEAKER = {Kind.PATH: Kind.SOME_PATH, Kind.BINARY: Kind.SOME_BINARY, Kind.BYTES: Kind.SOME_BYTES}
"""What a variable or parameter holds that may also hold the same of another file."""
Handler = Callable[["Flow", ast.AST, ast.AST], None]


class Flow:
    """The way of one file through one script.

    Args:
        index: the script.
        evidence: takes the refusals and the readings.
        handlers: kind -> what to do with an expression, given its parent.
    """

    def __init__(self, index: Index, evidence: Evidence, handlers: Mapping[Kind, Handler]):
        self.index, self.evidence, self.handlers = index, evidence, handlers
        self.openings: dict[ast.AST, ast.Call] = {}
        self._pending: list[tuple[ast.AST, Kind]] = []
        self._seen: set[tuple[ast.AST, Kind]] = set()

    def push(self, node: ast.AST, kind: Kind) -> None:
        """An expression holds this."""
        if (node, kind) not in self._seen:
            self._seen.add((node, kind))
            self._pending.append((node, kind))

    def run(self) -> None:
        """Follow all that was pushed."""
        while self._pending:
            node, kind = self._pending.pop()
            parent = self.index.parents[node]
            if not self._carry(node, kind, parent):
                self.handlers[kind](self, node, parent)

    def refuse(self, node: ast.AST, why: str) -> None:
        """The forms in Latin-1 are not possible."""
        while not hasattr(node, "lineno") and node in self.index.parents:
            node = self.index.parents[node]
        self.evidence.add(node, f"the script may read its own text: {why}", LATIN1)

    def _carry(self, node: ast.AST, kind: Kind, parent: ast.AST) -> bool:
        """Does the value go on as it is, or end here?"""
        if isinstance(parent, (ast.Expr, ast.Compare, ast.Assert, ast.If, ast.While)):
            return True
        if isinstance(parent, ast.Assign):
            for target in parent.targets:
                self.bind(target, kind, node)
            return True
        if isinstance(parent, (ast.AnnAssign, ast.NamedExpr)):
            self.bind(parent.target, kind, node)
            return not isinstance(parent, ast.NamedExpr) or self._go_on(parent, kind)
        if isinstance(parent, (ast.IfExp, ast.BoolOp)):
            return self._go_on(parent, kind)
        if isinstance(parent, ast.Return):
            self._return(parent, kind)
            return True
        call = self.index.parents[parent] if isinstance(parent, ast.keyword) else parent
        if isinstance(call, ast.Call) and call.func is not node and self.index.called(call):
            self._pass(call, parent if isinstance(parent, ast.keyword) else node, kind)
            return True
        return False

    def _go_on(self, node: ast.AST, kind: Kind) -> bool:
        if kind is Kind.FILE:
            self.refuse(node, "its open file goes where it cannot be followed")
        else:
            self.push(node, WEAKER.get(kind, kind))
        return True

    def bind(self, target: ast.expr, kind: Kind, value: ast.AST) -> None:
        """A variable holds this; follow what reads it."""
        if not isinstance(target, ast.Name):
            return self.refuse(value, "it is stored where it cannot be followed")
        variable = self.index.variable(target, target.id)
        if variable[0].kind == "class":
            return self.refuse(value, "it is stored in a class")
        if len(self.index.binders(variable)) > 1:
            if kind is Kind.FILE:
                return self.refuse(value, f"{target.id!r} may be another file")
            kind = WEAKER.get(kind, kind)
        for load in self.index.loads.get(variable, ()):
            if value in self.openings:
                self.openings[load] = self.openings[value]
            self.push(load, kind)
        return None

    def _return(self, statement: ast.Return, kind: Kind) -> None:
        function = next(iter(self.index.functions_around(statement)), None)
        named = isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        calls = self.index.calls_of(function) if named else None  # type: ignore[arg-type]
        if calls is None or kind is Kind.FILE:
            return self.refuse(statement, "it is returned to where it cannot be followed")
        for call in calls:
            self.push(call, WEAKER.get(kind, kind))
        return None

    def _pass(self, call: ast.Call, argument: ast.AST, kind: Kind) -> None:
        """Follow an argument into functions of the script, which may be called with other files too."""
        for function in self.index.called(call):
            parameter = _parameter(function, call, argument, self.index.is_method(function))
            if parameter is None or kind is Kind.FILE:
                self.refuse(call, f"{function.name!r} gets it")
                continue
            passed = WEAKER.get(kind, kind)
            if parameter is function.args.vararg:
                passed = Kind.DERIVED if kind in (Kind.TEXT, Kind.DERIVED) else Kind.ARGUMENTS
            for load in self.index.loads.get((self.index.places[parameter], parameter.arg), ()):
                self.push(load, passed)


def _parameter(function: Function, call: ast.Call, argument: ast.AST, bound: bool) -> ast.arg | None:
    """The parameter that an argument is given to, or None where that cannot be told."""
    arguments = function.args
    if isinstance(argument, ast.keyword):
        named = (each for each in (*arguments.args, *arguments.kwonlyargs) if each.arg == argument.arg)
        return next(named, None)
    place = next(number for number, each in enumerate(call.args) if each is argument)
    if any(isinstance(each, ast.Starred) for each in call.args[: place + 1]):
        return None
    static = any(getattr(each, "id", "") == "staticmethod" for each in function.decorator_list)
    positional = [*arguments.posonlyargs, *arguments.args][bound and not static :]
    return positional[place] if place < len(positional) else arguments.vararg
