"""Passes in their old form, until each has a module of its own here."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.program import Program
from pgolf.bundle.specialize.prune import prune
from pgolf.bundle.specialize.records import trim
from pgolf.bundle.specialize.spread import spread
from pgolf.bundle.specialize.substitute import substitute


def on_tree(*passes: Callable[..., Any]) -> Callable[[Program], None]:
    """Old passes, which change a module and a table of owners."""

    def run(program: Program) -> None:
        owners = {item.node: item.owner for item in program.statements}
        tree = ast.Module(body=program.body, type_ignores=[])
        for one in passes:
            one(tree)
        load(program, Flat(tuple(Owned(owners[node], node) for node in tree.body)))

    return run


def on_flat(one: Callable[[Flat], Flat]) -> Callable[[Program], None]:
    return lambda program: load(program, one(program.flat))


def load(program: Program, flat: Flat) -> None:
    for node in program.body:
        program.changed(node)
    program.statements = list(flat.statements)


SETTINGS = Pass("settings-specialization", on_flat(lambda flat: substitute(flat)[0]), "", "")
COPY_PROPAGATION = Pass("copy-propagation", on_tree(spread), "", "")
DEAD_CODE = Pass("dead-argument-elimination", on_tree(prune), "", "")
DEAD_FIELDS = Pass("dead-field-elimination", on_flat(trim), "", "")
