"""What pgolf says of hooks is complete: every call, field, example and helper."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

from pgolf import reference
from pgolf.hookspecs import CONTRACTS, HOOKS
from pgolf.scaffold_bodies import BODIES


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_purpose_a_call_and_an_example(name):
    hook = reference.describe_hook(name)
    assert hook.purpose and hook.example
    if CONTRACTS[name] not in (float, str):
        assert hook.contract.doc and (reference.calls(hook.contract) or hook.shape in ("records", "slot"))
    assert all(item.doc and "->" in item.text for item in reference.calls(hook.contract))
    if hook.contract and hook.contract.module.startswith("pgolf.contracts"):
        assert all(item.text for item in hook.contract.attributes)


@pytest.mark.parametrize(("module", "name"), reference.RECORDS)
def test_every_field_of_a_record_is_explained(module, name):
    shape = reference.describe_class(module, name)
    assert all(item.doc for item in shape.attributes + shape.methods), shape
    assert reference.assigned_attributes(module, name) <= {item.name for item in shape.attributes}


def test_what_is_read_from_source_is_what_python_sees():
    for module, name in reference.RECORDS:
        actual = getattr(importlib.import_module(module), name)
        shape = reference.describe_class(module, name)
        fields = getattr(actual, "_fields", None)
        if fields:
            assert tuple(item.name for item in shape.attributes)[: len(fields)] == fields
        assert all(callable(getattr(actual, item.name)) for item in shape.methods)


HELPERS = [(module, name) for module, names in reference.HELPERS.items() for name in names]


@pytest.mark.parametrize(("module", "name"), HELPERS)
def test_what_plugins_may_rely_on_exists_and_says_what_it_does(module, name):
    found = getattr(importlib.import_module(module), name)
    assert inspect.getdoc(found) and reference.describe_function(module, name).doc
    assert found.__module__ == module


def test_examples_use_public_helpers_alone():
    codes = [example.code for example in reference.examples()]
    codes += [body.imports for body in BODIES.values()]
    for code in codes:
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("pgolf."):
                assert all(alias.name in reference.HELPERS[node.module] for alias in node.names), code


def test_attributes_are_split_off_a_docstring():
    doc = "One.\n\nAttributes:\n    a, b: first\n        and more.\n    c: third.\n\nRaises:\n    ValueError: never."
    rest, described = reference.split_attributes(doc)
    assert described == {"a": "first and more.", "b": "first and more.", "c": "third."}
    assert rest == "One.\n\nRaises:\n    ValueError: never."
    assert reference.split_attributes("One.") == ("One.", {})


def test_signatures_keep_types_and_defaults():
    node = ast.parse("def f(self, a: 'Tensor', b: int = 3, *, c=1) -> None: ...").body[0]
    assert reference.signature(node) == "(a: Tensor, b: int = 3) -> None"


def test_every_example_is_shown():
    shown = {reference.describe_hook(hook).example for hook in HOOKS}
    assert shown - {None} == set(reference.examples())
    assert {path.stem for path in Path(reference.EXAMPLES).glob("example_*.py")} == {
        example.name for example in reference.examples()
    }
