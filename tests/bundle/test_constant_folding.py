"""Folding: what it does, and what it must leave alone."""

import ast
import json
import textwrap
from pathlib import Path

import pytest
from optimizing import MAIN, flat, same
from optimizing import after as passed

from pgolf import bundle
from pgolf.bundle.effects import is_pure
from pgolf.bundle.literals import may_fold, truth_of, value_of
from pgolf.bundle.passes.constant_folding import Folder, fold_constants
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.program import Program
from pgolf.bundle.trees import by_class, copy_tree, walk


def fold(body):
    lines = "\n".join("    " + line for line in body.split("\n"))
    tree = ast.parse(f"def f(a, b, c):\n{lines}\n")
    folded = ast.fix_missing_locations(Folder().visit(tree))
    return "\n".join(line[4:] for line in ast.unparse(folded).split("\n")[1:])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return not False", "return True"),
        ("return True and a", "return a"),
        ("return a and True", "return a and True"),
        ("return a and False and b", "return a and False"),
        ("return () or a", "return a"),
        ("return a or () or b", "return a or b"),
        ("return 0 or None", "return None"),
        ("return None is None", "return True"),
        ("return 3 < 4 < 4", "return False"),
        ("return 'a' in ('a', 'b')", "return True"),
        ("return 'a' not in 'cab'", "return False"),
        ("return 1 == 1.0", "return True"),
        ("return 1 if 'x' else 2", "return 1"),
        ("return a if b is None and False else c", "return c"),
        ("return 2 * 3 + a", "return 6 + a"),
        ("return 7 // 2 - 8 % 3", "return 1"),
        ("return -3 + 1", "return -2"),
        ("return [x for x in ()]", "return []"),
        ("return {x: 1 for x in ()}", "return {}"),
        ("return f(*(), a, *b)", "return f(a, *b)"),
        ("return (*(), a)", "return (a,)"),
        ("return f'{3:02d}{a}{\"x\"}'", "return f'03{a}x'"),
        ("if True:\n    return a\nreturn b", "return a"),
        ("if False:\n    a = 1\nelse:\n    b = 2\nreturn b", "b = 2\nreturn b"),
        ("if a is None and False:\n    b()\nreturn c", "return c"),
        ("if a() and False:\n    b()\nreturn c", "if a() and False:\n    b()\nreturn c"),
        ("if a and True:\n    b()", "if a:\n    b()"),
        ("for x in ():\n    a()\nelse:\n    b()", "b()"),
        ("while False:\n    a()\nreturn b", "return b"),
        ("while a:\n    break\n    b()", "while a:\n    break"),
        ("raise a\nb()", "raise a"),
        ("with a:\n    if False:\n        b()", "with a:\n    pass"),
        ("try:\n    a()\nfinally:\n    if False:\n        b()", "try:\n    a()\nfinally:\n    pass"),
        ("try:\n    a()\nexcept b:\n    if False:\n        c()", "try:\n    a()\nexcept b:\n    pass"),
        ("if False:\n    a()", "pass"),
    ],
)
def test_folds(before, after):
    assert fold(before) == after
    assert may_fold(by_class(walk(ast.parse(f"def f(a, b, c):\n{textwrap.indent(before, '    ')}").body[0])))


def test_what_may_not_fold_does_not():
    paths = [*Path(json.__file__).parent.glob("*.py"), *Path(bundle.__file__).parent.rglob("*.py"), Path(__file__)]
    skipped = 0
    for path in paths:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not may_fold(by_class(walk(node))):
                skipped += 1
                assert ast.dump(Folder().visit(copy_tree(node))) == ast.dump(node)
    assert skipped > 500


@pytest.mark.parametrize(
    "text",
    [
        "return 0.1 * 3",
        "return a * 2 * 3",
        "return 1 / 2",
        "return 2 ** 3",
        "return 1 // 0",
        "return 1 is 1",
        "return 1 < 'a'",
        "return 'a' + 'b'",
        "return (a := 1)",
        "return a[()]",
        "return True + 1",
        "match a:\n    case 3:\n        return b",
        "return {x for x in ()}",
        "return sum((x for x in ()))",
    ],
)
def test_leaves_alone(text):
    assert fold(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "if False:\n    yield a",
        "for x in ():\n    yield x",
        "if False:\n    x = 1\nreturn x",
        "for x in ():\n    pass\nreturn x",
        "if False:\n    len = a\nreturn len(b)",
        "g = lambda: x\nreturn g\nx = 1",
        "if False:\n    x = 1\nreturn [x for y in a]",
        "if False:\n    import os\nreturn os",
        "return lambda: a if True else (a := 1)",
        "return lambda: a or (1 if True else (yield))",
    ],
)
def test_refuses_to_drop_what_gives_a_name_or_the_function_its_meaning(text):
    assert fold(text) == text


def test_dropping_a_binding_that_nothing_reads_is_fine():
    assert fold("if False:\n    x = 1\n    a(x)\nreturn b") == "return b"


def test_values_and_truth():
    def parsed(text):
        return ast.parse(text, mode="eval").body

    assert value_of(parsed("(1, -2.5, 'a', None)")) == (1, -2.5, "a", None)
    assert [truth_of(parsed(text)) for text in ("()", "{}", "'a'", "a", "...")] == [False, False, True, None, None]
    assert is_pure(parsed("a is not None and not 1")) and is_pure(parsed("a is None or not b is c"))
    assert not any(is_pure(parsed(text)) for text in ("a == b", "a()", "a", "not a", "a.b is None"))


def test_the_pass_folds_what_may_be_folded_and_looks_at_nothing_else():
    head, tail = "def f(x):\n    return x\ndef main():\n", f"{MAIN}    main()\n"
    text = f"{head}    if 1 < 2:\n        print(f(3))\n    else:\n        print(4)\n{tail}"
    wanted = f"{head}    print(f(3))\n{tail}"
    folding = Pass("folding", fold_constants, requires="nothing", ensures="no branch is decided by a literal")
    assert passed(text, folding) == same(wanted)
    program = Program.of(flat(text))
    before = program.facts(program.functions["f"])
    fold_constants(program)
    assert program.facts(program.functions["f"]) is before, "a statement without anything to fold is left as it is"
    fold_constants(program, [program.functions["f"]])
    assert program.facts(program.functions["f"]) is before
