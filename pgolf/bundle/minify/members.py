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

from pgolf.bundle.minify.callbacks import callback_parameters
from pgolf.bundle.minify.external_names import COVERED, NAMES
from pgolf.bundle.names import FUNCTIONS, FunctionNode, Scope, bound_name, is_imported, scopes
from pgolf.bundle.source import last_name
from pgolf.bundle.trees import Kinds, by_class, walk

PLAIN_PACKAGES = COVERED | {"flash_attn", "flash_attn_interface", "triton"}
"""What may be imported; the last three give functions of tensors, and what they read is in `kernel_attributes`."""
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
SHOWING = frozenset((*SHOWN_FIELDS, *MAKERS[:2], *MAKERS[-2:]))
"""Attributes that name other attributes by text."""
ANY = ("**",)
"""Stands for the keywords of a call with `**`."""
WORD = re.compile(r"\w+")
FIELD = re.compile(r"\{([^{}]*\.[^{}]*)")


@dataclass
class Survey:
    """What may be renamed.

    Attributes:
        scope: the module's scope tree; `places` has the scope of each identifier.
        own: attributes, methods and fields that may be renamed.
        fixed: parameters that must keep their names, by function and name.
        records: classes whose fields are their constructor's parameters, with these.
        inherited: members of classes with a base outside the program: their new names must not be ones of the base.
        of_node: the scope of each function, class and comprehension.
    """

    scope: Scope
    places: dict[ast.AST, Scope]
    own: frozenset[str] = frozenset()
    fixed: set[tuple[ast.AST, str]] = field(default_factory=set)
    records: dict[str, tuple[str, ...]] = field(default_factory=dict)
    inherited: frozenset[str] = frozenset(RECORD_NAMES)
    of_node: dict[ast.AST, Scope] = field(default_factory=dict)

    def binds_self(self, method: FunctionNode) -> bool:
        """`binds_self`, by the scopes that are known already."""
        first = method.args.args[0].arg if method.args.args else ""
        bound = sum(len(scope.bound.get(first, ())) for scope in self.of_node[method].walk())
        return _gets_object(method) and bound + (getattr(method, "name", "") == first) == 1

    def names_fields(self, call: ast.Call) -> bool:
        """Are a call's keywords fields of a record: `Record(...)` and `record._replace(...)`?"""
        if isinstance(call.func, ast.Attribute):
            return call.func.attr == "_replace"
        return isinstance(call.func, ast.Name) and self.global_name(call.func) in self.records

    def global_name(self, node: ast.Name) -> str:
        """The name, where it means something of the top level."""
        return node.id if self.places[node].resolve(node.id).kind == "module" else ""


def survey(tree: ast.Module, parameters: bool = True) -> Survey:
    """Look at the whole program once.

    Args:
        parameters: whether to find out which must keep their names; who renames none can spare the time.
    """
    scope, places = scopes(tree)
    found = Survey(scope, places, of_node={inner.node: inner for inner in scope.walk()})
    nodes = by_class(walk(tree))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    found.records = {name: _fields(node) for name, node in classes.items() if is_record(node)}
    calls = [node for node in nodes[ast.Call] if node.keywords]
    ties = sorted({_keywords(node) for node in calls if not found.names_fields(node)} - {()})
    if any(item.arg is None for node in calls for item in node.keywords):
        ties = [ANY]
    outside = {name for name, node in classes.items() if is_foreign(node, classes)} | _borrowed(nodes, found, classes)
    stores = {name: list(own_stores(node, found)) for name, node in classes.items()}
    found.inherited |= frozenset(_defined({name: classes[name] for name in sorted(outside)}, outside, stores))
    if parameters:
        functions = [inner for inner in scope.walk() if isinstance(inner.node, FUNCTIONS)]
        found.fixed = {(inner.node, name) for inner in functions for name in _fixed_parameters(inner, ties, outside)}
        found.fixed |= set(callback_parameters(found, nodes))
    if _may_rename_members(nodes):
        passed = {name for fields in found.records.values() for name in _meant(ties, set(fields))}
        defined = set(_defined(classes, outside, stores)) - passed - NAMES
        defined = {name for name in defined if not name.startswith("_")}
        found.own = frozenset(defined - _used_elsewhere(nodes, found, outside, stores, defined))
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


def _may_rename_members(nodes: Kinds) -> bool:
    """False where the program finds an attribute by text, or uses a package whose attributes are not known."""
    modules = [alias.name for node in nodes[ast.Import] for alias in node.names]
    froms = [(node.module or "", alias.name) for node in nodes[ast.ImportFrom] for alias in node.names]
    return not (
        any(name.partition(".")[0] not in PLAIN_PACKAGES or name == "dataclasses" for name in modules)
        or any(module.partition(".")[0] not in PLAIN_PACKAGES or name in MAKERS for module, name in froms)
        or any(node.attr in SHOWING for node in nodes[ast.Attribute])
        or any(node.id in BY_TEXT for node in nodes[ast.Name])
    )


def is_foreign(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    """Does a class inherit from one outside the program, other than NamedTuple?"""
    if is_record(node):
        return False
    names = [last_name(item) for item in node.bases]
    return any(name not in classes or is_foreign(classes[name], classes) for name in names)


def _borrowed(nodes: Kinds, found: Survey, classes: dict[str, ast.ClassDef]) -> set[str]:
    """Classes with a method that is called on the class, with whatever object."""
    names: set[str] = set()
    for node in nodes[ast.Attribute]:
        if isinstance(node.value, ast.Name) and node.value.id in classes and node.attr != "__init__":
            name = found.global_name(node.value)
            methods = [item for item in classes[name].body if isinstance(item, ast.FunctionDef)] if name else []
            if any(item.name == node.attr and not _is_static(item) for item in methods):
                names.add(name)
    return names


def _is_static(method: FunctionNode) -> bool:
    marks = [last_name(mark) for mark in getattr(method, "decorator_list", [])]
    return "staticmethod" in marks or "classmethod" in marks


def _defined(
    classes: dict[str, ast.ClassDef], outside: set[str], stores: dict[str, list[ast.Attribute]]
) -> Iterator[str]:
    """Members that the program's classes define."""
    for node in classes.values():
        for item in node.body:
            if isinstance(item, ast.FunctionDef):
                yield item.name
            elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                yield item.target.id
            elif isinstance(item, ast.Assign):
                yield from (target.id for target in item.targets if isinstance(target, ast.Name))
        for stored in stores[node.name]:
            if node.name not in outside or stored.attr in RECORD_NAMES:
                yield stored.attr


def member_names(node: ast.stmt) -> list[str]:
    """Members that a line of a class's body gives it."""
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    return [item.id for item in walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)]


def own_stores(node: ast.ClassDef, found: Survey | None = None) -> Iterator[ast.Attribute]:
    """`self.x` as a target, in a method whose `self` is never anything else."""
    for method in node.body:
        bound = found.binds_self if found is not None else binds_self
        if isinstance(method, ast.FunctionDef) and bound(method):
            first = method.args.args[0].arg
            for item in walk(method):
                stored = isinstance(item, ast.Attribute) and not isinstance(item.ctx, ast.Load)
                base = item.value if isinstance(item, ast.Attribute) and stored else None
                if isinstance(item, ast.Attribute) and isinstance(base, ast.Name) and base.id == first:
                    yield item


def binds_self(method: FunctionNode) -> bool:
    """Does a method get its object as first parameter, and is that name bound nowhere else below it?"""
    if not _gets_object(method):
        return False
    first = method.args.args[0].arg
    return sum(bound_name(node) == first for node in walk(method)) == 1


def _gets_object(method: FunctionNode) -> bool:
    return bool(method.args.args) and not method.args.posonlyargs and not _is_static(method)


def kernel_attributes(functions: list[ast.FunctionDef], attributes: list[ast.Attribute]) -> set[str]:
    """Attributes in functions that Triton compiles, and those of names of functions under decorators, such as kernels."""
    kernels = [node for node in functions if any(last_name(mark) == "jit" for mark in node.decorator_list)]
    decorated = {node.name for node in functions if node.decorator_list}
    inside = [item for node in kernels for item in walk(node) if isinstance(item, ast.Attribute)]
    outside = [item for item in attributes if isinstance(item.value, ast.Name) and item.value.id in decorated]
    return {item.attr for item in (*inside, *outside)}


def _used_elsewhere(
    nodes: Kinds, found: Survey, outside: set[str], stores: dict[str, list[ast.Attribute]], asked: set[str]
) -> set[str]:
    """Names that also mean something outside: in texts, on imported things, in patterns, on objects of unknown class.

    Attributes are looked at only where they have one of the names `asked` about.
    """
    owners = {item: name for name, items in stores.items() for item in items}
    names = kernel_attributes(nodes[ast.FunctionDef], nodes[ast.Attribute])
    for node in nodes[ast.Constant]:
        if isinstance(node.value, str):
            # `"is {0.size}".format(x)` reads an attribute.
            parts = FIELD.findall(node.value) if re.search(r"\s", node.value) else [node.value]
            names.update(word for part in parts for word in WORD.findall(part))
    for pattern in nodes[ast.MatchClass]:
        names.update(pattern.kwd_attrs)
    for item in [item for item in nodes[ast.Attribute] if item.attr in asked]:
        stored = not isinstance(item.ctx, ast.Load)
        strange = stored and (item not in owners or owners[item] in outside) and item.attr not in RECORD_NAMES
        if strange or is_imported(item, found.places):
            names.add(item.attr)
    return names
