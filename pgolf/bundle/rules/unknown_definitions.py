"""Rules of the bundleable subset about definitions: decorators, annotations, bases and records."""

from __future__ import annotations

import ast
import re

from pgolf.bundle.literals import UNKNOWN, value_of
from pgolf.bundle.rules.import_time_code import changing_default, impure, is_operator
from pgolf.bundle.source import imported_modules, keeps_annotations, last_name
from pgolf.bundle.syntax import is_docstring
from pgolf.bundle.toplevel import registration
from pgolf.bundle.trees import walk
from pgolf.bundle.view import BUILD_TIME, BUILTIN, INTERNAL, Findings, View, call_target, is_dataclass, is_record

DECORATORS = re.compile(
    r"builtins\.(staticmethod|classmethod|property)|functools\.(cache|lru_cache|cached_property)|abc\.abstractmethod|contextlib\.contextmanager"
    r"|torch\.(no_grad|inference_mode|enable_grad|compile|compiler\.disable|library\.custom_op)"
    r"|torch\.autograd\.function\.once_differentiable|triton\.(jit|autotune|heuristics)|dataclasses\.dataclass"
)
KERNEL_HELP = (
    "move it below `if triton is not None:`, after `try: import triton`, `except ImportError: triton = None` at the top"
)
READS_ANNOTATIONS = ("torch.library.custom_op", "triton.jit")
BASES = re.compile(
    r"torch\.(nn\.Module|optim\.(optimizer\.)?Optimizer|autograd\.(function\.)?Function)|abc\.ABC"
    r"|torch\.utils\.data\.(Dataset|IterableDataset|Sampler)|typing\.(NamedTuple|Protocol|Generic)"
    r"|enum\.(Enum|IntEnum|StrEnum|Flag|IntFlag)"
    r"|builtins\.(BaseException|\w*(Error|Exception|Warning|Interrupt|Exit|Iteration))"
)
MIXED_IN = ("builtins.int", "builtins.str", "builtins.float")
"""Bases that may stand before an enumeration."""
CLASS_HOOKS = (
    *("__init_subclass__", "__getattr__", "__getattribute__", "__set_name__", "__class_getitem__"),
    *("__prepare__", "__mro_entries__", "__new__", "__del__"),
)


def unknown_decorators(view: View) -> Findings:
    """PG306: a decorator is not on the allow-list."""
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
                kernel = _kernel_in_function(view, node, decorator)
                help = KERNEL_HELP if kernel else "call the function from the code instead of decorating it"
                yield view.module.finding(
                    "PG306", decorator, kernel or f"@{ast.unparse(decorator)} is not on the list", help
                )


def _kernel_in_function(view: View, node: ast.AST, decorator: ast.expr) -> str:
    """What to say of a Triton kernel inside a function, which names what the function imports."""
    named = call_target(decorator)
    while isinstance(named, ast.Attribute):
        named = named.value
    if not isinstance(named, ast.Name):
        return ""
    for place in view.places[named].resolve(named.id).bound.get(named.id, ()):
        imported = view.parents[place]
        if isinstance(imported, ast.Import | ast.ImportFrom) and imported_modules(imported)[:1] == ["triton"]:
            return f"the Triton kernel {getattr(node, 'name', '')} stands in a function, which would compile it in every call"
    return ""


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
        return all(_is_plain(part) for part in node.elts)
    return value_of(node) is not UNKNOWN or isinstance(node, (ast.Name, ast.Attribute))


def read_annotations(view: View) -> Findings:
    """PG307: annotations that carry meaning are missing or would be stripped."""
    for node in view.whole.get(ast.FunctionDef, ()):
        yield from _function_annotations(view, node)
    for node in view.whole.get(ast.AnnAssign, ()):
        if node.value is None and view.function_around(node) is not None:
            help = "assign the variable where it is declared"
            yield view.module.finding("PG307", node, "an annotation without a value makes a local name", help)
    for node in (*view.whole.get(ast.Name, ()), *view.whole.get(ast.Attribute, ())):
        if view.full(node) in ("typing.get_type_hints", "torch.library.infer_schema"):
            yield view.module.finding("PG307", node, "annotations are removed, so nothing may read them", "")


def _function_annotations(view: View, node: ast.FunctionDef) -> Findings:
    arguments = [part for part in walk(node.args) if isinstance(part, ast.arg)]
    annotations = [part.annotation for part in arguments] + [node.returns]
    for annotation in annotations:
        if annotation is not None and any(isinstance(part, ast.Call) for part in walk(annotation)):
            yield view.module.finding("PG307", annotation, "an annotation calls something", "write a plain type")
    if keeps_annotations(node):
        needs_all = any(last_name(part) == "custom_op" for part in node.decorator_list)
        if needs_all and any(annotation is None for annotation in annotations):
            yield view.module.finding("PG307", node, "a custom operator needs all its annotations", "annotate it")
        for annotation in annotations:
            if annotation is not None and _quoted(annotation):
                yield view.module.finding("PG307", annotation, "an annotation that is read is in quotes", "")


def _quoted(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in walk(node))


def unknown_bases(view: View) -> Findings:
    """PG309: a class base or metaclass is not on the allow-list."""
    for node in view.code(ast.ClassDef):
        yield from _bases(view, node)
        if node.keywords:
            yield view.module.finding("PG309", node, "a class has a metaclass or class arguments", "leave them out")
        for member in node.body:
            if isinstance(member, ast.FunctionDef) and member.name in CLASS_HOOKS:
                yield view.module.finding("PG309", member, f"{member.name} changes how names are found", "leave it out")


def _bases(view: View, node: ast.ClassDef) -> Findings:
    names = [view.full(base.value if isinstance(base, ast.Subscript) else base) for base in node.bases]
    if len(names) == 2 and names[0] in MIXED_IN and names[1].startswith("enum."):
        names = names[1:]
    if len(names) > 1:
        help = "keep an object of the second class in a field, and call its methods"
        yield view.module.finding("PG309", node.bases[1], "a class has several bases", help)
    for base, name in zip(node.bases, names, strict=False):
        if not name.startswith(INTERNAL) and not BASES.fullmatch(name):
            help = "keep such an object in a field instead of being one" if name else "name the base"
            message = f"{name.removeprefix(BUILTIN) or ast.unparse(base)} is not a base that a bundled class may have"
            yield view.module.finding("PG309", base, message, help)


def changing_records(view: View) -> Findings:
    """PG311: a dataclass or record has a form that cannot be moved."""
    for node in view.code(ast.ClassDef):
        for decorator in node.decorator_list:
            yield from _record_options(view, decorator)
        if is_record(view, node) or is_dataclass(view, node):
            for member in node.body:
                if not isinstance(member, (ast.FunctionDef, ast.Pass)) and not is_docstring(member):
                    yield from _record_field(view, node, member)


def _record_options(view: View, decorator: ast.expr) -> Findings:
    options = decorator.keywords if isinstance(decorator, ast.Call) else []
    if view.full(call_target(decorator)) != "dataclasses.dataclass":
        yield view.module.finding("PG311", decorator, "a class is changed by a decorator", "leave it out")
    elif any(option.arg in (None, "slots", "weakref_slot") for option in options) or not all(
        isinstance(option.value, ast.Constant) for option in options
    ):
        help = "write @dataclass or @dataclass(frozen=True)"
        yield view.module.finding("PG311", decorator, "a dataclass with slots is a second class behind the first", help)


def _record_field(view: View, node: ast.ClassDef, member: ast.stmt) -> Findings:
    value = member.value if isinstance(member, ast.AnnAssign) else None
    plain = isinstance(member, ast.AnnAssign)
    if isinstance(value, ast.Call) and view.full(value.func) == "dataclasses.field" and is_dataclass(view, node):
        plain &= not value.args and all(_is_plain(option.value) for option in value.keywords)
    elif value is not None:
        plain &= not changing_default(view, value)
    if not plain:
        help = "give each field an annotation and at most a constant as its default"
        yield view.module.finding("PG311", member, "a record's field cannot be moved", help)
    for part in walk(member.annotation) if isinstance(member, ast.AnnAssign) else ():
        if isinstance(part, (ast.Name, ast.Attribute)) and view.full(part) == "dataclasses.InitVar":
            help = "write a function that makes the record"
            yield view.module.finding("PG311", member, "a field that is only a parameter of `__post_init__`", help)
