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
from contextlib import contextmanager
from itertools import product
from typing import NamedTuple

from pgolf.bundle.meanings import BUILTINS
from pgolf.bundle.minify.legality import Survey
from pgolf.bundle.names import IDENTIFIERS, Scope
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
    """A place that holds a word: the node, its field, and which of its names, where it has several."""

    node: ast.AST
    field: str
    word: str
    is_member: bool
    number: int | None = None

    def exchange(self, word: str | None) -> str | None:
        """Write another word; gives what was there."""
        before: str | None = getattr(self.node, self.field)
        if self.number is None:
            setattr(self.node, self.field, word)
            return before
        names = getattr(self.node, self.field)
        before, names[self.number] = names[self.number], word
        return before


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
        for node in walk(tree):
            self.note(node)
        self._meet = _meetings(found.scope)

    @contextmanager
    def shortened(self, alphabet: str) -> Iterator[ast.Module]:
        """The tree, which has short names until the block ends."""
        variables = self.variables(alphabet)
        members = self.members(alphabet, variables)
        before = []
        for slot in self.slots:
            short = members.get(slot.word) if slot.is_member else variables.get(slot.word)
            if short is not None and short != slot.word:
                before.append((slot, slot.exchange(short)))
        yield self.tree
        for slot, word in before:
            slot.exchange(word)

    def note(self, node: ast.AST) -> None:
        """Note the words of one node, and the names that will stay."""
        if isinstance(node, ast.Attribute):
            self.note_member(node, "attr", node.attr)
        elif isinstance(node, ast.Call) and node.keywords and self.found.names_fields(node):
            self._field_keywords.update(node.keywords)
        elif isinstance(node, ast.keyword):
            self.note_keyword(node)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            for number, word in enumerate(node.names):
                owner = self.found.places[node].resolve(word)
                if owner.kind == "class" or self.may_rename(owner, word):
                    self.slots.append(Slot(node, "names", word, owner.kind == "class", number))
        else:
            name, scope = variable_of(node), self.found.places.get(node)
            if name is not None and scope is not None:
                field = "asname" if isinstance(node, ast.alias) else IDENTIFIERS[type(node)]
                self.note_variable(node, field, name, scope)

    def note_keyword(self, node: ast.keyword) -> None:
        """Note the keyword of an argument: a field of a record, or a name that stays."""
        if node.arg and node in self._field_keywords:
            self.note_member(node, "arg", node.arg)
        elif node.arg:
            self.taken.add(node.arg)
            self.taken_members.add(node.arg)

    def note_variable(self, node: ast.AST, field: str, name: str, scope: Scope) -> None:
        """Note one identifier."""
        owner = scope.resolve(name)
        if scope.kind == "class" and owner.kind != "class":
            self.class_reads.add(name)
        if owner.kind == "class":
            self.note_member(node, field, name)
        elif self.may_rename(owner, name):
            self.uses[name] += 1
            self.slots.append(Slot(node, field, name, False))
        else:
            self.stays.add(name)

    def note_member(self, node: ast.AST, field: str, name: str) -> None:
        """Note an attribute, or a name of a class body."""
        if name in self.found.own and name not in self.keep:
            self.member_uses[name] += 1
            self.slots.append(Slot(node, field, name, True))
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
