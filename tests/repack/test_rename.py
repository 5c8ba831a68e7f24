"""Names: what is a variable, and what may share a name."""

import ast

from pgolf.repack.rename import Keep, rename, variables


def test_builtins_are_variables_without_binders():
    found = variables(ast.parse("def f(x): return len(x)"))
    assert {(scope.kind, name): bool(item.binders) for (scope, name), item in found.items()} == {
        ("module", "f"): True,
        ("function", "x"): True,
        ("module", "len"): False,
    }


def renamed(text, **keep):
    return ast.unparse(rename(ast.parse(text), Keep(**keep)))


def test_a_word_has_one_name_everywhere():
    text = (
        "def f():\n    total = 1\n    return total\ndef g():\n    other = 2\n    total = 3\n    return total + other\n"
    )
    found = renamed(text)
    assert "total" not in found and found.count("return a") == 2


def test_imports_that_are_read_little_keep_their_names():
    assert renamed("import math\nprint(math.pi, math.e)").startswith("import math\n")
    assert renamed("import math\nprint(math.pi, math.e, math.tau)").startswith("import math as a\n")
    assert renamed("import os.path\nprint(os.sep, os.sep, os.sep, os.sep)").startswith("import os.path\n")
    assert renamed("from __future__ import annotations").endswith("annotations")


def test_no_top_level_variable_gets_a_word_of_a_text():
    found = renamed("first = 1\nsecond = 2\nprint(first, second)", words={"a", "c"})
    assert found == "b = 1\nd = 2\nprint(b, d)"


def test_many_names():
    found = renamed("\n".join(f"name_{number} = {number}" for number in range(3000)))
    names = {line.partition(" ")[0] for line in found.splitlines()}
    assert len(names) == 3000 and max(map(len, names)) == 2 + (3000 > 52 + 52 * 52)
