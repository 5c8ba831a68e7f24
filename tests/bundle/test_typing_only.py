"""What stands for type checkers alone neither runs nor is refused; what only looks like it stays."""

import ast

import pytest
from rule_codes import codes

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
    assert "left: object\n" in shown and "right: object\n" in shown and "count: object = 0" in shown
    compile(tree, "sample", "exec")


def test_only_what_was_never_evaluated_is_hidden():
    shown = ast.unparse(without_typing(ast.parse(TYPED.replace("from __future__ import annotations\n", ""))))
    assert "left: object\n" in shown and "count: int = 0" in shown
    fields = "class A:\n    a: 'A'\n    b: list['A']\n    c: int\n    d: 'ClassVar[int]' = 3\n    e: ClassVar[int] = 4"
    shown = ast.unparse(without_typing(ast.parse("from __future__ import annotations\n" + fields)))
    assert shown.count(": object") == 3 and "'ClassVar[int]'" in shown and "e: ClassVar[int]" in shown


def test_the_rules_accept_it(project):
    assert codes(project, TYPED) == []


def test_a_block_under_the_module_s_name(project):
    block = "if typing.TYPE_CHECKING:\n    from nowhere import Thing\n"
    assert codes(project, f"import typing\n{block}def run(x: Thing): return 1\n") == []


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
