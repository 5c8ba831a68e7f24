"""Tree shaking: drop every top-level statement and every imported name that nothing needs any more.

What runs (the main block) is needed, and so is what a needed statement reads, now or later. What is registered for an operator
is needed where the operator is. It never looks inside a class: the order of constructors is the order of random numbers.
"""

from __future__ import annotations

from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.program import Program
from pgolf.bundle.shake import reachable


def shake_tree(program: Program) -> None:
    """Drop what the statements without a name do not reach."""
    needed = reachable(program.body, lambda node: program.facts(node).bound, lambda node: program.facts(node).reads)
    if len(needed) < len(program.statements):
        program.remove(node for node in program.body if node not in needed)


TREE_SHAKING = Pass(
    "tree-shaking",
    shake_tree,
    requires="every name of the top level is declared once",
    ensures="each statement is one that runs, or is reached by one that does",
)
