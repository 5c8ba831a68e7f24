"""Rules of the bundleable subset about the code inside functions and classes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pgolf.bundle.link import BUILTINS
from pgolf.bundle.names import COMPREHENSIONS, FUNCTIONS, Scope
from pgolf.bundle.rules_top import DEFEATING, PICKLING
from pgolf.bundle.source import Binding, import_bindings, imported_modules
from pgolf.bundle.view import BUILTIN, INTERNAL, View, is_main_block, walk_code
from pgolf.errors import PgolfError

Findings = Iterator[PgolfError]

MUTATORS = ("append", "extend", "insert", "remove", "pop", "clear", "update", "setdefault", "add", "discard", "popitem")
DEFEATING_NAMES = re.compile(
    r"builtins\.(eval|exec|compile|globals|locals|vars|dir|__import__|breakpoint|__builtins__|__loader__|__spec__)"
    r"|sys\.(modules|_getframe|settrace|setprofile|meta_path|path_hooks)(\..*)?|torch\.(jit|fx|package)(\..*)?"
    r"|operator\.(attrgetter|methodcaller)"
)
ATTRIBUTE_CALLS = ("builtins.getattr", "builtins.hasattr", "builtins.setattr", "builtins.delattr")
CHANGED_NAMES = (
    *("__name__", "__qualname__", "__module__", "__doc__", "__annotations__", "__file__", "__class__"),
    *("__dict__", "__code__", "__globals__", "__closure__", "__defaults__", "__kwdefaults__", "__bases__"),
    *("__mro__", "__subclasses__", "__wrapped__", "__spec__", "__loader__", "__package__", "__path__"),
    *("__reduce__", "__reduce_ex__", "__firstlineno__", "__static_attributes__", "__signature__"),
)
KNOWN = BUILTINS | set(CHANGED_NAMES)
HARMLESS_CALLS = re.compile(
    r"builtins\.(len|isinstance|all|any|abs|min|max|sum|set|sorted|tuple|int|float|str|range|type)"
)
HARMLESS_METHODS = ("dim", "numel", "size", "is_contiguous", "startswith", "endswith", "item", "isfinite", "issubset")
UNORDERED_OK = re.compile(r"builtins\.(sorted|len|min|max|any|all|set|frozenset|isinstance|bool)")
CONSUMERS = re.compile(
    r"builtins\.(list|tuple|iter|enumerate|zip|map|filter|dict|sum|next|reversed|print|str|repr)|itertools\..*"
    r"|collections\.(deque|OrderedDict|Counter)"
)


def pg304(view: View) -> Findings:
    """No `global`, no second binding of a top-level name, no write to attributes or items of a top-level name.
    | In one flat namespace other code would see the write."""
    seen: dict[str, Binding | None] = {}
    for statement in view.module.statements:
        bindings: dict[str, Binding | None] = dict.fromkeys(statement.declares) | import_bindings(statement.node)
        for name, binding in bindings.items():
            if name in seen and (binding is None or seen[name] != binding):
                help = "give the second one a name of its own"
                yield view.module.finding("PG304", statement.node, f"{name!r} is bound twice at the top level", help)
            seen[name] = binding
    for node in view.code():
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
        return view.full(node.func.value).startswith(INTERNAL)
    return False


def pg305(view: View) -> Findings:
    """No eval, exec, compile, globals, locals, vars, dir, importlib, inspect, sys.modules or torch.jit, and no computed
    attribute name on a module or top-level name. | They find names that bundling renames."""
    for node in view.imports():
        for name in imported_modules(node):
            if name.partition(".")[0] in DEFEATING:
                help = "do without it in code that is bundled"
                yield view.module.finding("PG305", node, f"{name} finds code by name or reads its source", help)
    for item in view.code():
        if isinstance(item, (ast.Name, ast.Attribute)) and DEFEATING_NAMES.fullmatch(view.full(item)):
            help = "write the names out"
            message = f"{view.full(item).removeprefix(BUILTIN)!r} cannot be bundled: it defeats static names"
            if not isinstance(view.parents.get(item), ast.Attribute):
                yield view.module.finding("PG305", item, message, help)
        elif isinstance(item, ast.Call) and view.full(item.func) in ATTRIBUTE_CALLS and len(item.args) > 1:
            computed = not isinstance(item.args[1], ast.Constant)
            shared = view.full(item.args[0])
            if computed and shared and not shared.startswith(BUILTIN):
                help = "write `module.name`, or a dictionary of the choices"
                yield view.module.finding("PG305", item, f"an attribute of {shared} has a computed name", help)


def pg308(view: View) -> Findings:
    """Classes and coroutines stand at the top level; a function inside a function reads only variables that are bound once,
    and a comprehension assigns none. | What is defined at the top level can be moved; a closure sees every later value."""
    for node in view.code():
        if isinstance(node, ast.ClassDef) and view.parents.get(node) is not view.module.tree:
            help = "move it to the top level of the module"
            yield view.module.finding("PG308", node, f"class {node.name} is defined inside something else", help)
        elif isinstance(node, (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)):
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
    for inner in scope.walk():
        for name in inner.reads:
            owner = inner.resolve(name)
            if owner.kind == "function" and owner not in list(scope.walk()):
                yield name, owner


def pg310(view: View) -> Findings:
    """No method is taken off a class other than to call it, zero-argument `super()` stands directly in a method, and no
    name begins with two underscores only. | Both hold the class's name, which changes."""
    for node in view.code():
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and _is_method(view, node):
            parent = view.parents.get(node)
            if not (isinstance(parent, ast.Call) and parent.func is node) and not isinstance(parent, ast.Attribute):
                help = "write a method that calls it, or move the code into a function"
                yield view.module.finding("PG310", node, "a method is taken off its class", help)
        if isinstance(node, ast.Call) and view.full(node.func) == "builtins.super":
            around = view.function_around(node)
            comprehension = view.places[node.func].kind == "comprehension"
            direct = around is not None and isinstance(view.parents.get(around), ast.ClassDef)
            if node.args or not direct or comprehension:
                help = "call super() at the top of the method and keep the result"
                yield view.module.finding("PG310", node, "super() is not directly in a method", help)
        for name in _identifiers(node):
            if name.startswith("__") and not name.endswith("__"):
                help = "begin the name with one underscore"
                yield view.module.finding("PG310", node, f"{name!r} is mangled with the class's name", help)


def _is_method(view: View, node: ast.Attribute) -> bool:
    if not isinstance(node.value, ast.Name) or not view.full(node.value).startswith(INTERNAL):
        return False
    definition = view.definition(node.value.id)
    return isinstance(definition, ast.ClassDef) and any(
        isinstance(item, ast.FunctionDef) and item.name == node.attr for item in definition.body
    )


def _identifiers(node: ast.AST) -> Iterator[str]:
    for field in ("id", "attr", "arg", "name"):
        value = getattr(node, field, None)
        if isinstance(value, str):
            yield value


def pg312(view: View) -> Findings:
    """Nothing reads `__name__`, `__qualname__`, `__module__`, `__doc__`, `__annotations__`, `__file__`, `__class__`,
    `__dict__` and the like. | Bundling and renaming change them."""
    for statement in view.reached:
        main = statement.node
        test = main.test if isinstance(main, ast.If) and is_main_block(main) else None
        skipped = set(ast.walk(test)) if test is not None else set()
        for node in ast.walk(main):
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            if name in CHANGED_NAMES and node not in skipped:
                help = "write the text you need as a literal; sys.argv[0] is the running file"
                yield view.module.finding("PG312", node, f"{name} is not the same in a built file", help)
        for node in walk_code(main):
            name = node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) else ""
            if name and view.full(node) == BUILTIN + name and name not in KNOWN:
                help = "define it, import it, or correct the spelling"
                yield view.module.finding("PG312", node, f"{name!r} is defined nowhere", help)


def pg313(view: View) -> Findings:
    """No pickle, marshal or shelve; `torch.load` says `weights_only=True`. | An artifact holds tensors, numbers and texts:
    a class or function in it would be looked up under a name that changes."""
    for node in view.imports():
        for name in imported_modules(node):
            if name.partition(".")[0] in PICKLING:
                help = "write bytes, or tensors with torch.save"
                yield view.module.finding("PG313", node, f"{name} stores code by name", help)
    for item in view.code():
        if isinstance(item, ast.Call) and view.full(item.func) in ("torch.load", "numpy.load"):
            wanted = ("weights_only", True) if view.full(item.func) == "torch.load" else ("allow_pickle", False)
            given = [(word.arg, word.value.value) for word in item.keywords if isinstance(word.value, ast.Constant)]
            if wanted not in given:
                help = f"pass {wanted[0]}={wanted[1]}"
                yield view.module.finding("PG313", item, f"{view.full(item.func)} may read pickled code", help)


def pg315(view: View) -> Findings:
    """An assertion only reads: no walrus, no yield, no call beyond len, isinstance and the like. | They are removed."""
    for node in view.code():
        if isinstance(node, ast.Assert):
            for item in ast.walk(node):
                effect = isinstance(item, (ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Await))
                if effect or (isinstance(item, ast.Call) and not _is_harmless(view, item)):
                    help = "do it before, and assert on the result"
                    yield view.module.finding("PG315", item, "an assertion may have an effect", help)


def _is_harmless(view: View, node: ast.Call) -> bool:
    method = isinstance(node.func, ast.Attribute) and node.func.attr in HARMLESS_METHODS
    return method or HARMLESS_CALLS.fullmatch(view.full(node.func)) is not None


def pg316(view: View) -> Findings:
    """No iteration over a set, nor anything else that depends on its order; `sorted(...)` is fine.
    | The hash seed must not reach a result."""
    for node in view.code():
        for value in _ordered_uses(view, node):
            if _is_set(view, value):
                help = "iterate over sorted(...), or use a dict for its keys"
                yield view.module.finding("PG316", value, "the order of a set is not fixed", help)


def _ordered_uses(view: View, node: ast.AST) -> Iterator[ast.expr]:
    """Expressions whose order matters at a node."""
    if isinstance(node, (ast.For, ast.comprehension)):
        around = view.parents.get(node)
        call = view.parents.get(around) if isinstance(around, COMPREHENSIONS) else None
        unordered = isinstance(around, ast.SetComp) or (
            isinstance(around, ast.GeneratorExp)
            and isinstance(call, ast.Call)
            and UNORDERED_OK.fullmatch(view.full(call.func))
        )
        if not unordered:
            yield node.iter
    elif isinstance(node, (ast.Starred, ast.FormattedValue)):
        yield node.value
    elif isinstance(node, ast.Assign):
        if any(isinstance(target, (ast.Tuple, ast.List)) for target in node.targets):
            yield node.value
    elif isinstance(node, ast.Call):
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if CONSUMERS.fullmatch(view.full(node.func)) or method in ("join", "extend", "fromkeys"):
            yield from node.args
        elif method == "pop" and not node.args and isinstance(node.func, ast.Attribute):
            yield node.func.value


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
    for other, parent in view.parents.items():
        if not isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) or parent.value is None:
            continue
        if isinstance(node, ast.Name) and isinstance(other, ast.Name) and other.id == node.id and other in view.places:
            if not isinstance(other.ctx, ast.Load) and view.places[other] is view.places[node].resolve(node.id):
                yield parent.value
        elif isinstance(node, ast.Attribute) and isinstance(other, ast.Attribute):
            stored = isinstance(other.ctx, ast.Store)
            if stored and ast.unparse(node) == ast.unparse(other) == f"self.{node.attr}":
                yield parent.value


def pg319(view: View) -> Findings:
    """Attribute names are never generated: no `setattr` with a computed name, no `__setattr__`, no `type(a, b, c)`.
    | Names in a state dict must be found in the source."""
    for node in view.code():
        computed = isinstance(node, ast.Call) and view.full(node.func) in ("builtins.setattr", "builtins.delattr")
        if isinstance(node, ast.Call) and computed and len(node.args) > 1:
            if not isinstance(node.args[1], ast.Constant):
                help = "use nn.ModuleList, nn.ModuleDict or a dictionary"
                yield view.module.finding("PG319", node, "an attribute's name is computed", help)
        elif isinstance(node, ast.Attribute) and node.attr in ("__setattr__", "__delattr__"):
            yield view.module.finding("PG319", node, f"{node.attr} writes a name that is computed", "assign it")
        elif isinstance(node, ast.Call) and view.full(node.func) == "builtins.type" and len(node.args) != 1:
            yield view.module.finding("PG319", node, "a class is generated", "write a class statement")


def pg321(view: View) -> Findings:
    """No string inside the braces of an f-string. | Newer Pythons print it with quotes that older ones cannot read."""
    for node in view.code():
        if isinstance(node, ast.FormattedValue):
            inner = [node.value, *(_braces(node.format_spec) if node.format_spec is not None else [])]
            for item in (found for root in inner for found in ast.walk(root)):
                is_text = isinstance(item, ast.Constant) and isinstance(item.value, (str, bytes))
                if is_text or isinstance(item, ast.JoinedStr):
                    help = "put it into a variable first"
                    yield view.module.finding("PG321", node, "a string inside an f-string's braces", help)
                    break


def _braces(spec: ast.expr) -> list[ast.expr]:
    """Expressions in the braces of a format specification."""
    return [item.value for item in ast.walk(spec) if isinstance(item, ast.FormattedValue)]
