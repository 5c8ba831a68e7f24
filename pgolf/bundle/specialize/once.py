"""Code that runs at most once: the main block's calls, and what these call outside loops; its variables hold one value.

Such a variable becomes one of the top level where a function gets it in every call, so that `spread` can write its name
there and the parameter goes. It is bound before any of these calls, and never again. Only functions that the main block
calls take part: their variables live as long as the program.
"""

from __future__ import annotations

import ast

from pgolf.bundle.names import Scope, scopes
from pgolf.bundle.specialize.idle import fresh, spellings
from pgolf.bundle.trees import Transformer, below, walk

LOOPS = (ast.For, ast.While, ast.AsyncFor)
INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
INNER_LOOPS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Once:
    """Functions that run at most once, and the assignments and calls in them that do."""

    def __init__(self, tree: ast.Module, scope: Scope, names: dict[str, list[ast.AST]]):
        self.names = names
        defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self.yields = {inner.node for inner in scope.walk() if inner.yields}
        self.functions: dict[ast.FunctionDef, list[ast.AST]] = {}
        main = tree.body[-1] if tree.body and isinstance(tree.body[-1], ast.If) else None
        waiting = straight(main.body) if main is not None else []
        self.main = {name for name in [_last_called(main.body[-1])] if name} if main is not None else set()
        for node in waiting:
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            function = defined.get(node.func.id)
            if function is not None and self.is_single(function) and function not in self.functions:
                self.functions[function] = straight(function.body)
                waiting += self.functions[function]

    def is_single(self, function: ast.FunctionDef) -> bool:
        """Is a function named once, and nothing else than a function?"""
        once = len(self.names.get(function.name, [])) == 1
        return once and not function.decorator_list and function not in self.yields

    def globals(self, scope: Scope) -> set[str]:
        """Top-level variables that only one assignment binds, which runs at most once."""
        bound = {
            target.id: target
            for nodes in self.functions.values()
            for node in nodes
            if isinstance(node, ast.Assign)
            for target in targets(node)
        }
        return {name for name in scope.globals if name in bound and scope.bound.get(name) == [bound[name]]}


def _last_called(node: ast.stmt) -> str:
    """The function that the program ends with, so that its variables live to the end; not those that make its arguments."""
    call = node.value if isinstance(node, ast.Expr) else None
    return call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""


def straight(body: list[ast.stmt]) -> list[ast.AST]:
    """The nodes of a body that run at most once when it does: none in loops or inner functions."""
    found: list[ast.AST] = list(body)
    for node in found:
        if not isinstance(node, (*LOOPS, *INNER, *INNER_LOOPS)):
            found += below(node)
    return found


def targets(node: ast.Assign) -> list[ast.Name]:
    """The variables that an assignment binds."""
    return [item for target in node.targets for item in walk(target) if isinstance(item, ast.Name) and is_store(item)]


def is_store(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def promote(tree: ast.Module) -> bool:
    """Change the whole program in place."""
    scope, places = scopes(tree)
    names: dict[str, list[ast.AST]] = {}
    for node in walk(tree):
        if isinstance(node, ast.Name):
            names.setdefault(node.id, []).append(node)
    once = Once(tree, scope, names)
    taken: set[str] = set()
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    changed = False
    for function, nodes in once.functions.items():
        if function.name not in once.main:
            # Its variables would live longer than they do now, and with them what may be many tensors.
            continue
        inner = next(child for child in scope.children if child.node is function)
        handed = _handed(nodes, functions, names, places)
        bound = [name for node in nodes if isinstance(node, ast.Assign) for name in targets(node)]
        fitting = [
            target.id
            for target in bound
            if target.id in handed and inner.bound.get(target.id) == [target] and places[target] is inner
        ]
        if fitting:
            taken = taken or spellings(tree)
            chosen = {name: fresh(name, taken) for name in fitting}
            _Rename(chosen, inner, places).visit(function)
            function.body.insert(0, ast.copy_location(ast.Global(names=sorted(chosen.values())), function))
            changed = True
    return changed


def _handed(
    nodes: list[ast.AST],
    functions: dict[str, ast.FunctionDef],
    names: dict[str, list[ast.AST]],
    places: dict[ast.AST, Scope],
) -> set[str]:
    """Variables that are an argument of the only call of a function, which binds the parameter nowhere else."""
    found: set[str] = set()
    for node in nodes:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        function = functions.get(node.func.id)
        if function is None or len(names[node.func.id]) > 1 or any(isinstance(item, ast.Starred) for item in node.args):
            continue
        for parameter, value in zip(function.args.args, node.args, strict=False):
            if isinstance(value, ast.Name) and len(places[parameter].bound[parameter.arg]) == 1:
                found.add(value.id)
    return found


class _Rename(Transformer):
    """Gives variables of one function other names."""

    def __init__(self, chosen: dict[str, str], scope: Scope, places: dict[ast.AST, Scope]):
        self.chosen, self.scope, self.places = chosen, scope, places

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id in self.chosen and self.places[node].resolve(node.id) is self.scope:
            node.id = self.chosen[node.id]
        return node
