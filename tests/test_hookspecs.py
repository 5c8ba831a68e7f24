"""Every hook: a family, a shape, a contract, and a text that says what it is for."""

import inspect

import pytest

from pgolf import hookspecs
from pgolf.component import FAMILIES, Component
from pgolf.hookspecs import CONTRACTS, HOOKS, SHAPES

ASKED = {"settings", "plan", "tensor_recipes", "rounding", "clip_taps"}


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_says_what_it_is_for_and_asks_for_what_there_is(name):
    function = getattr(hookspecs, name)
    assert inspect.getdoc(function) and set(inspect.signature(function).parameters) <= ASKED
    family, shape = HOOKS[name]
    assert family in FAMILIES and shape in SHAPES and name in CONTRACTS
    assert hasattr(function, "pgolf_spec"), "pluggy knows it"


@pytest.mark.parametrize("name", HOOKS)
def test_what_a_hook_returns_is_of_its_shape(name):
    returns = str(inspect.signature(getattr(hookspecs, name)).return_annotation)
    wanted = {
        **{"slot": "Component | None", "optional slot": "Component | None", "tap": "Component | None"},
        **{"by name": "dict[str, Component]", "number": "float"},
    }
    shape = HOOKS[name][1]
    if shape == "records" or not getattr(CONTRACTS[name], "_is_protocol", False):
        assert returns in (f"list[{CONTRACTS[name].__name__}]", wanted.get(shape))
    else:
        assert returns == wanted[shape]


def test_every_function_of_the_page_is_a_hook_in_the_order_of_its_families():
    functions = [name for name, value in vars(hookspecs).items() if inspect.isfunction(value)]
    functions = [name for name in functions if getattr(hookspecs, name).__module__ == hookspecs.__name__]
    assert [name for name in functions if not name.startswith("_")] == list(HOOKS)
    families = [family for family, _ in HOOKS.values()]
    assert [one for one, other in zip(families, ["", *families], strict=False) if one != other] == list(
        dict.fromkeys(families)
    )


def test_a_shape_that_is_none_is_refused():
    with pytest.raises(AssertionError):
        hookspecs._hook("data", "heap", Component)(lambda settings: None)
