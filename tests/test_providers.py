"""What the selected plugins' hooks give: chains, slots, records, numbers and names, and whose fault it is."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pgolf.component import Component, Group, Plugin
from pgolf.errors import PgolfError
from pgolf.providers import Providers
from pgolf.settings import SettingsView


def work():
    """A target."""


def other():
    """Another one."""


def giving(value):
    return lambda settings: value


def providers(chosen=(), **hooks):
    """Of plugins given as plugin={hook: what it returns, or a function}."""
    plugins = {}
    for order, (name, given) in enumerate(hooks.items()):
        functions = {hook: value if callable(value) else giving(value) for hook, value in given.items()}
        plugin = Plugin(name, "s", "s", "architecture", order=order)
        plugins[name] = SimpleNamespace(plugin=plugin, hooks=functions, path=Path(f"{name}.py"))
    return Providers(
        SimpleNamespace(plugins=plugins, settings=SettingsView({"depth": 3}, set(plugins)), chosen=set(chosen))
    )


def refused(code, function, *arguments):
    with pytest.raises(PgolfError) as caught:
        function(*arguments)
    assert caught.value.code == code, caught.value
    return str(caught.value)


def test_a_chain_is_in_order_and_leaves_out_who_gives_nothing():
    found = providers(
        a={"branch_inputs": Component(work)}, b={"branch_inputs": None}, c={"branch_inputs": Component(other)}
    )
    assert found.chain("branch_inputs") == [("a", Component(work)), ("c", Component(other))]
    assert found.chain("weight_taps") == []


def test_a_hook_is_called_once():
    calls = []
    found = providers(a={"branch_inputs": lambda settings: calls.append(settings.depth)})
    found.call("branch_inputs"), found.chain("branch_inputs")
    assert calls == [3]


def test_a_hook_gets_what_it_asks_for_by_name():
    found = providers(a={"weight_taps": lambda tensor_recipes: Component(work, name=tensor_recipes)})
    found.available["tensor_recipes"] = "here"
    assert found.chain("weight_taps")[0][1].arguments == {"name": "here"}


def test_slots():
    assert providers(a={"mlp": Component(work)}).slot("mlp") == [("a", Component(work))]
    assert providers(a={}).slot("qkv_projection") == []
    assert "slot 'mlp' has no provider" in refused("PG204", providers(a={}).slot, "mlp")
    two = providers(a={"mlp": Component(work)}, b={"mlp": Component(other)})
    assert "'a' and 'b'" in refused("PG203", two.slot, "mlp")


@pytest.mark.parametrize(
    ("method", "hook", "result", "wanted"),
    [
        ("chain", "mlp", work, "wanted a Component"),
        ("records", "groups", "x", "wanted a list of Group"),
        ("records", "groups", [1], "wanted a list of Group"),
        ("number", "reserve", -1.0, "wanted a finite number"),
        ("number", "reserve", True, "wanted a finite number"),
        ("number", "reserve", float("inf"), "wanted a finite number"),
        ("number", "reserve", "3", "wanted a finite number"),
        ("by_name", "tensor_recipes", {"a": 1}, "wanted a dict of Components"),
        ("by_name", "tensor_recipes", [1], "wanted a dict of Components"),
    ],
)
def test_another_result_is_refused_with_the_plugin(method, hook, result, wanted):
    found = providers(a={hook: lambda settings: result})
    text = refused("PG105", getattr(found, method), hook)
    assert wanted in text and f"{hook} of a" in text and "a.py" in text


def test_records_are_joined_and_numbers_added():
    group = Group(*["x"] * len(Group._fields))
    found = providers(a={"groups": [group], "reserve": 1}, b={"groups": [group, group], "reserve": 2.5})
    assert [name for name, _ in found.records("groups")] == ["a", "b", "b"] and found.number("reserve") == 3.5
    assert providers(a={}).number("reserve") == 0.0


def test_by_name_a_chosen_plugin_wins_over_the_baseline_and_two_collide():
    given = {"a": {"tensor_recipes": {"x": Component(work)}}, "b": {"tensor_recipes": {"x": Component(other)}}}
    assert providers(["b"], **given).by_name("tensor_recipes") == {"x": ("b", Component(other))}
    assert providers(["a"], **given).by_name("tensor_recipes") == {"x": ("a", Component(work))}
    text = refused("PG203", providers(["a", "b"], **given).by_name, "tensor_recipes")
    assert "'a' and 'b'" in text and "'x' twice" in text


def test_a_plugins_own_defect_is_one_line_that_names_it():
    def fail(settings):
        raise KeyError("first\nsecond")

    assert "mlp of a failed: KeyError" in refused("PG105", providers(a={"mlp": fail}).call, "mlp")


def test_an_unknown_setting_is_named_with_one_that_is_close():
    text = refused("PG003", providers(a={"mlp": lambda settings: settings.dept}).call, "mlp")
    assert "mlp of a" in text and "did you mean depth?" in text


def test_a_plugins_own_error_stays_and_gets_its_place():
    def fail(settings):
        raise PgolfError("PG003", "too large")

    text = refused("PG003", providers(a={"mlp": fail}).call, "mlp")
    assert "too large" in text and "a: mlp" in text
