"""Dissolve: the fields of the entry's `Program` become top-level names, and the record goes.

`program.head` is what `make_program()` puts there, made once and never replaced (rule PG317), so `head = TiedHead()` at the
top level may stand for it. Making it there is the same as making it in the main block, because whatever makes it is idle:
it has no effect, and the moment does not matter. Whoever imports the built file gets some more objects and nothing else.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pgolf.bundle.names import copy_tree
from pgolf.bundle.source import ENTRY
from pgolf.bundle.specialize.idle import Idle, copies_objects, fresh, is_idle_line, spellings
from pgolf.bundle.specialize.records import RECORDS, field_name, forget, record_of
from pgolf.bundle.trees import Transformer, by_class, walk

Owners = dict[ast.stmt, str]
"""The module that each top-level statement came from."""


@dataclass(frozen=True)
class _Entry:
    """The record's class, the one call that makes it, and the main block's call of the function around that."""

    definition: ast.ClassDef
    call: ast.Call
    outer: ast.Call
    made: ast.Call


def dissolve(tree: ast.Module, owners: Owners) -> bool:
    """Change the whole program in place; statements that are added get an owner."""
    nodes = walk(tree)
    entry = _entry(tree, nodes)
    if entry is None:
        return False
    reads = _reads(nodes)
    known = Idle(tree)
    copied = copies_objects(by_class(nodes))
    gone = [
        keyword
        for keyword in entry.call.keywords
        # A copy of what holds the record has components of its own.
        if known.is_idle(keyword.value) and not (copied and _has_state(keyword.value))
        if all(_is_chain(read) for read in reads.get(keyword.arg or "", []))
    ]
    added = _Added(tree, owners, known, _iterated(nodes))
    put_in: dict[ast.AST, ast.expr] = {}
    for keyword in gone:
        wanted = reads.get(keyword.arg or "", [])
        if wanted:
            value = added.value(keyword.arg or "", keyword.value, wanted)
            put_in.update((read, value) for read in wanted)
    for statement in [item for item in tree.body if not put_in.keys().isdisjoint(walk(item))]:
        _PutIn(put_in).visit(statement)
    tree.body[-1:-1] = added.statements
    names = {keyword.arg for keyword in gone}
    entry.call.keywords = [keyword for keyword in entry.call.keywords if keyword not in gone]
    entry.definition.body = [item for item in entry.definition.body if field_name(item) not in names] or [ast.Pass()]
    if not entry.call.keywords:
        _PutIn({entry.made: ast.Constant(value=None)}).visit(entry.outer)
        forget(tree, "program")
    return bool(gone)


def _entry(tree: ast.Module, nodes: list[ast.AST]) -> _Entry | None:
    """The parts, where the record is made once: by a function that does nothing else and is called once."""
    name = RECORDS["program"]
    definitions = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    main = tree.body[-1] if tree.body else None
    if not definitions or not isinstance(main, ast.If) or ast.unparse(main.test) != "__name__ == '__main__'":
        return None
    for maker in [node for node in tree.body if isinstance(node, ast.FunctionDef)]:
        body = [item for item in maker.body if not is_idle_line(item)]
        call = body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != name:
            continue
        uses = [node for node in nodes if isinstance(node, ast.Name) and node.id in (name, maker.name)]
        plain = not call.args and None not in [item.arg for item in call.keywords] and not maker.decorator_list
        for outer in [item.value for item in main.body if isinstance(item, ast.Expr)]:
            values = [*outer.args, *(item.value for item in outer.keywords)] if isinstance(outer, ast.Call) else []
            for made in values:
                if isinstance(made, ast.Call) and isinstance(outer, ast.Call) and made.func in uses and len(uses) == 2:
                    return _Entry(definitions[0], call, outer, made) if plain else None
    return None


def _has_state(node: ast.expr) -> bool:
    """Does an expression make something that may change?"""
    return any(isinstance(item, (ast.Call, ast.List, ast.Dict)) for item in walk(node))


def _reads(nodes: list[ast.AST]) -> dict[str, list[ast.Attribute]]:
    """Field -> every place that reads it."""
    found: dict[str, list[ast.Attribute]] = {}
    for node in nodes:
        if isinstance(node, ast.Attribute) and record_of(node.value) == "program":
            found.setdefault(node.attr, []).append(node)
    return found


def _is_chain(node: ast.expr) -> bool:
    """A name or an attribute of an attribute of one: nothing is lost by not evaluating it."""
    while isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        node = node.value
    return isinstance(node, ast.Name)


class _Added:
    """The top-level assignments that hold the fields."""

    def __init__(self, tree: ast.Module, owners: Owners, known: Idle, iterated: set[ast.AST]):
        self.owners, self.known, self.iterated = owners, known, iterated
        self.taken = spellings(tree)
        self.statements: list[ast.stmt] = []

    def value(self, field: str, node: ast.expr, reads: list[ast.Attribute]) -> ast.expr:
        """What to write for a field: a new top-level name, or a tuple itself where it is read once, for its members."""
        if isinstance(node, ast.Tuple):
            node.elts = [self.part(item) for item in node.elts]
            plain = not any(isinstance(item, (ast.Call, ast.List, ast.Dict)) for item in walk(node))
            if plain and len(reads) == 1 and reads[0] in self.iterated:
                return node
        return self.named(field, node)

    def part(self, node: ast.expr) -> ast.expr:
        """A member of a tuple: an object, which is no record, gets a name of its own."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            definition = self.known.classes.get(node.func.id)
            if definition is not None and self.known.constructor(definition) is not None:
                return self.named(node.func.id.lower(), node)
        return node

    def named(self, wanted: str, node: ast.expr) -> ast.Name:
        """The name of a new assignment."""
        name = fresh(wanted, self.taken)
        target = ast.Name(id=name, ctx=ast.Store())
        statement = ast.copy_location(ast.Assign(targets=[target], value=node), node)
        self.statements.append(statement)
        made = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        self.owners[statement] = self.owners[self.known.classes[made]] if made in self.known.classes else ENTRY
        return ast.copy_location(ast.Name(id=name, ctx=ast.Load()), node)


def _iterated(nodes: list[ast.AST]) -> set[ast.AST]:
    """What a loop or `"text".join(...)` takes the members of, so that nobody sees which tuple they are in."""
    found: set[ast.AST] = set()
    texts: set[ast.AST] = set()
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            texts.update(walk(node))
        elif isinstance(node, (ast.For, ast.comprehension)):
            found.add(node.iter)
        elif isinstance(node, ast.Call) and len(node.args) == 1 and _is_join(node.func):
            found.add(node.args[0])
    return found - texts


def _is_join(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "join" and isinstance(node.value, ast.Constant)


class _PutIn(Transformer):
    """Replaces given expressions."""

    def __init__(self, values: dict[ast.AST, ast.expr]):
        self.values = values

    def visit(self, node: ast.AST) -> ast.AST:
        value = self.values.get(node)
        return self.generic_visit(node) if value is None else ast.copy_location(copy_tree(value), node)
