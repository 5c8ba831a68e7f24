"""Which names other than variables are the program's own: attributes, methods, fields, and parameters passed by name.

Python looks these up by text, in objects whose class nobody knows before the program runs. A name may be shortened all the
same where the whole program shows that every use of it means something that the program itself defines. `survey` collects
what it shows; whatever it cannot show keeps its name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pgolf.bundle.external_names import COVERED, NAMES
from pgolf.bundle.names import FUNCTIONS, FunctionNode, Scope, scopes
from pgolf.bundle.source import last_name

PLAIN_PACKAGES = COVERED | {"flash_attn", "flash_attn_interface"}
"""What may be imported; the last two hold functions of tensors."""
RECORD_NAMES = ("settings", "program")
"""Rule PG317: these are the entry's two records, so a module that holds one gets no submodule of that name."""
BY_TEXT = ("getattr", "hasattr", "setattr", "delattr")
SHOWN_FIELDS = (
    "_asdict",
    "_fields",
    "_field_defaults",
    "__getattribute__",
    "__setattr__",
    "__getattr__",
    "__delattr__",
)
MAKERS = (
    "namedtuple",
    "SimpleNamespace",
    "asdict",
    "astuple",
    "fields",
    "make_dataclass",
    "attrgetter",
    "methodcaller",
)
DECORATORS = (
    *("staticmethod", "classmethod", "property", "no_grad", "inference_mode", "enable_grad", "contextmanager", "cache"),
    *("lru_cache", "cached_property", "setter", "dataclass"),
)
"""Decorators that pass arguments on as they come."""
ANY = ("**",)
"""Stands for the keywords of a call with `**`."""
WORD = re.compile(r"\w+")


@dataclass
class Survey:
    """What may be renamed.

    Attributes:
        scope: the module's scope tree; `places` has the scope of each identifier.
        own: attributes, methods and fields that may be renamed.
        fixed: parameters that must keep their names, by function and name.
        records: classes whose fields are their constructor's parameters, with these.
        inherited: members of classes with a base outside the program: their new names must not be ones of the base.
    """

    scope: Scope
    places: dict[ast.AST, Scope]
    own: frozenset[str] = frozenset()
    fixed: set[tuple[ast.AST, str]] = field(default_factory=set)
    records: dict[str, tuple[str, ...]] = field(default_factory=dict)
    inherited: frozenset[str] = frozenset(RECORD_NAMES)

    def names_fields(self, call: ast.Call) -> bool:
        """Are a call's keywords fields of a record: `Record(...)` and `record._replace(...)`?"""
        if isinstance(call.func, ast.Attribute):
            return call.func.attr == "_replace"
        return isinstance(call.func, ast.Name) and self.global_name(call.func) in self.records

    def global_name(self, node: ast.Name) -> str:
        """The name, where it means something of the top level."""
        return node.id if self.places[node].resolve(node.id).kind == "module" else ""


def survey(tree: ast.Module) -> Survey:
    """Look at the whole program once."""
    scope, places = scopes(tree)
    found = Survey(scope, places)
    nodes = list(ast.walk(tree))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    found.records = {name: _fields(node) for name, node in classes.items() if is_record(node)}
    calls = [node for node in nodes if isinstance(node, ast.Call) and node.keywords]
    ties = sorted({_keywords(node) for node in calls if not found.names_fields(node)} - {()})
    if any(item.arg is None for node in calls for item in node.keywords):
        ties = [ANY]
    outside = {name for name, node in classes.items() if is_foreign(node, classes)} | _borrowed(nodes, found, classes)
    found.inherited |= frozenset(_defined({name: classes[name] for name in sorted(outside)}, outside))
    for inner in scope.walk():
        if isinstance(inner.node, FUNCTIONS):
            found.fixed |= {(inner.node, name) for name in _fixed_parameters(inner, ties, outside)}
    if _may_rename_members(nodes):
        passed = {name for fields in found.records.values() for name in _meant(ties, set(fields))}
        defined = set(_defined(classes, outside)) - passed - _used_elsewhere(nodes, found, classes, outside) - NAMES
        found.own = frozenset(name for name in defined if not name.startswith("_"))
    return found


def is_record(node: ast.ClassDef) -> bool:
    """A NamedTuple or a dataclass."""
    bases = [last_name(item) for item in node.bases]
    return bases == ["NamedTuple"] or "dataclass" in [last_name(item) for item in node.decorator_list]


def _fields(node: ast.ClassDef) -> tuple[str, ...]:
    return tuple(
        item.target.id for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    )


def _keywords(call: ast.Call) -> tuple[str, ...]:
    return tuple(sorted(keyword.arg for keyword in call.keywords if keyword.arg))


def _meant(ties: list[tuple[str, ...]], named: set[str]) -> set[str]:
    """Those of a function's parameters that a call of the program may pass by name.

    A call with keywords succeeds only in a function that has parameters of all these names, so that no other function is
    meant by it. With `**` in a call, anything may be.
    """
    return named if ties == [ANY] else {name for names in ties if named.issuperset(names) for name in names}


# Parameters


def _fixed_parameters(scope: Scope, ties: list[tuple[str, ...]], outside: set[str]) -> Iterator[str]:
    """Parameters that someone may pass by name: a call of the program, or torch.

    Torch itself calls functions under decorators, and methods that override one of its own.
    """
    function = scope.node
    assert isinstance(function, FUNCTIONS)
    arguments = function.args
    named = {argument.arg for argument in (*arguments.args, *arguments.kwonlyargs)}
    decorators = [last_name(item) for item in getattr(function, "decorator_list", [])]
    known = all(name in DECORATORS for name in decorators)
    owner = scope.parent.node if scope.parent is not None else None
    foreign = isinstance(owner, ast.ClassDef) and owner.name in outside and getattr(function, "name", "") in NAMES
    if foreign or not known:
        yield from sorted(named | {argument.arg for argument in arguments.posonlyargs})
    elif arguments.kwarg is not None:
        yield from sorted(name for name in named if ties == [ANY] or any(name in names for names in ties))
    else:
        yield from sorted(_meant(ties, named))


# Members


def _may_rename_members(nodes: list[ast.AST]) -> bool:
    """False where the program finds an attribute by text, or uses a package whose attributes are not known."""
    for node in nodes:
        if isinstance(node, ast.Import):
            if any(
                alias.name.partition(".")[0] not in PLAIN_PACKAGES or alias.name == "dataclasses"
                for alias in node.names
            ):
                return False
        elif isinstance(node, ast.ImportFrom):
            if (node.module or "").partition(".")[0] not in PLAIN_PACKAGES or any(a.name in MAKERS for a in node.names):
                return False
        elif isinstance(node, ast.Attribute):
            if node.attr in SHOWN_FIELDS or node.attr in MAKERS[:2] + MAKERS[-2:]:
                return False
        elif isinstance(node, ast.Name) and node.id in BY_TEXT:
            return False
    return True


def is_foreign(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    """Does a class inherit from one outside the program, other than NamedTuple?"""
    if is_record(node):
        return False
    names = [last_name(item) for item in node.bases]
    return any(name not in classes or is_foreign(classes[name], classes) for name in names)


def _borrowed(nodes: list[ast.AST], found: Survey, classes: dict[str, ast.ClassDef]) -> set[str]:
    """Classes with a method that is called on the class, with whatever object."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = found.global_name(node.value)
            if name in classes and node.attr != "__init__":
                methods = [item for item in classes[name].body if isinstance(item, ast.FunctionDef)]
                static = ("staticmethod", "classmethod")
                if any(
                    item.name == node.attr and not any(last_name(mark) in static for mark in item.decorator_list)
                    for item in methods
                ):
                    names.add(name)
    return names


def _defined(classes: dict[str, ast.ClassDef], outside: set[str]) -> Iterator[str]:
    """Members that the program's classes define."""
    for node in classes.values():
        for item in node.body:
            if isinstance(item, ast.FunctionDef):
                yield item.name
            elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                yield item.target.id
            elif isinstance(item, ast.Assign):
                yield from (target.id for target in item.targets if isinstance(target, ast.Name))
        for stored in own_stores(node):
            if node.name not in outside or stored.attr in RECORD_NAMES:
                yield stored.attr


def own_stores(node: ast.ClassDef) -> Iterator[ast.Attribute]:
    """`self.x` as a target, in a method whose `self` is never anything else."""
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and binds_self(method):
            first = method.args.args[0].arg
            for item in ast.walk(method):
                stored = isinstance(item, ast.Attribute) and not isinstance(item.ctx, ast.Load)
                if (
                    isinstance(item, ast.Attribute)
                    and stored
                    and last_name(item.value) == first == ast.unparse(item.value)
                ):
                    yield item


def binds_self(method: FunctionNode) -> bool:
    """Does a method get its object as first parameter, and is that name bound nowhere else below it?"""
    decorators = [last_name(item) for item in getattr(method, "decorator_list", [])]
    if not method.args.args or method.args.posonlyargs or "staticmethod" in decorators or "classmethod" in decorators:
        return False
    top, _ = scopes(method)
    first = method.args.args[0].arg
    return sum(len(scope.bound.get(first, [])) for scope in top.walk()) == 1


def _used_elsewhere(
    nodes: list[ast.AST], found: Survey, classes: dict[str, ast.ClassDef], outside: set[str]
) -> set[str]:
    """Names that also mean something outside: in texts, on imported things, in patterns, on objects of unknown class."""
    stores = {item: node.name for node in classes.values() for item in own_stores(node)}
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not re.search(r"\s", node.value):
            names.update(WORD.findall(node.value))
        elif isinstance(node, ast.MatchClass):
            names.update(node.kwd_attrs)
        elif isinstance(node, ast.Attribute):
            stored = not isinstance(node.ctx, ast.Load)
            strange = stored and (node not in stores or stores[node] in outside) and node.attr not in RECORD_NAMES
            if strange or _is_imported(node, found):
                names.add(node.attr)
    return names


def _is_imported(node: ast.expr, found: Survey) -> bool:
    """Is an expression an imported name, or an attribute, item or result of one?"""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    if not isinstance(node, ast.Name):
        return False
    bound = found.places[node].resolve(node.id).bound.get(node.id, [])
    return any(isinstance(item, ast.alias) for item in bound)
