"""Rules of the bundleable subset about what stands at the top level: imports, definitions, constants."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from pgolf.bundle.names import FUNCTIONS
from pgolf.bundle.source import ENTRY, imported_modules, is_build_time, keeps_annotations, last_name
from pgolf.bundle.view import (
    BUILD_TIME,
    INTERNAL,
    View,
    call_target,
    is_dataclass,
    is_docstring,
    is_literal,
    is_main_block,
    is_record,
)
from pgolf.errors import PgolfError

Findings = Iterator[PgolfError]

CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*|__all__")
PURE_CALLS = re.compile(
    r"builtins\.(frozenset|tuple|dict|list|set|range|len|min|max|float|int|str|bytes|bool|abs|round|sum|sorted|zip)"
    r"|math\.\w+|re\.compile|struct\.(calcsize|Struct)|functools\.partial|pgolf:\w+"
)
EFFECTS = re.compile(
    r"(random|time|datetime|os|sys|io|socket|secrets|uuid|subprocess|pathlib|glob|shutil|tempfile|platform)\b.*"
    r"|numpy\.random\b.*|builtins\.(open|print|input|id|hash)"
    r"|torch\.(cuda|manual_seed|seed|rand\w*|normal|device|get_\w+|set_\w+|distributed|Generator|mps|backends)\b.*"
)
ACTS = (ast.Lambda, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
PACKAGES = ("torch", "numpy", "sentencepiece", "brotli", "triton")
OPTIONAL = ("flash_attn_interface", "flash_attn", "brotli", "zstandard", "lzma", "bz2", "zlib", "triton", "torch")
HOLLOW = ("concurrent", "dbm", "email", "html", "http", "urllib", "wsgiref", "xml")
DEFEATING = (
    *("importlib", "inspect", "builtins", "runpy", "pkgutil", "zipimport", "code", "codeop", "timeit", "trace"),
    *("pdb", "bdb", "dis", "gc", "unittest", "doctest", "__main__", "site", "antigravity", "this", "pydoc"),
)
PICKLING = ("pickle", "marshal", "shelve", "copyreg", "pickletools")
DECORATORS = re.compile(
    r"builtins\.(staticmethod|classmethod|property)|functools\.(cache|lru_cache)|contextlib\.contextmanager"
    r"|torch\.(no_grad|inference_mode|enable_grad|compile|compiler\.disable|library\.custom_op)"
    r"|torch\.autograd\.function\.once_differentiable|triton\.jit|dataclasses\.dataclass"
)
BASES = ("torch.nn.Module", "torch.optim.Optimizer", "torch.autograd.Function", "typing.NamedTuple")
CLASS_HOOKS = (
    *("__init_subclass__", "__getattr__", "__getattribute__", "__set_name__", "__class_getitem__"),
    *("__prepare__", "__mro_entries__", "__new__", "__del__"),
)


def pg301(view: View) -> Findings:
    """A module's top level holds a docstring, imports, `def`, `class` and `UPPER = <pure expression>`; a class body holds
    a docstring, methods and fields. | Then what is needed can be found without running anything."""
    for place, node in enumerate(view.module.tree.body):
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef)) or (place == 0 and is_docstring(node)):
            continue
        if isinstance(node, ast.ClassDef):
            yield from _class_body(view, node)
            yield from _own_names(view, node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            yield from _constant(view, node, node.value)
        elif not (view.module.name == ENTRY and is_main_block(node)):
            yield view.module.finding(
                "PG301",
                node,
                "this statement runs when the module is imported, and would run elsewhere or not at all in a built file",
                "put it into a function that the training program calls",
            )


def _constant(view: View, node: ast.Assign | ast.AnnAssign, value: ast.expr) -> Findings:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if len(targets) != 1 or not isinstance(targets[0], ast.Name) or not CONSTANT.fullmatch(targets[0].id):
        help = "write one UPPER_CASE name for a constant, and a function for everything else"
        yield view.module.finding("PG301", node, "a top-level assignment binds one constant's name", help)
        return
    for bad in impure(view, value):
        if not EFFECTS.fullmatch(view.full(call_target(bad))):
            help = "a constant is made of literals, other constants and pure builtins; compute the rest in a function"
            yield view.module.finding("PG301", bad, "a top-level value is not a pure expression", help)


def _class_body(view: View, node: ast.ClassDef) -> Findings:
    for item in node.body:
        if isinstance(item, (ast.FunctionDef, ast.Pass)) or is_docstring(item):
            continue
        named = isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        named = named or (isinstance(item, ast.Assign) and all(isinstance(name, ast.Name) for name in item.targets))
        value = item.value if isinstance(item, (ast.Assign, ast.AnnAssign)) else None
        if not named or (value is not None and not _is_field(view, node, value)):
            help = "a class body holds a docstring, methods, and fields with literals"
            yield view.module.finding("PG301", item, "this statement runs while the class is being made", help)


def _own_names(view: View, node: ast.ClassDef) -> Findings:
    """Names that the body of a class both reads and binds: which one is meant depends on the moment."""
    scope = next(scope for scope in view.scope.children if scope.node is node)
    for name in sorted(set(scope.reads) & set(scope.bound)):
        for read in scope.reads[name]:
            parent = view.parents[read]
            setter = isinstance(parent, ast.Attribute) and parent.attr in ("setter", "deleter")
            if not setter:
                help = "give the field another name"
                message = f"{name!r} is a field of the class and also read while the class is being made"
                yield view.module.finding("PG301", read, message, help)


def _is_field(view: View, node: ast.ClassDef, value: ast.expr) -> bool:
    # PG310 and PG311 say more about these than this rule could.
    return is_literal(value) or is_dataclass(view, node) or view.full(value).startswith(INTERNAL)


def impure(view: View, node: ast.expr) -> Iterator[ast.expr]:
    """Parts of an expression that do more than combine values."""
    if isinstance(node, ast.Call):
        target = view.full(node.func)
        made = view.module.name == ENTRY and target.startswith(INTERNAL)
        if not PURE_CALLS.fullmatch(target) and not made:
            yield node
            return
    elif EFFECTS.fullmatch(view.full(node)) or isinstance(node, ACTS):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from impure(view, child)
        elif isinstance(child, ast.keyword):
            yield from impure(view, child.value)
        elif isinstance(child, ast.comprehension):
            for part in (child.iter, *child.ifs):
                yield from impure(view, part)


def pg302(view: View) -> Findings:
    """Internal imports are `from package.module import Name` at the top level: no alias, no star, no `import x`, nothing
    relative; nothing of pgolf's build-time names is used. | Linking deletes the line and keeps the name."""
    for node in view.imports():
        for message in _internal_import(view, node):
            help = "write `from package.module import Name` at the top of the file"
            yield view.module.finding("PG302", node, message, help)
    for item in view.code():
        if isinstance(item, ast.Name) and view.full(item).startswith(BUILD_TIME):
            help = "only hooks and PLUGIN may use what pgolf itself exports"
            yield view.module.finding("PG302", item, f"{item.id!r} exists at build time only", help)


def _internal_import(view: View, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and node.level:
        yield "a relative import cannot be linked"
        return
    internal = [name for name in imported_modules(node) if view.is_internal(name)]
    if not internal:
        return
    missing = [name for name in internal if name not in view.modules and not is_build_time(name)]
    if missing and node in view.module.tree.body:
        yield f"{missing[0]} has no source file among the program's"
        return
    if node not in view.module.tree.body:
        yield "an internal import inside a function cannot be linked"
    elif isinstance(node, ast.Import):
        yield "an internal module is imported whole"
    elif any(alias.name == "*" for alias in node.names):
        yield "a star import hides which names it binds"
    elif any(alias.asname not in (None, alias.name) for alias in node.names):
        build_time = is_build_time(node.module or "")
        if not build_time:
            yield "an internal import renames what it imports"


def pg303(view: View) -> Findings:
    """External imports are of torch, numpy, sentencepiece, brotli, triton or the standard library, at the top level;
    inside functions only packages that may be missing. | Hoisting must not change what is imported, or when."""
    for node in view.imports():
        for name in imported_modules(node):
            if view.is_internal(name) or name == "__future__":
                continue
            message = _external_import(view, node, name)
            if message:
                help = "the standard library, torch, numpy and sentencepiece can be imported, at the top of the file"
                yield view.module.finding("PG303", node, message, help)
    for item in view.code():
        if isinstance(item, ast.Attribute) and re.fullmatch(
            r"torch\.nn\.attention\.(flex_attention|varlen|bias|experimental)", view.full(item)
        ):
            help = f"from {view.full(item.value)} import {item.attr} first"
            yield view.module.finding("PG303", item, f"{view.full(item)} is there only once it is imported", help)


def _external_import(view: View, node: ast.Import | ast.ImportFrom, name: str) -> str:
    root = name.partition(".")[0]
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        return "a star import hides which names it binds"
    if root in DEFEATING or root in PICKLING:
        return ""  # PG305 and PG313
    if node not in view.module.tree.body:
        return "" if root in OPTIONAL else f"{name} is imported inside a function"
    if root not in PACKAGES and root not in sys.stdlib_module_names:
        return f"{name} is not a package that a built file may import"
    if isinstance(node, ast.Import) and root in HOLLOW and name == root:
        return f"{name} holds its modules only once each is imported"
    dotted = isinstance(node, ast.Import) and any(alias.name == name and not alias.asname for alias in node.names)
    return f"`import {name}` binds {root}: import from it, or name it with `as`" if dotted and "." in name else ""


def pg306(view: View) -> Findings:
    """Decorators come from a list: staticmethod, classmethod, property, torch.no_grad, torch.inference_mode, torch.compile,
    torch.library.custom_op, triton.jit, dataclass and a few more. | Others run unknown code at definition."""
    for statement in view.module.statements:
        for node in ast.walk(statement.node):
            for decorator in getattr(node, "decorator_list", []):
                name = view.full(call_target(decorator))
                hook = name == BUILD_TIME + "hookimpl" and not statement.reached
                setter = isinstance(decorator, ast.Attribute) and decorator.attr in ("setter", "deleter")
                if not (DECORATORS.fullmatch(name) or hook or setter) or not _plain_call(decorator):
                    help = "call the function from the code instead of decorating it"
                    yield view.module.finding("PG306", decorator, f"@{ast.unparse(decorator)} is not on the list", help)


def _plain_call(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return True
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    return all(is_literal(value) or isinstance(value, (ast.Name, ast.Attribute)) for value in values)


def pg307(view: View) -> Findings:
    """Functions under `custom_op` and `triton.jit` annotate what they need, records have no annotation in quotes, no
    annotation calls anything, and none stands without a value in a function. | Other annotations are removed."""
    for statement in view.reached:
        for node in ast.walk(statement.node):
            if isinstance(node, ast.FunctionDef):
                yield from _function_annotations(view, node)
            if isinstance(node, ast.ClassDef):
                for item in node.body:
                    if isinstance(item, ast.AnnAssign) and _quoted(item.annotation):
                        help = "write the type itself"
                        yield view.module.finding("PG307", item, "a field's annotation is in quotes", help)
            if isinstance(node, ast.AnnAssign) and node.value is None and view.function_around(node) is not None:
                help = "assign the variable where it is declared"
                yield view.module.finding("PG307", node, "an annotation without a value makes a local name", help)
            if isinstance(node, (ast.Name, ast.Attribute)) and view.full(node) in (
                "typing.get_type_hints",
                "torch.library.infer_schema",
            ):
                yield view.module.finding("PG307", node, "annotations are removed, so nothing may read them", "")


def _function_annotations(view: View, node: ast.FunctionDef) -> Findings:
    arguments = [item for item in ast.walk(node.args) if isinstance(item, ast.arg)]
    annotations = [item.annotation for item in arguments] + [node.returns]
    for annotation in annotations:
        if annotation is not None and any(isinstance(item, ast.Call) for item in ast.walk(annotation)):
            yield view.module.finding("PG307", annotation, "an annotation calls something", "write a plain type")
    if keeps_annotations(node):
        needs_all = any(last_name(item) == "custom_op" for item in node.decorator_list)
        if needs_all and any(annotation is None for annotation in annotations):
            yield view.module.finding("PG307", node, "a custom operator needs all its annotations", "annotate it")
        for annotation in annotations:
            if annotation is not None and _quoted(annotation):
                yield view.module.finding("PG307", annotation, "an annotation that is read is in quotes", "")


def _quoted(node: ast.expr) -> bool:
    return any(isinstance(item, ast.Constant) and isinstance(item.value, str) for item in ast.walk(node))


def pg309(view: View) -> Findings:
    """A class has no base, one bundled class, or nn.Module, torch.optim.Optimizer, torch.autograd.Function or NamedTuple;
    no metaclass, no `__getattr__`, `__new__` or `__init_subclass__`. | Then what a class does can be read."""
    for node in view.code():
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
    for node in view.code():
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


def pg314(view: View) -> Findings:
    """Default arguments of functions and methods are literals. | A default is computed once, at a moment that moves."""
    for statement in view.module.statements:
        methods = statement.node.body if isinstance(statement.node, ast.ClassDef) else [statement.node]
        for node in methods:
            if not isinstance(node, ast.FunctionDef):
                continue
            for value in (*node.args.defaults, *node.args.kw_defaults):
                if value is not None and not is_literal(value) and not any(_effects(view, value)):
                    help = "default to None and compute the value in the function"
                    yield view.module.finding("PG314", value, "a default argument is not a literal", help)


def pg318(view: View) -> Findings:
    """No `from __future__ import`. | Such flags hold for a whole file, and a built file is one file."""
    for node in view.module.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            help = "delete the line: Python 3.11 needs none of them here"
            yield view.module.finding("PG318", node, "a __future__ import cannot be joined with other modules", help)


def pg320(view: View) -> Findings:
    """No randomness, clock, environment, file or device access while a module is imported. | Definition time must be free
    of effects, because it moves."""
    for statement in view.module.statements:
        for value in _definition_time(statement.node):
            for bad in _effects(view, value):
                help = "do this in a function that the training program calls"
                name = view.full(call_target(bad))
                yield view.module.finding("PG320", bad, f"{name} is used while the module is imported", help)


def _definition_time(node: ast.stmt) -> Iterator[ast.expr]:
    """Expressions that run when a top-level definition is executed."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        yield node.value
    if isinstance(node, ast.FunctionDef):
        yield from node.args.defaults
        yield from (value for value in node.args.kw_defaults if value is not None)
    if isinstance(node, ast.ClassDef):
        for item in node.body:
            yield from _definition_time(item)


def _effects(view: View, value: ast.expr) -> Iterator[ast.expr]:
    for bad in impure(view, value):
        if EFFECTS.fullmatch(view.full(call_target(bad))):
            yield bad
