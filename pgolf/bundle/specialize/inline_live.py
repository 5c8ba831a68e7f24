"""Which variables of a function may still be read after one of its statements."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from pgolf.bundle.trees import walk

Names = frozenset[str]
NOTHING: Names = frozenset()


def live_after(function: ast.FunctionDef, statement: ast.stmt) -> Names:
    """Names that something may read after the statement, with a value from before that it leaves alone.

    Closures are not looked into: what they capture must be left alone anyway.
    """
    search = _Search(statement)
    search.block(function.body, NOTHING, _Around())
    return search.found


@dataclass(frozen=True)
class _Around:
    """What is live where `break`, `continue` and an exception lead to."""

    after_loop: Names = NOTHING
    next_turn: Names = NOTHING
    error: Names = NOTHING


@dataclass
class _Search:
    """Goes through a function backwards. Its methods take what is live after something and return what is before."""

    statement: ast.stmt
    found: Names = field(default=NOTHING)

    def block(self, body: list[ast.stmt], after: Names, around: _Around) -> Names:
        for node in reversed(body):
            if node is self.statement:
                self.found |= around.error | (NOTHING if isinstance(node, ast.Return) else after)
            after = self.one(node, after, around) | around.error
        return after

    def one(self, node: ast.stmt, after: Names, around: _Around) -> Names:
        match node:
            case ast.Return() | ast.Raise():
                return _reads(node)
            case ast.Break():
                return around.after_loop
            case ast.Continue():
                return around.next_turn
            case ast.If():
                return _reads(node.test) | self.block(node.body, after, around) | self.block(node.orelse, after, around)
            case ast.For() | ast.While():
                return self.loop(node, after, around)
            case ast.With():
                # A context manager may swallow an exception.
                inside = _Around(around.after_loop, around.next_turn, around.error | after)
                return _reads(*node.items) | self.block(node.body, after, inside)
            case ast.Try():
                return self.attempt(node, after, around)
            case ast.Assign():
                return _reads(node) | (after - _stores(*node.targets))
            case ast.AnnAssign() if node.value is not None:
                return _reads(node) | (after - _stores(node.target))
            case ast.AugAssign():
                return _reads(node) | _stores(node.target) | after
        return _reads(node) | after

    def loop(self, node: ast.For | ast.While, after: Names, around: _Around) -> Names:
        turn = _reads(node.iter if isinstance(node, ast.For) else node.test) | self.block(node.orelse, after, around)
        target = _stores(node.target) if isinstance(node, ast.For) else NOTHING
        while True:
            inside = _Around(after, turn, around.error)
            before = turn | (self.block(node.body, turn, inside) - target)
            if before == turn:
                return turn
            turn = before

    def attempt(self, node: ast.Try, after: Names, around: _Around) -> Names:
        last = _reads(*node.finalbody)
        outer = _Around(around.after_loop | last, around.next_turn | last, around.error | last)
        after = self.block(node.finalbody, after | around.error | outer.after_loop | outer.next_turn, around) | last
        caught = NOTHING.union(*(_reads(item) | self.block(item.body, after, outer) for item in node.handlers))
        inside = _Around(outer.after_loop, outer.next_turn, outer.error | caught)
        return self.block(node.body, self.block(node.orelse, after, outer), inside) | caught


def _reads(*nodes: ast.AST) -> Names:
    return frozenset(
        item.id
        for node in nodes
        for item in walk(node)
        if isinstance(item, ast.Name) and not isinstance(item.ctx, ast.Store)
    )


def _stores(*nodes: ast.AST) -> Names:
    return frozenset(
        item.id
        for node in nodes
        for item in walk(node)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    )
