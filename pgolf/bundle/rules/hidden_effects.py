"""Rules of the bundleable subset about the code inside functions and classes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pgolf.bundle.fstrings import has_text
from pgolf.bundle.names import COMPREHENSIONS, FUNCTIONS, Scope
from pgolf.bundle.source import Binding, import_bindings
from pgolf.bundle.trees import walk
from pgolf.bundle.view import INTERNAL, Findings, View

MUTATORS = ("append", "extend", "insert", "remove", "pop", "clear", "update", "setdefault", "add", "discard", "popitem")
HARMLESS_CALLS = re.compile(
    r"builtins\.(len|isinstance|all|any|abs|min|max|sum|set|sorted|tuple|int|float|str|range|type)"
)
HARMLESS_METHODS = ("dim", "numel", "size", "is_contiguous", "startswith", "endswith", "item", "isfinite", "issubset")
UNORDERED_OK = re.compile(r"builtins\.(sorted|len|min|max|any|all|set|frozenset|isinstance|bool)")
CONSUMERS = re.compile(
    r"builtins\.(list|tuple|iter|enumerate|zip|map|filter|dict|sum|next|reversed|print|str|repr)|itertools\..*"
    r"|collections\.(deque|OrderedDict|Counter)"
)
CONSUMING_METHODS = ("join", "extend", "format", "fromkeys")
ORDERED = (ast.For, ast.comprehension, ast.Starred, ast.FormattedValue, ast.Assign, ast.Call)
COROUTINES = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)


def shared_state(view: View) -> Findings:
    """PG304: a write to shared state."""
    seen: dict[str, Binding | None] = {}
    for statement in view.module.statements:
        bindings: dict[str, Binding | None] = dict.fromkeys(statement.declares)
        if not statement.optional:
            bindings |= import_bindings(statement.node)
        for name, binding in bindings.items():
            if name in seen and (binding is None or seen[name] != binding):
                help = "give the second one a name of its own"
                yield view.module.finding("PG304", statement.node, f"{name!r} is bound twice at the top level", help)
            seen[name] = binding
    for node in view.code(ast.Global, ast.Attribute, ast.Subscript, ast.Call):
        if isinstance(node, ast.Global):
            help = "keep the value in an object that is passed along"
            yield view.module.finding("PG304", node, "`global` rebinds a top-level name", help)
        elif _writes_shared(view, node):
            help = "keep changing state in an object that is passed along"
            yield view.module.finding("PG304", node, "this writes to something that all modules share", help)


def _writes_shared(view: View, node: ast.AST) -> bool:
    if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
        base: ast.expr = node
        while isinstance(base, (ast.Attribute, ast.Subscript)):
            base = base.value
        by_type = isinstance(base, ast.Call) and view.full(base.func) == "builtins.type"
        return by_type or view.full(base).startswith(INTERNAL)
    if not isinstance(node, ast.Call):
        return False
    if view.full(node.func) in ("builtins.setattr", "builtins.delattr") and node.args:
        return view.full(node.args[0]).startswith(INTERNAL)
    if isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        return view.full(node.func.value).startswith(INTERNAL) and view.method(node.func) is None
    return False


def nested_definitions(view: View) -> Findings:
    """PG308: a class or closure inside a function."""
    for node in view.code(ast.ClassDef, *COROUTINES, ast.NamedExpr, ast.Nonlocal):
        if isinstance(node, ast.ClassDef) and view.parents.get(node) is not view.module.tree:
            help = "move it to the top level of the module"
            yield view.module.finding("PG308", node, f"class {node.name} is defined inside something else", help)
        elif isinstance(node, COROUTINES):
            yield view.module.finding("PG308", node, "coroutines cannot be bundled", "write a plain function")
        elif isinstance(node, ast.NamedExpr) and _in_comprehension(view, node):
            help = "write a loop"
            yield view.module.finding("PG308", node, "a comprehension assigns a variable of the function", help)
        elif isinstance(node, ast.Nonlocal):
            help = "keep the value in an object"
            yield view.module.finding("PG308", node, "`nonlocal` rebinds a variable of another function", help)
    for function, scope in view.functions():
        for name, owner in _captured(scope):
            if len(owner.bound[name]) > 1:
                help = "pass it as an argument, or bind it to a name of its own"
                message = f"{name!r} is bound more than once, and this inner function sees whichever came last"
                yield view.module.finding("PG308", function, message, help)


def _in_comprehension(view: View, node: ast.AST) -> bool:
    # python-minifier may give such a variable the name of the comprehension's own.
    while not isinstance(node, (*COMPREHENSIONS, *FUNCTIONS, ast.Module)):
        node = view.parents[node]
    return isinstance(node, COMPREHENSIONS)


def _captured(scope: Scope) -> Iterator[tuple[str, Scope]]:
    """Variables of enclosing functions that a function reads."""
    inside = set(scope.walk())
    for inner in scope.walk():
        for name in inner.reads:
            owner = inner.resolve(name)
            if owner.kind == "function" and owner not in inside:
                yield name, owner


def effects_in_assertions(view: View) -> Findings:
    """PG315: an assertion with an effect."""
    for node in view.code(ast.Assert):
        for part in walk(node):
            effect = isinstance(part, (ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Await))
            if effect or (isinstance(part, ast.Call) and not _is_harmless(view, part)):
                help = "do it before, and assert on the result"
                yield view.module.finding("PG315", part, "an assertion may have an effect", help)


def _is_harmless(view: View, node: ast.Call) -> bool:
    method = isinstance(node.func, ast.Attribute) and node.func.attr in HARMLESS_METHODS
    return method or HARMLESS_CALLS.fullmatch(view.full(node.func)) is not None


def order_of_sets(view: View) -> Findings:
    """PG316: iteration over a set."""
    for node in view.code(*ORDERED):
        for value in _ordered_uses(view, node):
            if _is_set(view, value):
                help = "iterate over sorted(...), or use a dict for its keys"
                yield view.module.finding("PG316", value, "the order of a set is not fixed", help)


def _ordered_uses(view: View, node: ast.AST) -> Iterator[ast.expr]:
    """Expressions whose order matters at a node."""
    if isinstance(node, (ast.For, ast.comprehension)):
        if not _forgets_order(view, view.parents.get(node)):
            yield node.iter
    elif isinstance(node, (ast.Starred, ast.FormattedValue)) or (
        isinstance(node, ast.Assign) and any(isinstance(target, (ast.Tuple, ast.List)) for target in node.targets)
    ):
        yield node.value
    elif isinstance(node, ast.Call):
        method = node.func if isinstance(node.func, ast.Attribute) else None
        if CONSUMERS.fullmatch(view.full(node.func)) or (method is not None and method.attr in CONSUMING_METHODS):
            yield from node.args
        elif method is not None and method.attr == "pop" and not node.args:
            yield method.value


def _forgets_order(view: View, around: ast.AST | None) -> bool:
    """Is this a comprehension that makes a set, or one that goes right into what does not ask for the order?"""
    call = view.parents.get(around) if isinstance(around, ast.GeneratorExp) else None
    to_call = isinstance(call, ast.Call) and UNORDERED_OK.fullmatch(view.full(call.func)) is not None
    return to_call or isinstance(around, ast.SetComp)


def _is_set(view: View, node: ast.expr, depth: int = 0) -> bool:
    """Is this certainly or by its assignments a set?"""
    if isinstance(node, (ast.Set, ast.SetComp)):
        return True
    if isinstance(node, ast.Call):
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        made = view.full(node.func) in ("builtins.set", "builtins.frozenset")
        return made or method in ("union", "intersection", "difference", "symmetric_difference")
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)):
        return _is_set(view, node.left, depth) or _is_set(view, node.right, depth)
    if isinstance(node, ast.IfExp):
        return _is_set(view, node.body, depth) or _is_set(view, node.orelse, depth)
    if depth < 3 and isinstance(node, (ast.Name, ast.Attribute)):
        return any(_is_set(view, value, depth + 1) for value in _assigned(view, node))
    return False


def _assigned(view: View, node: ast.Name | ast.Attribute) -> Iterator[ast.expr]:
    """Values assigned to the same variable, or to an attribute of the same name on `self`."""
    for other, value in view.assigned:
        if isinstance(node, ast.Name) and isinstance(other, ast.Name) and other.id == node.id and other in view.places:
            if not isinstance(other.ctx, ast.Load) and view.places[other] is view.places[node].resolve(node.id):
                yield value
        elif isinstance(node, ast.Attribute) and isinstance(other, ast.Attribute) and other.attr == node.attr:
            stored = isinstance(other.ctx, ast.Store)
            if stored and ast.unparse(node) == ast.unparse(other) == f"self.{node.attr}":
                yield value


def texts_in_formats(view: View) -> Findings:
    """PG321: texts in the braces of an f-string's format."""
    for node in view.code(ast.FormattedValue):
        if has_text(node):
            help = "put it into a variable first"
            yield view.module.finding("PG321", node, "texts in the braces of an f-string's format", help)
