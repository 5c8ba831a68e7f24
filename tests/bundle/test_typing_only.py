"""What stands for type checkers alone neither runs nor is refused; what only looks like it stays."""

import ast

import pytest
from test_subset import codes

from pgolf.bundle.typing_only import without_typing

TYPED = """from __future__ import annotations
from typing import TYPE_CHECKING, NamedTuple
if TYPE_CHECKING:
    from nowhere.at_all import Thing, Other as Name
class Pair(NamedTuple):
    left: Thing
    right: list[Name]
    count: int = 0
class Holder:
    def __init__(self):
        self.kept: dict[str, Thing] = {}
def run(thing: Thing) -> Name:
    first: Thing | None = None
    return Pair(1, first)
"""


def test_typing_goes_and_fields_stay():
    tree = without_typing(ast.parse(TYPED))
    shown = ast.unparse(tree)
    assert "nowhere" not in shown and "__future__" not in shown
    assert "self.kept: object = {}" in shown and "first: object = None" in shown
    assert "left: object\n" in shown and "right: object\n" in shown and "count: int = 0" in shown
    compile(tree, "sample", "exec")


def test_the_rules_accept_it(project):
    assert codes(project, TYPED) == []


@pytest.mark.parametrize(
    "block",
    [
        "if TYPE_CHECKING:\n    X = 1",
        "if TYPE_CHECKING:\n    import math\nelse:\n    import cmath as math",
        "if not TYPE_CHECKING:\n    import math",
    ],
)
def test_a_block_that_could_act_is_refused(project, block):
    text = f"from typing import TYPE_CHECKING\n{block}\ndef run(): return 1"
    assert "PG301" in codes(project, text)
