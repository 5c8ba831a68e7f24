"""The printed text is the tree, dense, in ASCII, and the shortest of the f-strings that mean it."""

import ast

import pytest
from python_minifier import UnstableMinification

from pgolf.bundle.minify import printing
from pgolf.bundle.minify.printing import write
from pgolf.errors import PgolfError


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("x = 1\ny = 2", "x=1\ny=2"),
        ("def f(x, y=2):\n    return x + y", "def f(x,y=2):return x+y"),
        ("if x:\n    if y:\n        z = 1\n        f()", "if x:\n if y:z=1;f()"),
        ("for x in y:\n    for z in x:\n        if z: f()\n    g()", "for x in y:\n for z in x:\n  if z:f()\n g()"),
        ('x = f"it\'s {a}"', 'x=f"it\'s {a}"'),
        ("x = 'é'", "x='\\xe9'"),
        ("x = '▁漢😀'", "x='\\u2581\\u6f22\\U0001f600'"),
        ("größe = 'é'", "größe='é'"),
    ],
)
def test_the_text(text, printed):
    assert write(ast.parse(text)) == printed
    assert ast.dump(ast.parse(printed)) == ast.dump(ast.parse(text))


@pytest.mark.parametrize(
    "text", ["def f():\n    if x:\n        return '''a\n\tb\n'''", "def f():\n    if x:\n        y = '''\"\"\"\n\tb'''"]
)
def test_lines_inside_a_text_keep_their_tabs(text):
    printed = write(ast.parse(text))
    assert ast.dump(ast.parse(printed)) == ast.dump(ast.parse(text))
    (before,) = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    assert before in [node.value for node in ast.walk(ast.parse(printed)) if isinstance(node, ast.Constant)]


def test_tabs_stay_where_a_text_of_several_lines_could_hold_them():
    text = "def f():\n\tif x:\n\t\tif y: z()\nz = '''a\n\tb'''"
    assert "\n\tb" in printing._with_spaces(text) and "\n\t\tif" in printing._with_spaces(text)
    assert printing._with_spaces("if x:\n\tif y:\n\t\tz\n\tw = 'a\tb'") == "if x:\n if y:\n  z\n w = 'a\tb'"


@pytest.mark.parametrize("mark", ["'''", '"""'])
def test_either_kind_of_long_text_keeps_tabs(mark):
    text = f"if x:\n\ty = {mark}a\n\tb{mark}"
    assert printing._with_spaces(text) == text


def test_names_outside_ascii_stay_with_all_their_statements():
    assert write(ast.parse("a = 'é'\nü = 'é'")) == "a='é'\nü='é'"


@pytest.mark.parametrize("fault", [UnstableMinification("a", "b", "c"), SyntaxError("no")])
def test_a_printer_that_fails_is_a_defect_with_a_name(monkeypatch, fault):
    def fail(node):
        raise fault

    monkeypatch.setattr(printing, "_statement", fail)
    with pytest.raises(PgolfError, match="python-minifier failed") as caught:
        write(ast.parse("x = 1"))
    assert caught.value.code == "PG401"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "f'{x}'",
            "f'{x:0{w}.{p}f}'",
            "f'{x!r}' 'a'",
            "f'{x}\\n{y}'",
            "f'{x[\"a\"]}'",
            "f'{{{x}}}'",
            "f'{(lambda: 1)()}'",
        ),
        *("f'{x:%Y-%m}'", 'f"{x}\'"', "f'\\'{x}\\''", "f'{x}\\\\'", "f'{ {1: 2}[x] }'"),
    ],
)
def test_f_strings_mean_the_same_and_get_no_longer(text):
    printed = write(ast.parse(text))
    assert ast.dump(ast.parse(printed)) == ast.dump(ast.parse(text))
    assert len(printed) <= len(ast.unparse(ast.parse(text))) + 1


def test_a_character_outside_ascii_is_escaped_in_an_f_string_too():
    tree = ast.parse("x = f'é{a}'")
    assert write(tree).isascii() and ast.dump(ast.parse(write(tree))) == ast.dump(tree)
