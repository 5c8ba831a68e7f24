"""Values of nodes, nodes of values, and where folding may begin."""

import ast
import math

import pytest
from test_program import expression

from pgolf.bundle.literals import (
    COMPARE,
    COMPUTE,
    UNKNOWN,
    formatted,
    is_empty,
    literal,
    may_fold,
    spec_text,
    truth_of,
    value_of,
)
from pgolf.bundle.trees import by_class, walk


@pytest.mark.parametrize(
    "text", ["None", "True", "3", "-3", "-0.5", "'a'", "b'a'", "()", "(1, (None, -2.0), 'x')", "1e400", "3j"]
)
def test_the_value_of_a_literal_is_what_python_makes_of_it(text):
    value = value_of(expression(text))
    assert (type(value), value) == (type(eval(text)), eval(text))


@pytest.mark.parametrize(
    "text", ["x", "...", "+1", "-True", "-'a'", "~1", "[1]", "(1, x)", "1 + 2", "not 1", "-x", "f''"]
)
def test_anything_else_has_no_value(text):
    assert value_of(expression(text)) is UNKNOWN


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        *(("0", False), ("''", False), ("()", False), ("None", False), ("{}", False), ("-0.0", False)),
        *(("1", True), ("(0,)", True), ("b'0'", True), ("x", None), ("{1: 2}", None), ("[]", None)),
    ],
)
def test_truth(text, truth):
    assert truth_of(expression(text)) is truth


@pytest.mark.parametrize(
    "value", [0, -1, 2**70, -(2**70), 0.5, -0.5, 0.0, -0.0, True, None, "a", b"a", math.inf, -math.inf]
)
def test_a_value_is_written_as_the_literal_that_has_it(value):
    like = expression("\n\n  elsewhere".strip())
    node = literal(value, like)
    assert (node.lineno, node.col_offset) == (like.lineno, like.col_offset)
    text = ast.unparse(ast.fix_missing_locations(node))
    back = value_of(expression(text))
    assert (type(back), back, str(back)) == (type(value), value, str(value)), text
    assert not (isinstance(node, ast.Constant) and isinstance(value, float | int) and value < 0), "no source says this"


@pytest.mark.parametrize(
    ("text", "empty"), [("()", True), ("{}", True), ("(1,)", False), ("{1: 1}", False), ("[]", False), ("x", False)]
)
def test_empty(text, empty):
    assert is_empty(expression(text)) is empty


@pytest.mark.parametrize(
    "text",
    [
        *("{3}", "{3:05d}", "{'a'!r}", "{'é'!a}", "{'a':>4}", "{-0.5:.2f}", "{1.0}", "{None}", "{True}", "{0.1 !s:>6}"),
        *("{3!r:>4}", "{1e400}", "plain"),
    ],
)
def test_parts_of_texts_are_formatted_like_python_does(text):
    (part,) = expression(f'f"{text}"').values
    assert formatted(part) == eval(f'f"{text}"')


@pytest.mark.parametrize("text", ["{x}", "{3:{w}}", "{b'a'}", "{(1, 2)}", "{3:n}", "{'a':d}", "{3:Q}", "{'a':05.2f}"])
def test_what_is_unknown_differs_by_place_or_fails_stays(text):
    (part,) = expression(f'f"{text}"').values
    assert formatted(part) is None


def test_the_text_of_a_specification():
    spec = lambda text: spec_text(expression(f'f"{{x:{text}}}"').values[0].format_spec)  # noqa: E731
    assert [spec("05d"), spec("{w}d"), spec_text(ast.Constant(">4")), spec_text(expression("x"))] == [
        "05d",
        None,
        ">4",
        None,
    ]


@pytest.mark.parametrize("sign", ["==", "!=", "<", "<=", ">", ">=", "is", "is not"])
@pytest.mark.parametrize(("left", "right"), [(1, 2), (2, 1), (2, 2), (True, True)])
def test_comparisons_are_pythons(sign, left, right):
    compare = COMPARE[type(expression(f"a {sign} b").ops[0])]
    assert compare(left, right) is eval(f"a {sign} b", {"a": left, "b": right})


@pytest.mark.parametrize("sign", ["in", "not in"])
@pytest.mark.parametrize("left", [1, 3])
def test_membership_is_pythons(sign, left):
    assert COMPARE[type(expression(f"a {sign} b").ops[0])](left, (1, 2)) is eval(f"a {sign} (1, 2)", {"a": left})


@pytest.mark.parametrize("sign", ["+", "-", "*", "//", "%"])
@pytest.mark.parametrize(("left", "right"), [(7, 3), (-7, 3), (7, -3), (0, 5)])
def test_arithmetic_is_pythons(sign, left, right):
    assert COMPUTE[type(expression(f"a {sign} b").op)](left, right) == eval(f"a {sign} b", {"a": left, "b": right})


def test_division_and_powers_are_not_computed():
    assert {ast.Div, ast.Pow, ast.LShift, ast.MatMult}.isdisjoint(COMPUTE)


STARTS = [
    *("not 1", "x and 1", "1 or x", "1 == 2", "1 < 2 < 3", "3 if 1 else x", "1 + 2", "f(*())", "[x for x in ()]"),
    *("f'{3}'", "f'a{x}{4}'", "if 1: x", "while 0: x", "for x in (): y", "{}  and x", "if x:\n    return\n    y"),
    *("for x in y:\n    break\n    z", "while x:\n    continue\n    z", "with x:\n    raise y\n    z"),
    *("try:\n    pass\nfinally:\n    raise y\n    z", "try:\n    pass\nexcept E:\n    raise\n    z"),
    *(
        "if x:\n    y\nelse:\n    raise y\n    z",
        "def f():\n    return\n    x",
        "match x:\n    case 1:\n        raise y\n        z",
    ),
]
IDLE = [
    *(
        "not x",
        "x and y",
        "x == 1",
        "1 < x < 3",
        "x if y else 3",
        "1 + x",
        "f(*x)",
        "[x for x in y]",
        "f'{x}'",
        "f'a{x}b'",
    ),
    *(
        "if x: y",
        "while x: y",
        "for x in y: z",
        "if x:\n    y\n    raise z",
        "def f():\n    x\n    return",
        "-1",
        "x + y",
    ),
    *("class A:\n    x = 1", "f(1, 2)", "for x in (1, 2): y"),
]


@pytest.mark.parametrize(("text", "may"), [*((text, True) for text in STARTS), *((text, False) for text in IDLE)])
def test_where_folding_may_begin(text, may):
    assert may_fold(by_class(walk(ast.parse(text)))) is may
