"""Rules of the bundleable subset about names that are looked up by text, or that a built file changes."""

from __future__ import annotations

import ast
import re

from pgolf.bundle.meanings import BUILTINS
from pgolf.bundle.rules.unknown_imports import DEFEATING
from pgolf.bundle.source import imported_modules
from pgolf.bundle.syntax import is_main_block
from pgolf.bundle.trees import walk
from pgolf.bundle.view import BUILTIN, INTERNAL, Findings, View

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
NAMED = {
    kind: fields
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
    if (fields := [name for name in ("id", "attr", "arg", "name") if name in kind._fields])
}
"""Class of node -> the fields that hold an identifier."""
KNOWN = BUILTINS | set(CHANGED_NAMES)


def name_lookups(view: View) -> Findings:
    """PG305: a name that defeats static analysis."""
    for node in view.imports():
        for name in imported_modules(node):
            if name.partition(".")[0] in DEFEATING:
                help = "do without it in code that is bundled"
                yield view.module.finding("PG305", node, f"{name} finds code by name or reads its source", help)
    for full in filter(DEFEATING_NAMES.fullmatch, view.names):
        for named in view.names[full]:
            help = "write the names out"
            message = f"{full.removeprefix(BUILTIN)!r} cannot be bundled: it defeats static names"
            if not isinstance(view.parents.get(named), ast.Attribute):
                yield view.module.finding("PG305", named, message, help)
    for use in view.code(ast.Call):
        if view.full(use.func) in ATTRIBUTE_CALLS and len(use.args) > 1:
            computed = not isinstance(use.args[1], ast.Constant)
            shared = view.full(use.args[0])
            if computed and shared and not shared.startswith(BUILTIN):
                help = "write `module.name`, or a dictionary of the choices"
                yield view.module.finding("PG305", use, f"an attribute of {shared} has a computed name", help)


def moved_methods(view: View) -> Findings:
    """PG310: a method is moved between classes, or a private name is mangled."""
    for node in view.code(ast.Attribute):
        if isinstance(node.ctx, ast.Load) and _is_method(view, node):
            parent = view.parents.get(node)
            if not (isinstance(parent, ast.Call) and parent.func is node) and not isinstance(parent, ast.Attribute):
                help = "write a method that calls it, or move the code into a function"
                yield view.module.finding("PG310", node, "a method is taken off its class", help)
    for call in view.code(ast.Call):
        if view.full(call.func) == "builtins.super":
            around = view.function_around(call)
            comprehension = view.places[call.func].kind == "comprehension"
            direct = around is not None and isinstance(view.parents.get(around), ast.ClassDef)
            if call.args or not direct or comprehension:
                help = "call super() at the top of the method and keep the result"
                yield view.module.finding("PG310", call, "super() is not directly in a method", help)
    for named in view.code(*NAMED):
        for name in (getattr(named, field) for field in NAMED[named.__class__]):
            if name.__class__ is str and name.startswith("__") and not name.endswith("__"):
                help = "begin the name with one underscore"
                yield view.module.finding("PG310", named, f"{name!r} is mangled with the class's name", help)


def _is_method(view: View, node: ast.Attribute) -> bool:
    return view.full(node.value).startswith(INTERNAL) and view.method(node) is not None


def changed_names(view: View) -> Findings:
    """PG312: code reads a name that bundling changes."""
    mains = [use.node for use in view.reached if isinstance(use.node, ast.If) and is_main_block(use.node)]
    skipped = {node for main in mains if isinstance(main, ast.If) for node in walk(main.test)}
    named = [(node, node.attr) for node in view.whole.get(ast.Attribute, ())]
    named += [(node, node.id) for node in view.whole.get(ast.Name, ())]
    for node, name in named:
        if name in CHANGED_NAMES and node not in skipped:
            help = "write the text you need as a literal; sys.argv[0] is the running file"
            yield view.module.finding("PG312", node, f"{name} is not the same in a built file", help)
    for full in view.names:
        name = full.removeprefix(BUILTIN)
        for use in view.names[full] if full.startswith(BUILTIN) and name not in KNOWN else ():
            if isinstance(use, ast.Name) and isinstance(use.ctx, ast.Load) and use.id == name:
                help = "define it, import it, or correct the spelling"
                yield view.module.finding("PG312", use, f"{name!r} is defined nowhere", help)


def generated_attributes(view: View) -> Findings:
    """PG319: an attribute name is generated."""
    for node in view.code(ast.Call, ast.Attribute):
        computed = isinstance(node, ast.Call) and view.full(node.func) in ("builtins.setattr", "builtins.delattr")
        if isinstance(node, ast.Call) and computed and len(node.args) > 1:
            if not isinstance(node.args[1], ast.Constant):
                help = "use nn.ModuleList, nn.ModuleDict or a dictionary"
                yield view.module.finding("PG319", node, "an attribute's name is computed", help)
        elif isinstance(node, ast.Attribute) and node.attr in ("__setattr__", "__delattr__"):
            yield view.module.finding("PG319", node, f"{node.attr} writes a name that is computed", "assign it")
        elif isinstance(node, ast.Call) and view.full(node.func) == "builtins.type" and len(node.args) != 1:
            yield view.module.finding("PG319", node, "a class is generated", "write a class statement")
