"""Rules of the bundleable subset about what stands at the top level and runs when a module is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pgolf.bundle.literals import UNKNOWN, value_of
from pgolf.bundle.names import COMPREHENSIONS
from pgolf.bundle.source import ENTRY
from pgolf.bundle.syntax import is_docstring, is_main_block
from pgolf.bundle.toplevel import functions_of, guard, operator_keys, optional_names, registration
from pgolf.bundle.trees import walk
from pgolf.bundle.view import INTERNAL, Findings, View, call_target, is_dataclass

CONSTANT = re.compile(r"_?[A-Z]\w*|__all__")
CUSTOM_OP = "torch.library.custom_op"
PURE_CALLS = re.compile(
    r"builtins\.(frozenset|tuple|dict|list|set|range|len|min|max|float|int|str|bytes|bool|abs|round|sum|sorted|zip)"
    r"|math\.\w+|re\.compile|struct\.(calcsize|Struct)|functools\.partial|triton\.Config|pgolf:\w+|torch\.device"
    r"|typing\.(TypeVar|NewType)"
)
IMMUTABLE_CALLS = re.compile(
    r"builtins\.(frozenset|tuple|range|len|min|max|float|int|str|bytes|bool|abs|round|sum)|math\.\w+|torch\.device"
)
DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)
EFFECTS = re.compile(
    r"(random|time|datetime|os|sys|io|socket|secrets|uuid|subprocess|pathlib|glob|shutil|tempfile|platform)\b.*"
    r"|numpy\.random\b.*|builtins\.(open|print|input|id|hash)"
    r"|torch\.(cuda|manual_seed|seed|rand\w*|normal|get_\w+|set_\w+|distributed|Generator|mps|backends)\b.*"
)
ACTS = (ast.Lambda, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)


def statements_at_import(view: View) -> Findings:
    """PG301: a statement is not allowed at the top level of a module."""
    for place, node in enumerate(view.module.tree.body):
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef)) or (place == 0 and is_docstring(node)):
            continue
        if isinstance(node, ast.ClassDef):
            yield from _class_body(view, node)
            yield from _own_names(view, node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            yield from _constant(view, node, node.value)
        elif isinstance(node, ast.Try):
            yield from _optional(view, node)
        elif isinstance(node, ast.If) and guard(node):
            yield from _kernels(view, node)
        elif isinstance(node, ast.Expr) and registration(node)[0]:
            yield from _registration(view, node)
        elif not (view.module.name == ENTRY and is_main_block(node)):
            yield view.module.finding(
                "PG301",
                node,
                "this statement runs when the module is imported, and would run elsewhere or not at all in a built file",
                "put it into a function that the training program calls",
            )


def _optional(view: View, node: ast.Try) -> Findings:
    if not optional_names(node):
        help = "write `try:` with imports alone, `except ImportError:` and None for each of their names"
        yield view.module.finding("PG301", node, "only imports may be tried at the top level", help)


def _kernels(view: View, node: ast.If) -> Findings:
    statement = view.module.declares.get(guard(node))
    if statement is None or not statement.optional or statement.node.lineno > node.lineno:
        help = "import it above: `try: import triton`, `except ImportError: triton = None`"
        yield view.module.finding(
            "PG301", node, f"{guard(node)!r} is not imported as something that may be missing", help
        )
    for line in functions_of(node):
        if not any(view.full(call_target(mark)) == "triton.jit" for mark in line.decorator_list):
            help = "move it out of the `if`: a function may name what is missing as long as it is not called"
            yield view.module.finding("PG301", line, f"{line.name} is no Triton kernel", help)


def _registration(view: View, node: ast.Expr) -> Findings:
    call = node.value
    if not isinstance(call, ast.Call) or not is_operator(view, registration(node)[0]):
        help = "register it in the module that has the function under torch.library.custom_op"
        yield view.module.finding(
            "PG301", node, "this registers something for an operator that is not defined here", help
        )
        return
    for value in (*call.args, *(word.value for word in call.keywords)):
        if value_of(value) is UNKNOWN and not view.full(value).startswith(INTERNAL):
            help = "name functions of this module"
            yield view.module.finding("PG301", value, "what an operator gets is not a function of the program", help)


def is_operator(view: View, key: str) -> bool:
    """Is this the name of a function of the module under `torch.library.custom_op`, or its operator's?"""
    for statement in view.module.statements:
        for function in functions_of(statement.node):
            marks = [view.full(call_target(mark)) for mark in function.decorator_list]
            if key in operator_keys(function) and CUSTOM_OP in marks:
                return True
    return False


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
    for line in node.body:
        if isinstance(line, (ast.FunctionDef, ast.Pass)) or is_docstring(line):
            continue
        named = isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
        named = named or (isinstance(line, ast.Assign) and all(isinstance(name, ast.Name) for name in line.targets))
        value = line.value if isinstance(line, (ast.Assign, ast.AnnAssign)) else None
        if not named or (value is not None and not _is_field(view, node, value)):
            help = "a class body holds a docstring, methods, and fields whose values are pure expressions"
            yield view.module.finding("PG301", line, "this statement runs while the class is being made", help)


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
    if is_dataclass(view, node) or view.full(value).startswith(INTERNAL):
        return True
    # The variable of a comprehension is not one of the class, and could be taken for one.
    calls = [part for part in walk(value) if isinstance(part, COMPREHENSIONS)]
    return not calls and not any(bad for bad in impure(view, value) if not _is_enum_value(view, node, bad))


def _is_enum_value(view: View, node: ast.ClassDef, value: ast.expr) -> bool:
    return view.full(call_target(value)) == "enum.auto" and any(
        view.full(base).startswith("enum.") for base in node.bases
    )


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


def changing_defaults(view: View) -> Findings:
    """PG314: a default argument is not a constant."""
    for statement in view.module.statements:
        methods = statement.node.body if isinstance(statement.node, ast.ClassDef) else functions_of(statement.node)
        for node in methods:
            if not isinstance(node, ast.FunctionDef):
                continue
            for value in (*node.args.defaults, *node.args.kw_defaults):
                if value is None or any(_effects(view, value)):
                    continue
                message = changing_default(view, value)
                if message:
                    help = "default to None and compute the value in the function"
                    yield view.module.finding("PG314", value, message, help)


def changing_default(view: View, value: ast.expr) -> str:
    """What is wrong with a default; empty for one that is the same whenever it is computed."""
    for part in walk(value):
        if isinstance(part, DISPLAYS):
            return "all calls share one list, dict or set as their default argument"
        if isinstance(part, ACTS) or (
            isinstance(part, ast.Call) and not IMMUTABLE_CALLS.fullmatch(view.full(part.func))
        ):
            return "a default argument is computed by more than pure builtins"
    return ""


def future_flags(view: View) -> Findings:
    """PG318: a __future__ import."""
    for node in view.module.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            help = "delete the line: Python 3.11 needs none of them here"
            yield view.module.finding("PG318", node, "a __future__ import cannot be joined with other modules", help)


def effects_at_import(view: View) -> Findings:
    """PG320: randomness, clock, environment, file or device access at module level."""
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
    if isinstance(node, ast.ClassDef) or guard(node):
        for line in node.body if isinstance(node, (ast.ClassDef, ast.If)) else []:
            yield from _definition_time(line)


def _effects(view: View, value: ast.expr) -> Iterator[ast.expr]:
    for bad in impure(view, value):
        if EFFECTS.fullmatch(view.full(call_target(bad))):
            yield bad
