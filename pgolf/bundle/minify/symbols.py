"""Shorten: give every name that may change the shortest name that is free, with the whole file's compression in mind.

A word that the program uses in many functions gets one short name in all of them, so that the same phrases stay the same.
Two words get different names where they meet: in one function or method, or both at the top level. A member (`members`)
gets the short name of the variable of the same name where it can.
"""

from __future__ import annotations

import ast
import keyword
import string
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

from pgolf.bundle.meanings import BUILTINS
from pgolf.bundle.minify.legality import Survey
from pgolf.bundle.names import IDENTIFIERS, Scope, copy_tree
from pgolf.bundle.trees import walk
from pgolf.bundle.visibility import EXTERNAL_NAMES

ALPHABET = "etaoinsrhldcumfpgwybvkxjqz" + string.ascii_uppercase


def short_names(alphabet: str) -> Iterator[str]:
    """All short names, shortest first."""
    for length in range(1, 4):
        for letters in product(alphabet, repeat=length):
            name = "".join(letters)
            if not keyword.iskeyword(name) and name not in BUILTINS:
                yield name


def variable_of(node: ast.AST) -> str | None:
    """The variable that a node names, if it names one."""
    if isinstance(node, ast.alias):
        return node.asname or node.name.partition(".")[0]
    name = getattr(node, IDENTIFIERS.get(type(node), ""), None)
    return name if isinstance(name, str) else None


class Slot(NamedTuple):
    """A place that holds a word: the node's number in `walk`, its field, and which of its names, where it has several."""

    place: int
    field: str
    word: str
    is_member: bool
    number: int | None = None


class Plan:
    """Who may be renamed, how often each word occurs, and which words meet; the tree itself stays as it is.

    Args:
        tree: the program.
        found: its survey.
        keep: names that stay everywhere.
    """

    def __init__(self, tree: ast.Module, found: Survey, keep: Iterable[str]):
        self.tree, self.found, self.keep = tree, found, frozenset(keep)
        self.uses: Counter[str] = Counter()
        self.member_uses: Counter[str] = Counter()
        self.taken: set[str] = set()
        self.stays: set[str] = set(self.keep)
        self.taken_members: set[str] = set()
        self.class_reads: set[str] = set()
        self.slots: list[Slot] = []
        self._field_keywords: set[ast.keyword] = set()
        self._may_rename: dict[tuple[Scope, str], bool] = {}
        for place, node in enumerate(walk(tree)):
            self.note(place, node)
        self._meet = _meetings(found.scope)

    def shortened(self, alphabet: str) -> ast.Module:
        """A copy of the tree with short names."""
        variables = self.variables(alphabet)
        members = self.members(alphabet, variables)
        copied = copy_tree(self.tree)
        nodes = walk(copied)
        for place, field, word, is_member, number in self.slots:
            short = members.get(word) if is_member else variables.get(word)
            if short is None or short == word:
                continue
            if number is None:
                setattr(nodes[place], field, short)
            else:
                getattr(nodes[place], field)[number] = short
        return copied

    def note(self, place: int, node: ast.AST) -> None:
        """Note the words of one node, and the names that will stay."""
        if isinstance(node, ast.Attribute):
            self.note_member(place, "attr", node.attr)
        elif isinstance(node, ast.Call) and node.keywords and self.found.names_fields(node):
            self._field_keywords.update(node.keywords)
        elif isinstance(node, ast.keyword):
            self.note_keyword(place, node)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            for number, word in enumerate(node.names):
                owner = self.found.places[node].resolve(word)
                if owner.kind == "class" or self.may_rename(owner, word):
                    self.slots.append(Slot(place, "names", word, owner.kind == "class", number))
        else:
            name, scope = variable_of(node), self.found.places.get(node)
            if name is not None and scope is not None:
                field = "asname" if isinstance(node, ast.alias) else IDENTIFIERS[type(node)]
                self.note_variable(place, field, name, scope)

    def note_keyword(self, place: int, node: ast.keyword) -> None:
        """Note the keyword of an argument: a field of a record, or a name that stays."""
        if node.arg and node in self._field_keywords:
            self.note_member(place, "arg", node.arg)
        elif node.arg:
            self.taken.add(node.arg)
            self.taken_members.add(node.arg)

    def note_variable(self, place: int, field: str, name: str, scope: Scope) -> None:
        """Note one identifier."""
        owner = scope.resolve(name)
        if scope.kind == "class" and owner.kind != "class":
            self.class_reads.add(name)
        if owner.kind == "class":
            self.note_member(place, field, name)
        elif self.may_rename(owner, name):
            self.uses[name] += 1
            self.slots.append(Slot(place, field, name, False))
        else:
            self.stays.add(name)

    def note_member(self, place: int, field: str, name: str) -> None:
        """Note an attribute, or a name of a class body."""
        if name in self.found.own and name not in self.keep:
            self.member_uses[name] += 1
            self.slots.append(Slot(place, field, name, True))
        else:
            self.taken_members.add(name)

    def may_rename(self, owner: Scope, name: str) -> bool:
        """May this variable get another name?"""
        known = self._may_rename.get((owner, name))
        if known is None:
            bound = owner.bound.get(name, [])
            dotted = any(isinstance(node, ast.alias) and not node.asname and "." in node.name for node in bound)
            special = name in self.keep or (name.startswith("__") and name.endswith("__"))
            known = bool(bound) and not special and not dotted and (owner.node, name) not in self.found.fixed
            self._may_rename[owner, name] = known
        return known

    def variables(self, alphabet: str) -> dict[str, str]:
        """Word -> short name, the most used one that is free.

        Frequent words come first; of words about as frequent, the one that is seen first.
        """
        chosen: dict[str, str] = {}
        used_for: Counter[str] = Counter()
        for name in sorted(self.uses, key=lambda name: -self.uses[name].bit_length()):
            met = self._meet[name]
            used = {chosen[other] for other in met if other in chosen} | (self.stays & met)
            known = [short for short in used_for if short not in used]
            if known:
                chosen[name] = max(known, key=used_for.__getitem__)
            else:
                refused = used | self.taken
                chosen[name] = next(short for short in short_names(alphabet) if short not in refused)
            used_for[chosen[name]] += self.uses[name]
        return chosen

    def members(self, alphabet: str, variables: dict[str, str]) -> dict[str, str]:
        """Member -> short name. What class bodies read is not free, nor, below torch's classes, what these have."""
        used = self.taken_members | self.class_reads | {variables.get(name, name) for name in self.class_reads}
        chosen: dict[str, str] = {}
        for name, _ in sorted(self.member_uses.items(), key=lambda item: (-item[1], item[0])):
            refused = used | EXTERNAL_NAMES if name in self.found.inherited else used
            wanted = variables.get(name)
            if wanted is None or wanted in refused:
                wanted = next(short for short in short_names(alphabet) if short not in refused)
            chosen[name] = wanted
            used.add(wanted)
        return chosen


def _meetings(module: Scope) -> dict[str, set[str]]:
    """Word -> the words that must have another short name."""
    meet: dict[str, set[str]] = {name: set(module.bound) for name in module.bound}
    classes = [child for child in module.children if child.kind == "class"]
    for child in [*module.children, *(inner for found in classes for inner in found.children)]:
        whole = [child] if child.kind == "class" else child.walk()
        words = {name for scope in whole for name in (*scope.bound, *scope.reads, *scope.globals)}
        for name in words:
            meet.setdefault(name, set()).update(words)
    for name, others in meet.items():
        others.discard(name)
    return meet
