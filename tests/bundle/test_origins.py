"""Whose text is whose, on programs whose parts have moved."""

import ast

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.minify.minify import minify
from pgolf.bundle.origins import hand_on, mark, pieces


def marked(*parts):
    """One module of statements, each marked with its own module."""
    body = []
    for module, text in parts:
        (node,) = ast.parse(text).body
        mark(node, module)
        body.append(node)
    return ast.Module(body=body, type_ignores=[])


def cut(tree, owners=None):
    """The pieces of a tree's own text."""
    text = ast.unparse(tree)
    return pieces(text, ast.parse(text), tree, owners or [""] * len(tree.body))


def joined(found):
    """Module -> all its text."""
    return {name: "".join(text for owner, text in found if owner == name) for name, _ in found}


def test_an_expression_written_out_elsewhere_stays_its_modules():
    tree = marked(("a", "def f(x):\n    return x + here"), ("b", "y * 2 ** 3"))
    tree.body[0].body[0].value.right = tree.body.pop().value
    assert cut(tree) == [("a", "def f(x):\n    return x + "), ("b", "y * 2 ** 3")]


def test_statements_moved_into_a_function_and_what_is_moved_into_them():
    tree = marked(("a", "def f(x):\n    pass\n    return x"), ("b", "if x:\n    x = g(1)"), ("c", "h(2)"))
    function, condition, call = tree.body
    condition.body[0].value.args[0] = call.value
    function.body[0] = condition
    tree.body = [function]
    assert joined(cut(tree)) == {"a": "def f(x):\n    \n    return x", "b": "if x:\n        x = g()", "c": "h(2)"}


def test_a_node_without_a_mark_has_that_of_the_node_above():
    tree = marked(("a", "x = f(1)"))
    tree.body[0].value.args = [ast.Name("new", ast.Load()), ast.Name("old", ast.Load(), col_offset="b")]
    assert cut(tree) == [("a", "x = f(new, "), ("b", "old"), ("a", ")")]


def test_a_statement_without_a_mark_is_its_owners():
    assert cut(ast.parse("import os\nx = 1"), ["imports", "m"]) == [("imports", "import os\n"), ("m", "x = 1")]


def test_pieces_of_lines_with_wide_characters_and_decorators():
    text = "A='é';B='ü'\n@d\ndef f():0\n"
    tree = ast.parse(text)
    found = pieces(text, tree, ast.parse(text), ["a", "b", "c"])
    assert found == [("a", "A='é';"), ("b", "B='ü'\n"), ("c", "@d\ndef f():0\n")]


def test_what_a_parser_makes_of_a_marked_tree_is_marked_alike():
    tree = marked(("a", "x = f(here)"), ("b", "g(1, y)"))
    # As a pass leaves it: a negative constant, which a parser reads as an operator before a positive one.
    tree.body[1].value.args[0] = ast.Constant(-1, col_offset="c")
    tree.body[0].value.args[0] = tree.body.pop().value
    parsed = ast.parse(ast.unparse(tree))
    hand_on(tree, parsed)
    assert joined(cut(parsed)) == {"a": "x = f()", "b": "g(, y)", "c": "-1"}


def test_short_names_and_dropped_statements_keep_the_pieces():
    tree = marked(
        ("a", 'def first(value):\n    """Doc."""\n    return value + 1'),
        ("b", "def second(value):\n    assert value\n    return first(value) * placeholder"),
        ("c", "[value for value in range(3)]"),
        ("__main__", "if __name__ == '__main__':\n    print(second(2))"),
    )
    tree.body[1].body[1].value.right = tree.body.pop(2).value
    found = minify(Flat(tuple(Owned("m", node) for node in tree.body)))
    assert "".join(text for _, text in found.segments) == found.text
    by_module = joined(found.segments)
    assert list(by_module) == ["a", "b", "c", "__main__"]
    assert by_module["c"].startswith("[") and by_module["c"].endswith("]") and "range(3)" in by_module["c"]
    assert "range" not in by_module["b"] and by_module["a"].startswith("def ")
