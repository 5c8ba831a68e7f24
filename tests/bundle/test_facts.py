"""Facts: what a top-level statement shows on its own."""

import ast

from pgolf.bundle.facts import Facts, merged_lists, united

TEXT = """
def f(width=SIZE):
    global total
    total = [item.x for item in width]
    return lambda y: y + OTHER
"""


def test_a_statement_shows_what_it_reads_and_binds():
    node = ast.parse(TEXT).body[0]
    facts = Facts(node, parents := {}, places := {})
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
    assert Facts(node, {}, {}).decorated == {"x"}
    assert Facts(ast.parse("from a import b as c").body[0], {}, {}).spellings == {"b", "c"}
