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

from pgolf.bundle.external_names import NAMES
from pgolf.bundle.link import BUILTINS
from pgolf.bundle.members import Survey, survey
from pgolf.bundle.names import IDENTIFIERS, Scope, copy_tree

ALPHABETS = (
    "etaoinsrhldcumfpgwybvkxjqz" + string.ascii_uppercase,
    "esrtaonilcdbfghjkmpquvwxyz" + string.ascii_uppercase,
)


def shorten(tree: ast.Module, keep: Iterable[str], alphabet: str) -> ast.Module:
    """A copy of the tree with short names; those in `keep` stay everywhere."""
    copied = copy_tree(tree)
    found = survey(copied)
    plan = _Plan(copied, found, frozenset(keep))
    variables = plan.variables(alphabet)
    members = plan.members(alphabet, variables)
    _apply(copied, plan, variables, members)
    return copied


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


class _Plan:
    """Who may be renamed, how often each word occurs, and which words meet."""

    def __init__(self, tree: ast.Module, found: Survey, keep: frozenset[str]):
        self.tree, self.found, self.keep = tree, found, keep
        self.uses: Counter[str] = Counter()
        self.member_uses: Counter[str] = Counter()
        self.taken: set[str] = set(keep)
        self.taken_members: set[str] = set()
        self.class_reads: set[str] = set()
        for node in ast.walk(tree):
            self.count(node)

    def count(self, node: ast.AST) -> None:
        """Note the words of one node, and the names that will stay."""
        name = variable_of(node)
        if isinstance(node, ast.Attribute):
            self.count_member(node.attr)
        elif isinstance(node, ast.Call):
            for item in node.keywords:
                if item.arg and self.found.names_fields(node):
                    self.count_member(item.arg)
                elif item.arg:
                    self.taken.add(item.arg)
                    self.taken_members.add(item.arg)
        elif name is not None and node in self.found.places:
            place = self.found.places[node]
            owner = place.resolve(name)
            if place.kind == "class" and owner.kind != "class":
                self.class_reads.add(name)
            if owner.kind == "class":
                self.count_member(name)
            elif self.may_rename(owner, name):
                self.uses[name] += 1
            else:
                self.taken.add(name)

    def count_member(self, name: str) -> None:
        if name in self.found.own and name not in self.keep:
            self.member_uses[name] += 1
        else:
            self.taken_members.add(name)

    def may_rename(self, owner: Scope, name: str) -> bool:
        """May this variable get another name?"""
        if name not in owner.bound or name in self.keep or (name.startswith("__") and name.endswith("__")):
            return False
        if any(isinstance(node, ast.alias) and not node.asname and "." in node.name for node in owner.bound[name]):
            return False
        return (owner.node, name) not in self.found.fixed

    def variables(self, alphabet: str) -> dict[str, str]:
        """Word -> short name, the most used one that is free.

        Frequent words come first; of words about as frequent, the one that is seen first.
        """
        meet = _meetings(self.found.scope)
        chosen: dict[str, str] = {}
        used_for: Counter[str] = Counter()
        for name in sorted(self.uses, key=lambda name: -self.uses[name].bit_length()):
            used = {chosen[other] for other in meet[name] if other in chosen}
            fresh = (short for short in short_names(alphabet) if short not in used | self.taken)
            known = (short for short, _ in used_for.most_common() if short not in used)
            chosen[name] = next(known, None) or next(fresh)
            used_for[chosen[name]] += self.uses[name]
        return chosen

    def members(self, alphabet: str, variables: dict[str, str]) -> dict[str, str]:
        """Member -> short name. What class bodies read is not free, nor, below torch's classes, what these have."""
        used = self.taken_members | self.class_reads | {variables.get(name, name) for name in self.class_reads}
        chosen: dict[str, str] = {}
        for name, _ in sorted(self.member_uses.items(), key=lambda item: (-item[1], item[0])):
            refused = used | NAMES if name in self.found.inherited else used
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
        words = {name for scope in whole for name in (*scope.bound, *scope.reads)}
        for name in words:
            meet.setdefault(name, set()).update(words)
    for name, others in meet.items():
        others.discard(name)
    return meet


def _apply(tree: ast.Module, plan: _Plan, variables: dict[str, str], members: dict[str, str]) -> None:
    """Write the new names into the tree."""
    for node in list(ast.walk(tree)):
        name = variable_of(node)
        if isinstance(node, ast.Attribute):
            node.attr = members.get(node.attr, node.attr)
        elif isinstance(node, ast.Call) and plan.found.names_fields(node):
            for item in node.keywords:
                item.arg = members.get(item.arg, item.arg) if item.arg else None
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            place = plan.found.places[node]
            node.names = [_short(plan, place, item, variables, members) for item in node.names]
        if name is not None and node in plan.found.places and not isinstance(node, (ast.Global, ast.Nonlocal)):
            short = _short(plan, plan.found.places[node], name, variables, members)
            if short != name:
                setattr(node, "asname" if isinstance(node, ast.alias) else IDENTIFIERS[type(node)], short)


def _short(plan: _Plan, place: Scope, name: str, variables: dict[str, str], members: dict[str, str]) -> str:
    owner = place.resolve(name)
    if owner.kind == "class":
        return members.get(name, name)
    return variables.get(name, name) if plan.may_rename(owner, name) else name
