"""Peephole: write small phrases in the shortest form that means exactly the same, so that live code need not be golfed.

Each rewrite is a function with its own example: it keeps every call, the order of evaluation and the type of every value. Only
bodies of functions are changed, because the top level has one owner for each statement. Rewrites that were tried and made the
packed recipes larger are in `benchmarks/results.md`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from pgolf.bundle.effects import is_movable, rebound_names
from pgolf.bundle.names import Scope, scopes
from pgolf.bundle.source import last_name
from pgolf.bundle.syntax import Pair, assignment, member_names, pairs
from pgolf.bundle.trees import Transformer, walk

Block = list[ast.stmt]
DTYPES = {"int64": "int", "float64": "float", "bool": "bool"}
"""torch's own names of Python's types; torch takes both for a `dtype`."""
DTYPE_METHODS = ("to", "sum", "prod", "mean", "cumsum", "new_zeros", "new_ones", "new_empty", "new_full", "new_tensor")
"""Methods of tensors that take a dtype."""


@dataclass(frozen=True)
class Context:
    """What rewrites ask about the program.

    Attributes:
        bound: every name that the program binds: a builtin among them is no builtin.
        rebound: names that an expression may bind.
        torch: names that mean torch or one of its modules everywhere.
        members: what the program's classes define.
        places: the scope of each identifier.
    """

    bound: frozenset[str]
    rebound: frozenset[str]
    torch: frozenset[str]
    members: frozenset[str]
    places: Mapping[ast.AST, Scope]

    @classmethod
    def of(cls, tree: ast.Module) -> Context:
        """Look at a program."""
        nodes = walk(tree)
        module, places = scopes(tree)
        inside = {name for scope in module.walk() if scope is not module for name in scope.bound}
        imports = [alias for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
        torch = {alias.asname or "torch" for alias in imports if alias.name.partition(".")[0] == "torch"}
        once = {name for name in torch if len(module.bound[name]) == 1}
        lines = [line for node in nodes if isinstance(node, ast.ClassDef) for line in node.body]
        members = {name for line in lines for name in member_names(line)}
        rebound = frozenset(rebound_names(nodes))
        return cls(frozenset(inside.union(module.bound)), rebound, frozenset(once - inside), frozenset(members), places)


def peephole(tree: ast.Module) -> None:
    """Apply the rewrites to all functions of a program, in place; those under `triton.jit` stay for another compiler."""
    _Peephole(Context.of(tree)).visit(tree)


class _Peephole(Transformer):
    def __init__(self, context: Context):
        self.context = context
        self.depth = 0
        """How many functions the node is in; `tries` is how many `try`, whose other blocks may read what was stored."""
        self.tries = 0

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.FunctionDef) and any(last_name(mark) == "jit" for mark in node.decorator_list):
            return node
        function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        tried = isinstance(node, (ast.Try, ast.TryStar))
        self.depth += function
        self.tries += tried
        self.generic_visit(node)
        if isinstance(node, ast.Call):
            python_dtypes(node, self.context)
        elif self.depth and not isinstance(node, (ast.ClassDef, ast.expr)):
            self.blocks(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = without_last_return(node.body)
        self.depth -= function
        self.tries -= tried
        return node

    def blocks(self, node: ast.AST) -> None:
        """Rewrite the blocks of a statement."""
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                block = block if self.tries else returned_value(block, self.context)
                setattr(node, field, joined_stores(block, self.context))


def python_dtypes(node: ast.Call, context: Context) -> None:
    """`torch.zeros(2, dtype=torch.int64)` -> `torch.zeros(2, dtype=int)`, and `x.to(torch.int64)` -> `x.to(int)`."""
    if not isinstance(node.func, ast.Attribute):
        return
    root: ast.expr = node.func
    while isinstance(root, ast.Attribute):
        root = root.value
    method = node.func.attr in DTYPE_METHODS and node.func.attr not in context.members
    if not (method or (isinstance(root, ast.Name) and root.id in context.torch)):
        return
    for word in node.keywords:
        if word.arg == "dtype":
            word.value = _python_type(word.value, context)
    if method and node.func.attr == "to":
        node.args = [_python_type(value, context) for value in node.args]


def _python_type(node: ast.expr, context: Context) -> ast.expr:
    named = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in context.torch
    name = DTYPES.get(node.attr, "") if isinstance(node, ast.Attribute) and named else ""
    return ast.copy_location(ast.Name(id=name, ctx=ast.Load()), node) if name and name not in context.bound else node


def returned_value(block: Block, context: Context) -> Block:
    """`x = f()` / `return x` -> `return f()`, where `x` is a variable of this function alone."""
    if len(block) < 2:
        return block
    store, last = block[-2:]
    name = last.value if isinstance(last, ast.Return) else None
    stored = pairs(store)
    if not isinstance(name, ast.Name) or len(stored) != 1:
        return block
    ((target, value),) = stored
    scope = context.places[name]
    local = scope.kind == "function" and scope.resolve(name.id) is scope and not _is_shared(scope, name.id)
    if not local or not isinstance(target, ast.Name) or target.id != name.id:
        return block
    return [*block[:-2], ast.copy_location(ast.Return(value), last)]


def _is_shared(scope: Scope, name: str) -> bool:
    """Does a function inside read or bind a variable of a function?"""
    return any(name in below.reads or name in below.nonlocals for child in scope.children for below in child.walk())


def joined_stores(block: Block, context: Context) -> Block:
    """`self.a = a` / `self.b = 1` -> `self.a, self.b = a, 1`, where storing one cannot change what the next is given."""
    result: Block = []
    for node in block:
        stored = _movable_stores(node, context)
        before = _movable_stores(result[-1], context) if stored and result else []
        if before:
            result[-1] = assignment([*before, *stored], result[-1])
        else:
            result.append(node)
    return result


def _movable_stores(node: ast.stmt, context: Context) -> list[Pair]:
    """The targets and values of an assignment to attributes of variables, if all values are movable."""
    stored = pairs(node)
    plain = all(
        isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and is_movable(value, context.rebound)
        for target, value in stored
    )
    return stored if plain else []


def without_last_return(body: Block) -> Block:
    """`f()` / `return` at the end of a function -> `f()`."""
    while len(body) > 1 and isinstance(body[-1], ast.Return) and body[-1].value is None:
        body = body[:-1]
    return body
