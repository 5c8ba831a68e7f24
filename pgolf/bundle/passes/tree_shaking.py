"""Tree shaking: drop every top-level statement and every imported name that nothing needs any more.

What runs (the main block) is needed, and so is what a needed statement reads, now or later. What is registered for an operator
is needed where the operator is. It never looks inside a class: the order of constructors is the order of random numbers.
"""

from __future__ import annotations

import ast

from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.program import Program
from pgolf.bundle.toplevel import operator_keys, registration


def shake_tree(program: Program) -> None:
    """Drop what the statements without a name do not reach."""
    needed = _reached(program)
    if len(needed) < len(program.statements):
        program.remove(node for node in program.body if node not in needed)


def _reached(program: Program) -> set[ast.stmt]:
    """The statements that those without a name (the main block) reach."""
    providers: dict[str, ast.stmt] = {}
    registered: dict[str, list[ast.stmt]] = {}
    for node in program.body:
        providers.update(dict.fromkeys(program.facts(node).bound, node))
        key = registration(node)[0]
        if key:
            registered.setdefault(key, []).append(node)
    needed: set[ast.stmt] = set()
    waiting = [node for node in program.body if not program.facts(node).bound]
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting += [providers[name] for name in program.facts(node).reads if name in providers]
            waiting += [other for key in operator_keys(node) for other in registered.get(key, [])]
    return needed


TREE_SHAKING = Pass(
    "tree-shaking",
    shake_tree,
    requires="every name of the top level is declared once",
    ensures="each statement is one that runs, or is reached by one that does",
)
