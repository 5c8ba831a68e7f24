"""Templates for `pgolf plugins new`: one for each family, complete, and Python once the names are filled in."""

import ast
import re
from string import Template

import pytest

from pgolf.component import FAMILIES
from pgolf.hookspecs import HOOKS
from pgolf.scaffold_bodies import BODIES

NAMES = {"name": "my_trick", "Name": "MyTrick", "NAME": "my_trick"}


def test_every_family_has_one():
    assert set(BODIES) == set(FAMILIES)


@pytest.mark.parametrize("family", BODIES)
def test_all_of_it_is_there_and_asks_for_known_names_alone(family):
    for text in BODIES[family]:
        assert text.strip() or text is BODIES[family].imports
        assert set(re.findall(r"\$\{(\w+)\}", text)) <= set(NAMES)
        assert not re.search(r"\$\w|\$\{\w+[^\w}]", text), "a name that is not filled in"


@pytest.mark.parametrize("family", BODIES)
def test_its_code_is_python_with_a_hook_of_the_family(family):
    body = BODIES[family]
    code = Template(body.imports + body.code).substitute(NAMES)
    hooks = [node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    assert any(HOOKS[name][0] == family for name in hooks) and all(name in HOOKS for name in hooks)
    assert "my_trick" in code
    ast.parse("def test():\n    " + Template(body.check).substitute(NAMES).strip())


@pytest.mark.parametrize("family", BODIES)
def test_every_function_and_class_is_documented(family):
    code = Template(BODIES[family].code).substitute(NAMES)
    nodes = [node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert nodes and all(map(ast.get_docstring, nodes))
