"""Strings as of Python 3.12."""

import ast
import sys

import pytest

from pgolf.wrappers.fstrings import lowered, newer
from pgolf.wrappers.versions import parse

NEWER = [
    """x = f"{d["a"]}"\n""",
    """x = f"{d[\n0]}"\n""",
    """x = f"{'\\n'.join(a)}"\n""",
    """x = f'''{f'{d['a']}'}'''\n""",
    """x = f"{f"{f"{1}"}"}" + f'{1}'\n""",
    """x = f"a{1:>{w["n"]}}"\n""",
    """x = f"\\{w["n"]}"\n""",
    """return_ = lambda: [f"{x["a"]!r:>3}" if"a"else 1]\n""",
]


OLDER = [
    """x = f"{d['a']}" 'plain' "it's"\n""",
    """x = f"{{}}{a!r:>{w}}{b=}" rf'\\d{a}' if"a"else"b"\n""",
    '''x = f"""{d["a"]}\n{c}"""\n# f"{d["a"]}"\n''',
    """x = f"\\N{BULLET} {a}" + "f{'" + b"f'{".decode()\n""",
    """x = f"\\{{" fr'\\}}{a}' f"{a:}}}"\n""",
    """x = f"{a != b} {(lambda y: y)(1)} {a if a>1 else 2:.3f}"\n""",
]


@pytest.mark.parametrize("text", NEWER)
def test_strings_of_3_12_are_told_from_older_ones(text):
    assert newer(text)
    ast.parse(lowered(text))
    found = parse(text)
    assert found.accepts == {"3.11": False, "3.12": True, "3.13": True} and "PEP 701" in found.why
    if sys.version_info < (3, 12):
        with pytest.raises(SyntaxError):
            ast.parse(text)


@pytest.mark.parametrize("text", OLDER)
def test_older_strings_are_left_alone(text):
    assert newer(text) == [] and lowered(text) == text
    assert all(parse(text).accepts.values())


def test_lowering_keeps_strings_that_stand_side_by_side():
    tree = ast.parse(lowered("""x = ('a'\n  f"{d["a"]}"\n  'b')\n"""))
    assert tree.body[0].value.value == "ab" and ast.unparse(tree.body[1]) == "d['a']"


def test_lowering_keeps_the_lines():
    text = 'x = f"{d[\n\n0]}"\nimport torch\n'
    (statement,) = [node for node in parse(text).tree.body if isinstance(node, ast.Import)]
    assert statement.lineno == 4
