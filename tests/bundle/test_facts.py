"""Facts: what a top-level statement shows on its own."""

import ast

from pgolf.bundle.facts import Facts, merged_lists, united
from pgolf.bundle.names import scopes

TEXT = """
def f(width=SIZE):
    global total
    total = [item.x for item in width]
    return lambda y: y + OTHER
"""


def test_a_statement_shows_what_it_reads_and_binds():
    node = ast.parse(TEXT).body[0]
    scope, places = scopes(node)
    facts = Facts(node, parents := {}, scope)
    assert facts.bound == ("f",)
    assert facts.reads.keys() == {"SIZE", "OTHER"}
    assert facts.bound_inside == {"width", "item", "y"}
    assert facts.variables == {"f", "SIZE", "total", "item", "width", "y", "OTHER"}
    assert facts.spellings == facts.variables | {"x"}
    assert [use.attr for use in facts.attributes["x"]] == ["x"] and len(facts.inner_scopes) == 3
    assert parents[node.body[0]] is node and places[node.args.args[0]].kind == "function"


def test_tables_of_statements_become_one():
    assert merged_lists([{"a": [1], "b": [2]}, {"a": [3]}]) == {"a": [1, 3], "b": [2]}
    assert united([{"a"}, ["b", "a"]]) == {"a", "b"}


def test_decorated_functions_and_what_imports_spell():
    node = ast.parse("class A:\n    @property\n    def x(self): return 1\n    def y(self): return 2").body[0]
    assert shown(node).decorated == {"x"}
    assert shown(ast.parse("from a import b as c").body[0]).spellings == {"b", "c"}


def test_assignments_are_those_that_give_each_target_a_value():
    text = "def f(a):\n    x = 1\n    y, z = a, 2\n    p = q = 3\n    u, v = a\n    x += 1"
    found = shown(ast.parse(text).body[0]).assignments
    assert [[ast.unparse(target) for target, _ in stored] for _, stored in found] == [["x"], ["y", "z"], ["(u, v)"]]


def shown(node):
    return Facts(node, {}, scopes(node)[0])
