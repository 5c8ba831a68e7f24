"""Visibility: what something outside the program may read, set, call or name. Passes and the renamer all ask here.

Outside are Python, its libraries, and texts that are read as code. Python finds attributes and keywords by their text, in
objects whose class nobody knows before the program runs, so that a name is the program's own only where the whole program shows
that nothing outside can mean it. `Visibility.of(tree)` looks at the program once:

- `read_from_outside(name)`: may a library read an attribute of this name, whoever stores it, as `csv.writer(out,
  dialect=Semi())` reads `.delimiter`? Such a one is never dropped.
- `set_from_outside(name)`: may something outside store one on an object of a class that is in none of `outside`? Libraries do
  so by the names they are given only, to objects of their own classes by any. Else it holds what the program stores in it.
- `own` holds the attributes (fields, methods) that the program's classes define and that are its own in every way: none that
  is read from outside, and stored on no object of unknown class. Only an own one may be renamed.
- `called_from_outside(function)`: may a library call it, with whatever arguments? Then its parameters stay, as they are.
- `keywords_from_outside(function)`: the parameters that a library may pass by name, as it calls `setup(ctx=, inputs=)`.
- `reflects`: does the program find attributes by text? Then none is its own.

A library's classes are known by `external_names.txt`, every public attribute of torch, numpy, sentencepiece, brotli and the
standard modules in `COVERED`. A program that imports anything else has no attributes of its own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from pgolf.bundle.names import FUNCTIONS, FunctionNode, Resolved, Scope, bound_name, scopes
from pgolf.bundle.source import last_name
from pgolf.bundle.syntax import DECORATORS, bases_from, is_static, own_stores
from pgolf.bundle.trees import Nodes, by_attribute, by_class, walk

COVERED = frozenset(
    """
    bisect brotli bz2 collections concurrent contextlib copy dataclasses datetime faulthandler functools gc glob hashlib
    heapq io itertools json lzma math numpy operator os pathlib platform queue random re resource sentencepiece shutil signal
    statistics string struct subprocess sys tempfile threading time torch traceback typing uuid warnings weakref zlib
    """.split()  # noqa: SIM905
)
"""Packages and modules whose attributes are in `external_names.txt`."""
EXTERNAL_NAMES = frozenset(Path(__file__).with_name("external_names.txt").read_text(encoding="ascii").split())
"""Attribute names of `COVERED`, written by `tests/bundle/external_names.py`."""
CALLBACK_KEYWORDS = frozenset(Path(__file__).with_name("callback_keywords.txt").read_text(encoding="ascii").split())
"""Keywords with which `COVERED` calls what it is handed, written by `tests/bundle/callback_keywords.py`."""
PLAIN_PACKAGES = COVERED | {"flash_attn", "flash_attn_interface", "triton"}
"""What may be imported; the last three give functions of tensors, and what they read is in `kernel_attributes`."""
RECORD_NAMES = ("settings", "program")
"""Rule PG317: these are the entry's two records, so a module that holds one gets no submodule of that name."""

BY_TEXT = ("getattr", "hasattr", "setattr", "delattr", "vars", "dir", "globals", "locals", "eval", "exec")
"""Builtins that find names by text, or show them."""
SHOWN_FIELDS = (
    *("_asdict", "_fields", "_field_defaults", "__dict__", "__getattribute__", "__setattr__", "__getattr__"),
    *("__delattr__", "__slots__", "__match_args__", "__dataclass_fields__"),
)
"""Attributes and methods that show the names of other attributes."""
MAKERS = (
    *("namedtuple", "SimpleNamespace", "asdict", "astuple", "fields", "make_dataclass", "attrgetter", "methodcaller"),
)
"""Functions of the standard library that find or show attributes by text."""
SHOWING = frozenset((*SHOWN_FIELDS, *BY_TEXT[:4], "namedtuple", "SimpleNamespace", "attrgetter", "methodcaller"))
"""Attributes of modules and objects that name other attributes by text."""
WORD = re.compile(r"\w+")
FIELD = re.compile(r"\{([^{}]*\.[^{}]*)")
"""What stands in the braces of a format text and asks for an attribute."""


class Visibility:
    """What is visible from outside one program.

    Attributes:
        outside: classes in which something outside has a part: with a base from elsewhere, bases of these, and those whose
            methods are called on the class with whatever object.

    Args:
        nodes: class of node -> all of the program's.
        attributes: attribute -> each `x.attribute`.
        classes: the classes of the top level by name.
        stores: class of the top level -> `own_stores` of it.
        bound: name of the top level -> each node that binds it.
        places: the scope of each identifier.
    """

    def __init__(
        self,
        nodes: Nodes,
        attributes: Mapping[str, Collection[ast.Attribute]],
        classes: Mapping[str, ast.ClassDef],
        stores: Mapping[str, Collection[ast.Attribute]],
        bound: Mapping[str, Collection[ast.AST]],
        places: Mapping[ast.AST, Scope],
    ):
        self.nodes, self.attributes, self.classes, self.stores = nodes, attributes, classes, stores
        self.bound, self.places = bound, places
        self.outside = self._inherited_from_outside() | self._borrowed()

    @classmethod
    def of(cls, tree: ast.Module, resolved: Resolved | None = None) -> Visibility:
        """That of a whole program; `resolved` are its scopes, where the caller has them."""
        scope, places = resolved or scopes(tree)
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        stores = {name: list(own_stores(node)) for name, node in classes.items()}
        nodes = by_class(walk(tree))
        return cls(nodes.__getitem__, by_attribute(nodes[ast.Attribute]), classes, stores, scope.bound, places)

    # Attributes

    @cached_property
    def reflects(self) -> bool:
        """Does the program find attributes by text, or use a package whose attributes are not known?"""
        modules = [alias.name for node in self.nodes(ast.Import) for alias in node.names]
        froms = [(node.module or "", alias.name) for node in self.nodes(ast.ImportFrom) for alias in node.names]
        return (
            any(name.partition(".")[0] not in PLAIN_PACKAGES or name == "dataclasses" for name in modules)
            or any(module.partition(".")[0] not in PLAIN_PACKAGES or name in MAKERS for module, name in froms)
            or not SHOWING.isdisjoint(self.attributes)
            or not {node.id for node in self.nodes(ast.Name)}.isdisjoint(BY_TEXT)
        )

    def read_from_outside(self, name: str) -> bool:
        """May something outside read an attribute of this name, of whatever object?"""
        return name in EXTERNAL_NAMES or self.set_from_outside(name)

    def set_from_outside(self, name: str) -> bool:
        """May something outside store an attribute of this name on an object that is no library's?"""
        return self.reflects or name.startswith("_") or name in self._elsewhere

    @cached_property
    def _elsewhere(self) -> frozenset[str]:
        """Names in texts, in patterns, in kernels, and of what is imported."""
        imported = {name for name, nodes in self.attributes.items() if any(map(self._is_imported, nodes))}
        return frozenset(self.words | self.kernel_attributes | imported)

    def _is_imported(self, node: ast.expr) -> bool:
        """Is an expression an imported name, or an attribute, item or result of one?"""
        while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
            node = node.func if isinstance(node, ast.Call) else node.value
        if not isinstance(node, ast.Name) or node.id not in self._aliases:
            return False
        scope, name = self._variable(node, node.id)
        bound = self.bound if scope is None else scope.bound
        return any(isinstance(item, ast.alias) for item in bound.get(name, ()))

    @cached_property
    def _aliases(self) -> frozenset[str | None]:
        """What any import binds."""
        return frozenset(map(bound_name, self.nodes(ast.alias)))

    def _variable(self, node: ast.AST, name: str) -> tuple[Scope | None, str]:
        """What a name means at a node: whose variable, None for the top level's, and which."""
        scope = self.places[node].resolve(name)
        return None if scope.kind == "module" else scope, name

    @cached_property
    def own(self) -> frozenset[str]:
        """Attributes that the program's classes define, that nothing outside names, and that only their objects store."""
        defined = {name for name in self.members(self.classes) if not self.read_from_outside(name)}
        return frozenset(defined - self._stored_on_others())

    @cached_property
    def words(self) -> frozenset[str]:
        """Words of texts that may name an attribute or a keyword, and attributes in patterns."""
        found: set[str] = set()
        for text in {node.value for node in self.nodes(ast.Constant) if isinstance(node.value, str)}:
            found |= _words_of(text)
        for pattern in self.nodes(ast.MatchClass):
            found.update(pattern.kwd_attrs)
        return frozenset(found)

    @cached_property
    def kernel_attributes(self) -> frozenset[str]:
        """Attributes in functions that Triton compiles, and those of functions under decorators, such as kernels."""
        functions = self.nodes(ast.FunctionDef)
        kernels = [node for node in functions if any(last_name(mark) == "jit" for mark in node.decorator_list)]
        decorated = {node.name for node in functions if node.decorator_list}
        inside = {item.attr for node in kernels for item in walk(node) if isinstance(item, ast.Attribute)}
        return frozenset(
            inside.union(
                item.attr
                for item in self.nodes(ast.Attribute)
                if isinstance(item.value, ast.Name) and item.value.id in decorated
            )
        )

    def members(self, names: Iterable[str]) -> Iterator[str]:
        """What classes of the program define; what one of a library's classes stores may name a tensor of its state."""
        for name in names:
            for item in self.classes[name].body:
                if isinstance(item, ast.FunctionDef):
                    yield item.name
                elif isinstance(item, (ast.Assign, ast.AnnAssign)):
                    targets = item.targets if isinstance(item, ast.Assign) else [item.target]
                    yield from (target.id for target in targets if isinstance(target, ast.Name))
            for stored in self.stores[name]:
                if name not in self.outside or stored.attr in RECORD_NAMES:
                    yield stored.attr

    def _stored_on_others(self) -> set[str]:
        """What is stored on an object of unknown class, or on one of a class that something outside has a part in."""
        known = {store for name, stores in self.stores.items() if name not in self.outside for store in stores}
        return {
            node.attr
            for node in self.nodes(ast.Attribute)
            if not isinstance(node.ctx, ast.Load) and node not in known and node.attr not in RECORD_NAMES
        }

    # Classes

    def _inherited_from_outside(self) -> set[str]:
        """Classes with a base outside the program, and the program's bases of these: both make one object."""
        classes = {node.name: node for node in self.nodes(ast.ClassDef)}
        bases = {name: bases_from(node, classes) for name, node in classes.items()}
        found = {name for name, (_, elsewhere) in bases.items() if elsewhere}
        while below := {name for name, (own, _) in bases.items() if own & found} - found:
            found |= below
        while above := set[str]().union(*(bases[name][0] for name in found)) - found:
            found |= above
        return found

    def _borrowed(self) -> set[str]:
        """Classes with a method that is used of the class, with whatever object."""
        found: set[str] = set()
        for node in self.nodes(ast.Attribute):
            base = node.value
            if not isinstance(base, ast.Name) or base.id not in self.classes or node.attr == "__init__":
                continue
            methods = [item for item in self.classes[base.id].body if isinstance(item, ast.FunctionDef)]
            borrowed = any(item.name == node.attr and not is_static(item) for item in methods)
            if borrowed and self._variable(base, base.id)[0] is None:
                found.add(base.id)
        return found

    # Functions

    def called_from_outside(self, function: FunctionNode) -> bool:
        """May something outside call a function: is it, or its class, ever used other than by being called?"""
        owner = self._owners.get(function)
        if isinstance(function, ast.Lambda) or not all(
            last_name(mark) in DECORATORS for mark in function.decorator_list
        ):
            return True
        if owner is None:
            return self._variable(function, function.name) in self._handed_names
        if function.name in ("__init__", "__new__", "__post_init__"):
            return self._variable(owner, owner.name) in self._handed_names
        if function.name.startswith("_"):
            return function.name == "__call__" or owner.name in self.outside or function.name in self._handed_attributes
        return function.name not in self.own or function.name in self._handed_attributes

    def keywords_from_outside(self, function: FunctionNode) -> frozenset[str]:
        """The parameters that a library may pass by name; not the object that a method is asked of.

        Of a function that is only handed to it, a library knows the words that it calls such functions with itself, and those
        that the program writes: as keywords, which `partial` and others hand on, and in texts.
        """
        if not self.called_from_outside(function):
            return frozenset()
        arguments = function.args
        gets_object = function in self._owners and not arguments.posonlyargs and not is_static(function)
        bound = arguments.args[1:] if gets_object else arguments.args
        names = frozenset(argument.arg for argument in (*bound, *arguments.kwonlyargs))
        return names if self._is_known_outside(function) else names & self._handed_words

    def _is_known_outside(self, function: FunctionNode) -> bool:
        """May a library know more of a function than that it can be called?"""
        owner, marks = self._owners.get(function), getattr(function, "decorator_list", ())
        if self.reflects or not all(last_name(mark) in DECORATORS for mark in marks):
            return True
        name = getattr(function, "name", "")
        return owner is not None and (owner.name in self.outside or name not in self.own | {"__init__", "__call__"})

    @cached_property
    def _handed_words(self) -> frozenset[str]:
        written = {word.arg for word in self.nodes(ast.keyword) if word.arg}
        return CALLBACK_KEYWORDS | self.words | written

    @cached_property
    def _owners(self) -> dict[ast.AST, ast.ClassDef]:
        """The class of each method."""
        return {item: node for node in self.nodes(ast.ClassDef) for item in node.body if isinstance(item, FUNCTIONS)}

    @cached_property
    def _callees(self) -> set[ast.AST]:
        return {call.func for call in self.nodes(ast.Call)}

    @cached_property
    def _handed_names(self) -> set[tuple[Scope | None, str]]:
        """Variables that are read other than to call them."""
        return {
            self._variable(node, node.id)
            for node in self.nodes(ast.Name)
            if isinstance(node.ctx, ast.Load) and node not in self._callees
        }

    @cached_property
    def _handed_attributes(self) -> set[str]:
        """Attributes that are read other than to call them."""
        return {
            node.attr
            for node in self.nodes(ast.Attribute)
            if isinstance(node.ctx, ast.Load) and node not in self._callees
        }


@lru_cache(4096)
def _words_of(text: str) -> frozenset[str]:
    """Words of a text that may name an attribute."""
    # `"is {0.size}".format(x)` reads an attribute; another text with spaces is prose, if it is a whole one.
    prose = re.search(r"\s", text) and text.count("{") == text.count("}")
    return frozenset(WORD.findall(" ".join(FIELD.findall(text)) if prose else text))
