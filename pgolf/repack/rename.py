"""Shorter variable names for a script that pgolf did not build, and the proof that nothing else changed.

Only variables change: never attributes, class members, parameters, keywords, builtins or names with two underscores in
front. Two variables may share a name where no scope sees both.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import keyword
import string
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from pgolf.bundle.names import IDENTIFIERS, Scope, scopes

LETTERS = string.ascii_lowercase + string.ascii_uppercase
BUILTINS = frozenset(dir(builtins))
READS = 2
"""An import without a name of its own that is read no oftener than this keeps it."""
Key = tuple[Scope, str]


@dataclass(eq=False)
class Variable:
    """One variable: the nodes that name it, those that bind it, and the scopes that must not see another of its name."""

    scope: Scope
    name: str
    nodes: list[ast.AST] = field(default_factory=list)
    binders: list[ast.AST] = field(default_factory=list)
    footprint: set[Scope] = field(default_factory=set)


def names_at(node: ast.AST) -> list[str]:
    """The variables that a node names."""
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return list(node.names)
    if isinstance(node, ast.alias):
        return [node.asname or node.name.partition(".")[0]]
    name = getattr(node, IDENTIFIERS[type(node)])
    return [name] if name else []


def variables(tree: ast.Module) -> dict[Key, Variable]:
    """Every variable of a module, builtins included."""
    top, places = scopes(tree)
    bound = {node for scope in top.walk() for nodes in scope.bound.values() for node in nodes}
    found: dict[Key, Variable] = {}
    for node, place in places.items():
        for name in names_at(node):
            owner = place.resolve(name)
            variable = found.setdefault((owner, name), Variable(owner, name))
            variable.nodes.append(node)
            if node in bound:
                variable.binders.append(node)
            scope: Scope | None = place
            while scope is not None:
                variable.footprint.add(scope)
                if scope is owner:
                    break
                scope = scope.parent
    return found


@dataclass(frozen=True)
class Keep:
    """What must not be renamed.

    Attributes:
        all_globals: no top-level name at all.
        all_locals: no variable of a function.
        functions: no function.
        words: these names at the top level; nor may one of them be given to another variable there.
        named: these functions.
        everywhere: these names, in every scope.
        inside: no variable of these functions.
        parameters: no parameter but these.
        keywords: no parameter gets one of these names.
    """

    all_globals: bool = False
    all_locals: bool = False
    functions: bool = False
    words: Set[str] = frozenset()
    named: Set[ast.AST] = frozenset()
    everywhere: Set[str] = frozenset()
    inside: Set[ast.AST] = frozenset()
    parameters: Set[ast.AST] = frozenset()
    keywords: Set[str] = frozenset()


def rename(tree: ast.Module, keep: Keep) -> ast.Module:
    """Give variables short names, the most used words first (changes the tree).

    A word gets one name wherever it is a variable, so that phrases that were equal stay equal: they compress.
    """
    known = variables(tree)
    in_classes = {name for scope, name in known if scope.kind == "class"}
    groups: dict[str, list[Variable]] = {}
    taken: dict[str, set[Scope]] = {}
    for variable in known.values():
        if _may_change(variable, keep) and variable.name not in in_classes:
            groups.setdefault(variable.name, []).append(variable)
        else:
            taken.setdefault(variable.name, set()).update(variable.footprint)
    top = next((scope.module for scope, _ in known), None)
    for word in keep.words if top else ():
        taken.setdefault(word, set()).add(top)  # type: ignore[arg-type]
    letters = _Letters(taken, top)
    for word, group in sorted(groups.items(), key=lambda pair: -sum(len(variable.nodes) for variable in pair[1])):
        given = any(isinstance(binder, ast.arg) for variable in group for binder in variable.binders)
        footprint = {scope for variable in group for scope in variable.footprint}
        name = letters.choose(word, footprint, keep.keywords if given else frozenset())
        for variable in group:
            for node in variable.nodes:
                _put(node, word, name)
    return tree


class _Letters:
    """Hands out names: the shortest that no scope of a variable sees with another meaning."""

    def __init__(self, taken: dict[str, set[Scope]], top: Scope | None):
        self.taken, self.top = taken, top
        self.names: list[str] = []
        self.source = short_names()
        self.full = 0
        """So many of the names are taken at the top level, which sees nearly all of them."""

    def choose(self, word: str, footprint: set[Scope], avoid: Set[str]) -> str:
        """The name for all variables of one word."""
        number = self.full if self.top in footprint else 0
        while self._name(number) in avoid or not self._is_free(self._name(number), footprint):
            number += 1
            if self.top in footprint and number == self.full + 1 and self._is_full(self.full):
                self.full = number
        name = self._name(number)
        if len(name) >= len(word) and self._is_free(word, footprint):
            name = word
        self.taken.setdefault(name, set()).update(footprint)
        return name

    def _name(self, number: int) -> str:
        while len(self.names) <= number:
            self.names.append(next(self.source))
        return self.names[number]

    def _is_free(self, name: str, footprint: set[Scope]) -> bool:
        return self.taken.get(name, set()).isdisjoint(footprint)

    def _is_full(self, number: int) -> bool:
        return self.top in self.taken.get(self._name(number), ())


def short_names() -> Iterator[str]:
    """a, b, ..., Z, aa, ... without keywords and builtins."""
    for length in itertools.count(1):
        for letters in itertools.product(LETTERS, repeat=length):
            name = "".join(letters)
            if not keyword.iskeyword(name) and name not in BUILTINS:
                yield name


def _may_change(variable: Variable, keep: Keep) -> bool:
    name, scope = variable.name, variable.scope
    if name.startswith("__") or name in keep.everywhere or not variable.binders or scope.kind == "class":
        return False
    if any(isinstance(node, ast.ClassDef) or node in keep.named for node in variable.binders):
        return False
    if any(isinstance(node, ast.arg) and node not in keep.parameters for node in variable.binders):
        return False
    functions = any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in variable.binders)
    if (functions and keep.functions) or _is_import_to_keep(variable):
        return False
    if scope.kind == "module":
        return not keep.all_globals and name not in keep.words and name not in BUILTINS
    inside: Scope | None = scope
    while inside is not None:
        if inside.node in keep.inside or (keep.all_locals and inside.kind in ("function", "class")):
            return False
        inside = inside.parent
    return True


def _is_import_to_keep(variable: Variable) -> bool:
    """`import a.b` binds `a`; and ` as x` costs more than it saves where an import is read twice or less."""
    bare = [node for node in variable.binders if isinstance(node, ast.alias) and not node.asname]
    return any("." in node.name for node in bare) or bool(bare and len(variable.nodes) <= len(bare) + READS)


def _put(node: ast.AST, old: str, new: str) -> None:
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        node.names = [new if name == old else name for name in node.names]
    elif isinstance(node, ast.alias):
        node.asname = new if new != node.name else None
    else:
        setattr(node, IDENTIFIERS[type(node)], new)
