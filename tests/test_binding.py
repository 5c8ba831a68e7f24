"""Components are held to the contracts of their hooks: literals, calls, attributes; whatever does not fit is a build error."""

from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest

from pgolf import binding
from pgolf.component import Component, Param, Phase, Plugin
from pgolf.contracts import architecture, optimizer
from pgolf.errors import PgolfError
from pgolf.hookspecs import CONTRACTS, HOOKS
from pgolf.manager import Loaded, Registry, load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import resolve

SMALL = {"num_layers": 2, "model_dim": 64, "num_heads": 4, "num_kv_heads": 2, "vocab_size": 64}


def old_order(x_BTD, layer, ctx):
    """A branch input as they were before the contracts."""


def swapped(model, n_BTD, position, layer, ctx):
    """Right count, wrong order."""


def branch(model, n_BTD, layer, position, ctx, gain=1.0):
    """As it should be."""


def greedy(*arguments):
    """Takes anything."""


def by_name(model, n_BTD, layer, position, ctx, *, gain):
    """A literal that must be given."""


def annotated(progress, scalars, ledger, steps: "int" = 3, shape: tuple[int, ...] = (), name: str = "x"):
    """Literals with types."""


class Branch:
    """As it should be."""

    def __init__(self, gain, shift=0):
        self.gain = gain

    def __call__(self, model, n_BTD, layer, position, ctx):
        """The call."""


class Short:
    """A call with too few arguments."""

    def __call__(self, n_BTD):
        """The call."""


class Nothing:
    """No call at all."""


class Optimizer:
    """A matrix optimizer that forgot `launch`, and whose step is not given the ledger."""

    def shares(self):
        """Right."""

    def bind(self, tensors, names, program, world):
        """Right."""

    def step(self, scalars):
        """One argument short."""


class Nameless:
    """An orthogonalizer without its name."""

    def __call__(self, update, names, steps):
        """The call."""


class Named(Nameless):
    """The name is set when it is made."""

    def __init__(self, name):
        self.name = name


class Counting(Nameless):
    """The name is a property."""

    @property
    def name(self):
        """Its name."""


class Static:
    """A call without self."""

    @staticmethod
    def __call__(model, n_BTD, layer, position, ctx):
        """The call."""


class Prepared(Branch):
    """`prepare` with the arguments it once had."""

    def prepare(self, device, seq_lens, dtype):
        """Too many."""


def found(hook, component):
    """What is said of a component, without the place."""
    return [error.message for error in binding.check_component(hook, "mine", component, CONTRACTS[hook])]


@pytest.mark.parametrize(
    ("hook", "component"),
    [
        ("branch_inputs", Component(branch)),
        ("branch_inputs", Component(branch, gain=2.0)),
        ("branch_inputs", Component(branch, gain=2)),
        ("branch_inputs", Component(by_name, gain=2.0)),
        ("branch_inputs", Component(greedy)),
        ("branch_inputs", Component(Branch, gain=1.0)),
        ("branch_inputs", Component(Static)),
        ("orthogonalizer", Component(Named, name="x")),
        ("orthogonalizer", Component(Counting)),
        ("schedules", Component(annotated, steps=4, shape=(1,), name="y")),
    ],
)
def test_what_fits_passes(hook, component):
    assert found(hook, component) == []


CALL = "(model, n_BTD, layer, position, ctx)"


@pytest.mark.parametrize(
    ("hook", "component", "message"),
    [
        ("branch_inputs", Component(old_order), f"old_order takes (x_BTD, layer, ctx), wanted {CALL}"),
        (
            "branch_inputs",
            Component(swapped),
            f"swapped takes (model, n_BTD, position, layer, ctx), wanted {CALL}: the order differs",
        ),
        ("branch_inputs", Component(by_name), "by_name needs gain by name, and no literal gives it"),
        ("branch_inputs", Component(Short), f"Short takes (n_BTD), wanted {CALL}"),
        ("branch_inputs", Component(Nothing), f"Nothing has no method __call__{CALL}"),
        ("branch_inputs", Component(Branch), "Branch is made without its parameter gain"),
        ("branch_inputs", Component(branch, gian=1.0), "branch has no parameter for the literal gian=1.0"),
        ("branch_inputs", Component(Branch, gain=1.0, shift=1.5), "the literal shift=1.5 of Branch is not an int"),
        ("branch_inputs", Component(branch, gain="2"), "the literal gain='2' of branch is not a float"),
        ("branch_inputs", Component(branch, gain=True), "the literal gain=True of branch is not a float"),
        ("schedules", Component(annotated, steps=1.0), "the literal steps=1.0 of annotated is not an int"),
        ("schedules", Component(annotated, shape=3), "the literal shape=3 of annotated is not a tuple"),
        ("orthogonalizer", Component(Nameless), "Nameless has no attribute name"),
        ("orthogonalizer", Component(branch), "branch is a function; Orthogonalizer is an object with name"),
        (
            "branch_inputs",
            Component(Prepared, gain=1),
            "Prepared.prepare takes (device, seq_lens, dtype), wanted (session)",
        ),
        ("branch_inputs", Component(Branch, gain=(Component(Branch),)), "Branch is made without its parameter gain"),
    ],
)
def test_what_does_not_fit_is_named(hook, component, message):
    assert found(hook, component) == [f"{hook} of mine: {message}"]


def test_every_fault_of_an_object_is_reported():
    assert found("matrix_optimizer", Component(Optimizer)) == [
        "matrix_optimizer of mine: Optimizer has no method launch()",
        "matrix_optimizer of mine: Optimizer.step takes (scalars), wanted (scalars, ledger)",
    ]


def test_hints_say_what_to_do_and_the_place_is_the_line():
    (error,) = binding.check_component("branch_inputs", "mine", Component(old_order), architecture.BranchInput)
    assert error.code == "PG108" and error.hint.startswith("the model comes first")
    line = Path(__file__).read_text().splitlines().index("def old_order(x_BTD, layer, ctx):") + 1
    assert error.where == f"{__file__}:{line}"
    (error,) = binding.check_component("branch_inputs", "mine", Component(branch, gian=1.0), architecture.BranchInput)
    assert error.hint == "did you mean gain?"
    (error,) = binding.check_component("orthogonalizer", "mine", Component(Nameless), optimizer.Orthogonalizer)
    assert error.hint == "define name in the class, or set it in __init__"


def test_every_hook_with_a_component_has_a_protocol():
    for hook, (_, shape) in HOOKS.items():
        contract = CONTRACTS[hook]
        if shape in ("slot", "optional slot", "tap", "by name") and contract is not Param:
            assert issubclass(contract, Protocol) and binding.calls(contract), hook


def test_contracts_take_positional_arguments_alone():
    """So that a component may call them what it likes."""
    for hook, contract in CONTRACTS.items():
        if getattr(contract, "_is_protocol", False):
            for call in binding.calls(contract):
                assert all(name.isidentifier() for name in call.arguments), hook


def build(hooks):
    """Resolve with a third party's plugin that has these hooks."""
    plugin = Plugin(name="extra", summary="s", source="s", family="data")
    registry = load_registry()
    plugins = {**registry.plugins, "extra": Loaded(plugin, ModuleType("extra"), Path("extra.py"), "", "", hooks)}
    return resolve(Recipe("t", layers=(("extra",),), settings=SMALL), Registry(plugins))


@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        ({"branch_inputs": lambda settings: Component(old_order)}, "branch_inputs of extra: old_order takes"),
        ({"phases": lambda settings: [Phase("p", Component(branch))]}, "phases of extra: branch takes"),
        (
            {"parameters": lambda settings: [Param("x", (1,), "scalar", "control", init=Component(branch))]},
            "parameters of extra: branch takes",
        ),
        ({"layer_plan": lambda settings: Component(branch)}, "layer_plan of extra: branch is a function"),
        ({"batch_fields": lambda settings: {"x": Component(branch)}}, "batch_fields of extra: branch takes"),
        ({"tensor_recipes": lambda settings: {"mlp": Component(Nothing)}}, "Nothing has no method encode"),
    ],
)
def test_resolve_refuses_it(hooks, message):
    with pytest.raises(PgolfError, match=message) as caught:
        build(hooks)
    assert caught.value.code == "PG108"


def test_all_that_do_not_fit_are_reported_together():
    hooks = {"branch_inputs": lambda settings: Component(old_order), "schedules": lambda settings: Component(Nothing)}
    with pytest.raises(PgolfError) as caught:
        build(hooks)
    assert {error.message.split(":")[0] for error in caught.value.findings} == {
        "branch_inputs of extra",
        "schedules of extra",
    }


def test_every_contract_says_what_each_call_is_for():
    for hook, contract in CONTRACTS.items():
        if getattr(contract, "_is_protocol", False):
            assert contract.__doc__ and all(member.__doc__ for _, member in binding.methods(contract)), hook
