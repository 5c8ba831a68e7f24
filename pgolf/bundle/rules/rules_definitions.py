"""Rules of the bundleable subset about definitions: decorators, annotations, bases and records."""

from __future__ import annotations

import ast
import re

from pgolf.bundle.names import FUNCTIONS
from pgolf.bundle.rules.rules_top import impure, is_operator
from pgolf.bundle.source import (
    keeps_annotations,
    last_name,
)
from pgolf.bundle.toplevel import registration
from pgolf.bundle.trees import walk
from pgolf.bundle.view import (
    BUILD_TIME,
    INTERNAL,
    Findings,
    View,
    call_target,
    is_dataclass,
    is_docstring,
    is_literal,
    is_record,
)

DECORATORS = re.compile(
    r"builtins\.(staticmethod|classmethod|property)|functools\.(cache|lru_cache)|contextlib\.contextmanager"
    r"|torch\.(no_grad|inference_mode|enable_grad|compile|compiler\.disable|library\.custom_op)"
    r"|torch\.autograd\.function\.once_differentiable|triton\.(jit|autotune|heuristics)|dataclasses\.dataclass"
)
READS_ANNOTATIONS = ("torch.library.custom_op", "triton.jit")
BASES = ("torch.nn.Module", "torch.optim.Optimizer", "torch.autograd.Function", "typing.NamedTuple")
CLASS_HOOKS = (
    *("__init_subclass__", "__getattr__", "__getattribute__", "__set_name__", "__class_getitem__"),
    *("__prepare__", "__mro_entries__", "__new__", "__del__"),
)


def pg306(view: View) -> Findings:
    """Decorators come from a list: staticmethod, classmethod, property, torch.no_grad, torch.inference_mode, torch.compile,
    torch.library.custom_op, `operator.register_fake`, triton.jit, triton.autotune, dataclass and a few more; custom_op and jit
    are imported under these names. | Others run unknown code at definition."""
    for node in view.parents:
        for decorator in getattr(node, "decorator_list", ()):
            name = view.full(call_target(decorator))
            hook = name == BUILD_TIME + "hookimpl" and not _is_reached(view, node)
            setter = isinstance(decorator, ast.Attribute) and decorator.attr in ("setter", "deleter")
            listed = DECORATORS.fullmatch(name) or hook or setter or _registers(view, node)
            if name in READS_ANNOTATIONS and last_name(decorator) != name.rpartition(".")[2]:
                help = f"import it as {name.rpartition('.')[2]}"
                yield view.module.finding("PG306", decorator, f"{name} has another name here", help)
            elif not listed or not _plain_call(view, decorator):
                help = "call the function from the code instead of decorating it"
                yield view.module.finding("PG306", decorator, f"@{ast.unparse(decorator)} is not on the list", help)


def _is_reached(view: View, node: ast.AST) -> bool:
    """Is a node in a reached statement?"""
    while view.parents[node] is not view.module.tree:
        node = view.parents[node]
    return any(statement.node is node for statement in view.reached)


def _registers(view: View, node: ast.AST) -> bool:
    """Is this a top-level function that an operator of the module gets by a decorator, and no other?"""
    if not isinstance(node, ast.FunctionDef) or view.parents[node] is not view.module.tree:
        return False
    return len(node.decorator_list) == 1 and is_operator(view, registration(node)[0])


def _plain_call(view: View, node: ast.expr) -> bool:
    """Has a decorator no arguments, or plain ones?"""
    if not isinstance(node, ast.Call):
        return True
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    if view.full(node.func).startswith("triton."):
        return not any(bad for value in values for bad in impure(view, value))
    return all(_is_plain(value) for value in values)


def _is_plain(node: ast.expr) -> bool:
    """A literal, a name, or a list, tuple or set of such."""
    if isinstance(node, (ast.List, ast.Set, ast.Tuple)):
        return all(_is_plain(item) for item in node.elts)
    return is_literal(node) or isinstance(node, (ast.Name, ast.Attribute))


def pg307(view: View) -> Findings:
    """Functions under `custom_op` and `triton.jit` annotate what they need, records have no annotation in quotes, no
    annotation calls anything, and none stands without a value in a function. | Other annotations are removed."""
    for node in view.whole.get(ast.FunctionDef, ()):
        yield from _function_annotations(view, node)
    for node in view.whole.get(ast.ClassDef, ()):
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and _quoted(item.annotation):
                help = "write the type itself"
                yield view.module.finding("PG307", item, "a field's annotation is in quotes", help)
    for node in view.whole.get(ast.AnnAssign, ()):
        if node.value is None and view.function_around(node) is not None:
            help = "assign the variable where it is declared"
            yield view.module.finding("PG307", node, "an annotation without a value makes a local name", help)
    for node in (*view.whole.get(ast.Name, ()), *view.whole.get(ast.Attribute, ())):
        if view.full(node) in ("typing.get_type_hints", "torch.library.infer_schema"):
            yield view.module.finding("PG307", node, "annotations are removed, so nothing may read them", "")


def _function_annotations(view: View, node: ast.FunctionDef) -> Findings:
    arguments = [item for item in walk(node.args) if isinstance(item, ast.arg)]
    annotations = [item.annotation for item in arguments] + [node.returns]
    for annotation in annotations:
        if annotation is not None and any(isinstance(item, ast.Call) for item in walk(annotation)):
            yield view.module.finding("PG307", annotation, "an annotation calls something", "write a plain type")
    if keeps_annotations(node):
        needs_all = any(last_name(item) == "custom_op" for item in node.decorator_list)
        if needs_all and any(annotation is None for annotation in annotations):
            yield view.module.finding("PG307", node, "a custom operator needs all its annotations", "annotate it")
        for annotation in annotations:
            if annotation is not None and _quoted(annotation):
                yield view.module.finding("PG307", annotation, "an annotation that is read is in quotes", "")


def _quoted(node: ast.expr) -> bool:
    return any(isinstance(item, ast.Constant) and isinstance(item.value, str) for item in walk(node))


def pg309(view: View) -> Findings:
    """A class has no base, one bundled class, or nn.Module, torch.optim.Optimizer, torch.autograd.Function or NamedTuple;
    no metaclass, no `__getattr__`, `__new__` or `__init_subclass__`. | Then what a class does can be read."""
    for node in view.code(ast.ClassDef):
        if not isinstance(node, ast.ClassDef):
            continue
        bundled = [view.full(base).startswith(INTERNAL) for base in node.bases]
        known = [view.full(base) in BASES for base in node.bases]
        if len(node.bases) > 1 or not all(one or other for one, other in zip(bundled, known, strict=True)):
            help = "use one base: a bundled class, nn.Module, Optimizer, autograd.Function or NamedTuple"
            yield view.module.finding("PG309", node.bases[0], "a class base is not on the list", help)
        if node.keywords:
            yield view.module.finding("PG309", node, "a class has a metaclass or class arguments", "leave them out")
        for item in node.body:
            if isinstance(item, FUNCTIONS) and isinstance(item, ast.FunctionDef) and item.name in CLASS_HOOKS:
                yield view.module.finding("PG309", item, f"{item.name} changes how names are found", "leave it out")


def pg311(view: View) -> Findings:
    """Dataclasses are `@dataclass(frozen=True)` and NamedTuples plain: fields with an annotation and at most a literal
    default, no `field(...)`, no slots. | A record made twice, or in another place, must be the same."""
    for node in view.code(ast.ClassDef):
        if not isinstance(node, ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            if ast.unparse(decorator).rpartition(".")[2] not in ("dataclass(frozen=True)",):
                help = "write @dataclass(frozen=True)"
                yield view.module.finding("PG311", decorator, "a dataclass is not plainly frozen", help)
        if is_record(view, node) or is_dataclass(view, node):
            for item in node.body:
                plain = isinstance(item, ast.AnnAssign) and is_literal(item.value)
                if not plain and not isinstance(item, (ast.FunctionDef, ast.Pass)) and not is_docstring(item):
                    help = "give each field an annotation and at most a literal default"
                    yield view.module.finding("PG311", item, "a record's field cannot be moved", help)
