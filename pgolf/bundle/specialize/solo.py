"""Solo: a class of which the program makes one object in its whole run becomes functions and variables of the top level.

The call that makes it runs at most once (`once`), the flow of values (`constants_flow`) shows every expression that is
this object, and nothing ever looks at it but to ask for a member or to hand it on. Then members are top level names, and
None is handed on in its place until `prune` sees that nobody wants it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from pgolf.bundle.minify.members import binds_self
from pgolf.bundle.names import scopes
from pgolf.bundle.source import last_name
from pgolf.bundle.specialize.constants_cells import NOTHING, Made, OneOf, Option, Value, is_followed, options
from pgolf.bundle.specialize.constants_flow import Flow
from pgolf.bundle.specialize.idle import Idle, fresh, is_idle_line, spellings
from pgolf.bundle.specialize.journey import is_called
from pgolf.bundle.specialize.once import Once
from pgolf.bundle.specialize.propagate import assignment, pairs
from pgolf.bundle.specialize.prune import PLAIN_DECORATORS
from pgolf.bundle.specialize.spread import things
from pgolf.bundle.trees import Transformer, parents, walk

Owners = dict[ast.stmt, str]
REFUSED = ("super", "__class__", "AttributeError", "globals", "locals", "vars", "eval", "exec", "getattr", "hasattr")


@dataclass
class _Solo:
    """A class with its methods, the call that makes the object, and what becomes of every mention of it."""

    definition: ast.ClassDef
    call: ast.Call
    methods: dict[str, ast.FunctionDef]
    members: dict[ast.AST, str] = field(default_factory=dict)
    whole: list[ast.AST] = field(default_factory=list)
    called: list[ast.AST] = field(default_factory=list)
    written: dict[ast.AST, set[str]] = field(default_factory=dict)


def solo(tree: ast.Module, owners: Owners) -> bool:
    """Change the whole program in place; statements that are added get an owner."""
    names: dict[str, list[ast.AST]] = {}
    calls: dict[ast.AST, ast.Call] = {}
    for node in walk(tree):
        if isinstance(node, ast.Name):
            names.setdefault(node.id, []).append(node)
        elif isinstance(node, ast.Call):
            calls[node.func] = node
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and len(names.get(node.name, [])) == 1]
    made = [
        _Solo(node, calls[names[node.name][0]], methods)
        for node in classes
        if names[node.name][0] in calls and (methods := _methods(node)) is not None
    ]
    if not made or any(name in names for name in REFUSED[2:]):
        return False
    scope, _ = scopes(tree)
    once = Once(tree, scope, names)
    made = [item for item in made if any(item.call in nodes for nodes in once.functions.values())]
    if not made:
        return False
    look = _Look(tree, once, made)
    found = [item for item in made if look.fits(item)]
    if not found:
        return False
    taken = spellings(tree)
    whole = things(tree, Idle(tree), scope, once)
    naming = [(item, _names(item, taken, whole)) for item in found]
    values: dict[ast.AST, ast.expr] = {}
    for item, given in naming:
        values.update(_asked(item, given))
    # Where a member of one object is another object, what is done with that one decides.
    for item, given in naming:
        values.update(_whole(item, given))
    for statement in [item for item in tree.body if not values.keys().isdisjoint(walk(item))]:
        _Fill(values).visit(statement)
    for item, given in naming:
        _replace(tree, owners, item, given, whole)
    return True


def _methods(node: ast.ClassDef) -> dict[str, ast.FunctionDef] | None:
    """The methods of a class that has nothing else; None for any other class."""
    found: dict[str, ast.FunctionDef] = {}
    for item in [item for item in node.body if not is_idle_line(item)]:
        if not isinstance(item, ast.FunctionDef) or item.name in found or not binds_self(item):
            return None
        special = item.name.startswith("__") and item.name not in ("__init__", "__call__")
        plain = all(last_name(mark) in PLAIN_DECORATORS for mark in item.decorator_list)
        if special or not plain:
            return None
        found[item.name] = item
    inside = {item.id for item in walk(node) if isinstance(item, ast.Name)}
    return None if node.bases or node.keywords or node.decorator_list or inside & set(REFUSED) else found


class _Look:
    """The whole program, and which expressions may hold an object of the classes that are asked about."""

    def __init__(self, tree: ast.Module, once: Once, made: list[_Solo]):
        self.flow = Flow(tree)
        self.parents = parents(tree)
        self.places = self.flow.places
        main = [function for function in once.functions if function.name in once.main]
        self.main = {node for function in main for node in walk(function)}
        self.straight = {node for nodes in once.functions.values() for node in nodes}
        self.attributes: dict[str, list[ast.Attribute]] = {}
        for node in self.flow.of_kind(ast.Attribute):
            self.attributes.setdefault(node.attr, []).append(node)
        self.holders: dict[str, list[tuple[ast.AST, bool]]] = {}
        """Class -> each expression that may be its object, and whether it is nothing else."""
        self.unseen: set[str] = set()
        """Classes whose object may be in a variable where the flow did not come to."""
        self._find({item.definition.name for item in made})

    def _find(self, wanted: set[str]) -> None:
        """Go through all expressions once, for all classes. Few variables and attributes ever hold such an object."""
        cells, values = self.flow.cells, self.flow.values
        homes = {key[1] for key, value in cells.items() if isinstance(key, tuple) and _objects(value, wanted)}
        for node in (node for nodes in self.flow.kinds.values() for node in nodes):
            held = values.get(node)
            if (
                node not in values
                and isinstance(node, ast.Name)
                and node.id in homes
                and isinstance(node.ctx, ast.Load)
            ):
                self.unseen |= _objects(cells.get((self.places[node].resolve(node.id), node.id)), wanted)
            elif node not in values and isinstance(node, ast.Attribute) and node.attr in homes:
                held = OneOf(self.asked(node)) if is_called(node, self.parents) else None
            for name in _objects(held, wanted):
                self.holders.setdefault(name, []).append((node, len(options(held)) == 1))

    def fits(self, item: _Solo) -> bool:
        """Note every mention of the object; False where one asks for more than a member, or may be something else."""
        name = item.definition.name
        if name in self.flow.open or name in self.flow.seen or name in self.unseen:
            return False
        if not all(is_followed(method, self.flow.inner[method]) for method in item.methods.values()):
            # The flow does not know what the `self` of a generator is.
            return False
        if not all(alone and self.mention(item, node) for node, alone in self.holders.get(name, [])):
            return False
        stored = {node.attr for node in item.members if isinstance(node, ast.Attribute) and _is_store(node)}
        known = {*item.methods, *stored}
        # What the flow never came to may be anything.
        asked = [node.value for member in known for node in self.attributes.get(member, [])]
        unseen = [node for node in asked if node not in self.flow.values and not _is_super(node)]
        clear = not stored & set(item.methods) and set(item.members.values()) <= known and not unseen
        return clear and self.is_held(name)

    def asked(self, node: ast.Attribute) -> frozenset[Option]:
        """What the `x.y` of a call `x.y()` may be: the flow has no value for it."""
        bases = options(self.flow.values.get(node.value)) - {NOTHING}
        known = [base.name for base in bases if isinstance(base, Made)]
        names = known if len(known) == len(bases) else list(self.flow.classes)
        owners = ["*", *(owner for name in names for owner in self.flow.ancestry(name))]
        return frozenset().union(*(options(self.flow.cells.get((owner, node.attr))) for owner in owners))

    def is_held(self, name: str) -> bool:
        """Does a variable of the main block's function hold the object, so that it lives as long as the program?"""
        nodes = [node for node, _ in self.holders.get(name, []) if node in self.main]
        return any(isinstance(node, (ast.Name, ast.Attribute)) and self.lasts(node) for node in nodes)

    def lasts(self, node: ast.expr) -> bool:
        """Is this a variable that is given a value once, or an attribute that is stored once, of what such a one holds?"""
        if isinstance(node, ast.Attribute):
            stores = [other for other in self.attributes[node.attr] if not isinstance(other.ctx, ast.Load)]
            return len(stores) == 1 and self.lasts(node.value)
        if not isinstance(node, ast.Name):
            return False
        owner = self.places[node].resolve(node.id)
        bound = owner.bound.get(node.id, [])
        once = len(bound) == 1 and (isinstance(bound[0], ast.arg) or bound[0] in self.straight)
        return owner.kind in ("function", "module") and once

    def mention(self, item: _Solo, node: ast.AST) -> bool:
        """One expression that is the object."""
        outer = self.parents[node]
        if isinstance(outer, ast.Attribute):
            item.members[outer] = outer.attr
            if isinstance(outer.ctx, ast.Store):
                function = self.function(outer)
                item.written.setdefault(function, set()).add(outer.attr)
                return isinstance(function, ast.FunctionDef) and _is_chain(node)
            return isinstance(outer.ctx, ast.Load) and _is_chain(node)
        if isinstance(outer, ast.Call) and outer.func is node:
            item.called.append(node)
            return _is_chain(node) and "__call__" in item.methods
        if isinstance(outer, ast.Compare) or (isinstance(outer, ast.Call) and last_name(outer.func) == "isinstance"):
            return False
        if _is_chain(node):
            item.whole.append(node)
        return True

    def function(self, node: ast.AST) -> ast.AST:
        """What a variable in the place of an attribute would belong to."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.comprehension, ast.ClassDef, ast.Module)
        while not isinstance(node, kinds):
            node = self.parents[node]
        return node


def _objects(value: Value, wanted: set[str]) -> set[str]:
    """Those of the classes whose objects a value may be."""
    if not isinstance(value, (Made, OneOf)):
        return set()
    return {item.name for item in options(value) if isinstance(item, Made) and item.name in wanted}


def _is_chain(node: ast.AST) -> bool:
    """Names and attributes: nothing is lost by not evaluating them."""
    while isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        node = node.value
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _is_store(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store)


def _names(item: _Solo, taken: set[str], things: set[str]) -> dict[str, str]:
    """Member -> its top-level name: a new one, or that of the thing which the constructor alone stores there."""
    members = sorted({*item.methods, *item.members.values()})
    names = {name: fresh(name.strip("_"), taken) for name in members}
    stored = [node.attr for node in item.members if isinstance(node, ast.Attribute) and _is_store(node)]
    made = item.methods.get("__init__")
    for line in made.body if made is not None else []:
        for target, value in pairs(line) if isinstance(line, ast.Assign) and len(line.targets) == 1 else []:
            mine = isinstance(target, ast.Attribute) and target in item.members and stored.count(target.attr) == 1
            if mine and isinstance(target, ast.Attribute) and isinstance(value, ast.Name) and value.id in things:
                names[target.attr] = value.id
    return names


def _asked(item: _Solo, names: dict[str, str]) -> dict[ast.AST, ast.expr]:
    """What each `x.member` becomes."""
    return {
        node: ast.Name(id=names[member], ctx=node.ctx)
        for node, member in item.members.items()
        if isinstance(node, ast.Attribute)
    }


def _whole(item: _Solo, names: dict[str, str]) -> dict[ast.AST, ast.expr]:
    """What the object becomes where it is called or handed on, and where it is made."""
    values: dict[ast.AST, ast.expr] = {node: ast.Constant(value=None) for node in item.whole}
    values.update((node, ast.Name(id=names["__call__"], ctx=ast.Load())) for node in item.called)
    if "__init__" in item.methods:
        values[item.call.func] = ast.Name(id=names["__init__"], ctx=ast.Load())
    else:
        values[item.call] = ast.Constant(value=None)
    return values


def _without_idle(node: ast.stmt) -> list[ast.stmt]:
    """A line without `x = x`, which is what storing a thing becomes."""
    found = pairs(node) if isinstance(node, ast.Assign) and len(node.targets) == 1 else []
    kept = [pair for pair in found if ast.unparse(pair[0]) != ast.unparse(pair[1])]
    if not isinstance(node, ast.Assign) or len(kept) == len(found):
        return [node]
    return [assignment(kept, node)] if kept else []


def _replace(tree: ast.Module, owners: Owners, item: _Solo, names: dict[str, str], things: set[str]) -> None:
    """Put functions in the place of the class."""
    for function, attributes in item.written.items():
        assert isinstance(function, ast.FunctionDef)
        new = sorted(names[name] for name in attributes if names[name] not in things)
        kept = [line for old in function.body for line in _without_idle(old)]
        function.body[:] = kept or [ast.copy_location(ast.Pass(), function)]
        if new:
            function.body.insert(0, ast.copy_location(ast.Global(names=new), function))
    functions: list[ast.stmt] = []
    for name, method in item.methods.items():
        method.args.args.pop(0)
        method.name = names[name]
        functions.append(method)
    place = tree.body.index(item.definition)
    tree.body[place : place + 1] = functions
    owners.update((node, owners[item.definition]) for node in functions)


class _Fill(Transformer):
    """Replaces given expressions, outermost first."""

    def __init__(self, values: dict[ast.AST, ast.expr]):
        self.values = values

    def visit(self, node: ast.AST) -> ast.AST:
        value = self.values.get(node)
        return self.generic_visit(node) if value is None else ast.copy_location(value, node)
