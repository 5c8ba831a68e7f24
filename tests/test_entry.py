"""The entry module: calls with literals, read back as the values that were written."""

import ast

import pytest

from pgolf.component import Component, Group, Param
from pgolf.entry import Call, Entry, EntryWriter, record_call, write_entry
from pgolf.runtime.parameters import constant, ones


class Ones:
    """Called like nothing else."""


def other_ones():
    """Stands for a function of another module that is called like one of the runtime's."""


def written(**changes):
    parts = {"name": "toy", "settings": {"depth": 3}, "parameters": (), "program": {}, **changes}
    return write_entry(Entry(**parts))


VALUES = (None, True, -3, 0.1, 1e-300, "a'b\"\n", b"\x00", (), (1,), ((1, "a"), 2), {"a": (1,), "b": {}})


@pytest.mark.parametrize("value", VALUES)
def test_literals_read_back_as_they_were(value):
    text = EntryWriter().show(value)
    back = ast.literal_eval(text)
    assert (type(back), back) == (type(value), value)


def test_components_are_classes_made_and_functions_bound():
    writer = EntryWriter()
    assert writer.show(Component(Ones, size=1)) == "Ones(size=1)" and writer.show(Component(ones)) == "ones"
    assert not writer.partial
    assert writer.show((Component(constant, value=0.5),)) == "(partial(constant, value=0.5),)" and writer.partial
    assert writer.import_lines() == [
        *("from functools import partial", "", "from pgolf.runtime.parameters import constant, ones"),
        f"from {__name__} import Ones",
    ]


def test_a_record_is_written_without_its_defaults():
    call = record_call(Param("a", (2,), "scalar", "control", init=Component(ones), layers=4))
    always = {"name": "a", "shape": (2,), "group": "scalar", "quant": "control"}
    assert call == Call("Param", {**always, "init": Component(ones), "layers": 4})
    assert record_call(Param("a", (2,), "scalar", "control", first=0)).arguments == always
    group = Group(*["x"] * len(Group._fields))
    assert record_call(group) == Call("Group", dict.fromkeys(Group._fields, "x"))


def test_the_module_is_python_that_does_nothing_when_it_is_imported():
    text = written(parameters=(record_call(Param("a", (2,), "scalar", "control", init=Component(ones))),))
    tree = ast.parse(text)
    kinds = [type(node).__name__ for node in tree.body]
    assert (
        kinds[0] == "Expr" and kinds[-1] == "If" and set(kinds) == {"Expr", "ImportFrom", "Assign", "FunctionDef", "If"}
    )
    assert "SETTINGS = Settings(\n    depth=3,\n)" in text and "Param(name='a'" in text


def test_two_components_of_one_name_are_kept_apart():
    other_ones.__qualname__ = other_ones.__name__ = "ones"
    other_ones.__module__ = "elsewhere"
    text = written(program={"mlp": Component(ones), "head": Component(other_ones)})
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    names = {(node.module, alias.name): alias.asname or alias.name for node in imports for alias in node.names}
    assert len(set(names.values())) == len(names)
    assert f"head={names['elsewhere', 'ones']}," in text
    assert f"mlp={names['pgolf.runtime.parameters', 'ones']}," in text


def test_preparations_say_whose_they_are_first():
    text = written(program={"mlp": Component(Ones)}, preparations=(("toy", "Ones()"),))
    assert text.index("session.preparing = 'toy'") < text.index("log_prepared(session, Ones().prepare(session))")
    assert "log_prepared" not in written()


@pytest.mark.parametrize("name", ['"""', "a\\b", "é", "x\ny", "'''"])
def test_no_name_ends_the_docstring(name):
    tree = ast.parse(written(name=name))
    assert ast.get_docstring(tree).startswith("The training program of ") and len(tree.body) == len(
        ast.parse(written()).body
    )


def test_the_same_parts_give_the_same_text():
    one = written(settings={"b": 1, "a": 2}, program={"mlp": Component(ones), "head": Component(Ones)})
    two = written(settings={"a": 2, "b": 1}, program={"head": Component(Ones), "mlp": Component(ones)})
    assert one == two
