from pathlib import Path
from types import ModuleType

import pytest

from pgolf.component import Component, Group, Param, Phase, Plugin
from pgolf.entry import Entry, write_entry
from pgolf.errors import PgolfError
from pgolf.manager import Loaded, Registry, load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import internal_source, load_entry, resolve, with_seed

SMALL = {"num_layers": 2, "model_dim": 64, "num_heads": 4, "num_kv_heads": 2, "vocab_size": 64}


@pytest.fixture(scope="module")
def built_in():
    return load_registry()


def never(progress):
    """A phase's start."""
    return False


def bad_plan(phases):
    """A layer plan's result is read off its component's call; this one stands for the target."""
    return (0,), (1,)


class Plan:
    """A layer plan with the steps it is given."""

    name = "plan"

    def __init__(self, encoder, decoder):
        self.encoder, self.decoder = encoder, decoder

    def __call__(self, phases):
        return self.encoder, self.decoder


def param(**changes):
    return Param("x", (2,), "scalar", "control")._replace(**changes)


def build(registry, hooks=None, settings=None, remove=(), names=()):
    """Resolve with a plugin that has these hooks."""
    found = dict(registry.plugins)
    if hooks:
        plugin = Plugin(name="extra", summary="s", source="s", family="data")
        found["extra"] = Loaded(plugin, ModuleType("extra"), Path("extra.py"), "", "", hooks)
        names = (*names, "extra")
    recipe = Recipe("t", layers=(tuple(names),), remove=remove, settings={**SMALL, **(settings or {})})
    return resolve(recipe, Registry(found))


def test_the_entry_is_the_same_for_the_same_plugins(built_in):
    one, other = (
        build(built_in, names=names, settings={"swa_full_attn_layers": 1}) for names in (("swa", "pko"), ("pko", "swa"))
    )
    assert one.entry == other.entry
    assert '"""The training program of t, written by pgolf."""' in one.entry


def test_the_entry_executes_without_training(built_in):
    module = load_entry(build(built_in).entry, "pgolf_test_entry")
    assert module.SETTINGS.num_layers == 2
    assert "swa" not in module.make_program().plugins
    names = [record.name for record in module.make_parameters()]
    assert "tok_emb.weight" in names


def test_parameters_are_those_of_the_layout_and_then_of_plugins_by_name(built_in):
    owners = [plugin for plugin, _ in build(built_in).params]
    others = owners[owners.count("layer_matrices") :]
    assert owners[0] == "layer_matrices" and others == sorted(others)


def test_modules_belong_to_plugins_or_the_runtime(built_in):
    resolved = build(built_in, names=("swa",), settings={"swa_full_attn_layers": 1})
    assert resolved.plugin_of("pgolf_plugins.architecture.swa") == "swa"
    assert resolved.plugin_of("pgolf.runtime.train") == resolved.plugin_of("__main__") == "runtime"


def test_internal_modules_are_those_of_the_engine_and_of_plugins(built_in):
    selection = build(built_in).selection
    assert internal_source("pgolf.runtime.train", selection).name == "train.py"
    assert internal_source("pgolf_plugins.compressor.zlib", selection).name == "zlib.py"
    for outside in ("torch", "zlib", "pgolf.resolve"):
        assert internal_source(outside, selection) is None
    with pytest.raises(PgolfError) as caught:
        internal_source("pgolf.runtime.nothing", selection)
    assert caught.value.code == "PG202"


def test_another_seed(built_in):
    assert with_seed(Recipe("t", settings={"x": 1}), 7).settings == {"x": 1, "seed": 7}


@pytest.mark.parametrize(
    ("hooks", "code", "message"),
    [
        ({"parameters": lambda settings: [param(group="nobody")]}, "PG205", "group 'nobody'"),
        ({"parameters": lambda settings: [param(quant="nothing")]}, "PG206", "class 'nothing'"),
        ({"parameters": lambda settings: [param(name="tok_emb.weight")]}, "PG207", "both declare"),
        ({"parameters": lambda settings: [param(shape=(0,))]}, "PG105", "shape"),
        ({"parameters": lambda settings: [1]}, "PG105", "wanted a list of Param"),
        ({"parameters": lambda settings: param()}, "PG105", "wanted a list"),
        ({"parameters": lambda settings: 1 / 0}, "PG105", "ZeroDivisionError"),
        ({"groups": lambda settings: [Group("a", 1.0), 2]}, "PG105", "wanted a list of Group"),
        ({"schedules": lambda settings: 1}, "PG105", "wanted a Component"),
        ({"tensor_recipes": lambda settings: {"mlp": 1}}, "PG105", "wanted a dict"),
        ({"batch_fields": lambda settings: [1]}, "PG105", "wanted a dict"),
        ({"fit": lambda settings: None, "head": lambda settings: None}, "PG204", "'head' has no provider"),
        ({"parameter_layout": lambda settings: None}, "PG204", "parameter_layout"),
        ({"layer_plan": lambda settings: Component(Plan, encoder=(0,), decoder=(5,))}, "PG209", "layer 5 of 2"),
        ({"layer_plan": lambda settings: Component(Plan, encoder=(), decoder=(0,))}, "PG209", "never runs layer 1"),
        ({"layer_plan": lambda settings: Component(Plan, encoder=(0, 1), decoder=(1,))}, "PG209", "2 encoder steps"),
        (
            {"phases": lambda settings: [Phase(f"p{i}", Component(never)) for i in range(4)]},
            "PG208",
            "18 compiled variants",
        ),
        ({"parameters": lambda settings: settings.nothing}, "PG003", "no selected plugin declares"),
    ],
)
def test_what_a_hook_returns_is_checked(built_in, hooks, code, message):
    with pytest.raises(PgolfError, match=message) as caught:
        build(built_in, hooks)
    assert caught.value.code == code


def test_an_error_of_a_hook_keeps_its_code_and_gets_a_place(built_in):
    def fail(settings):
        raise PgolfError("PG004", "not with these settings")

    with pytest.raises(PgolfError) as caught:
        build(built_in, {"parameters": fail})
    assert (caught.value.code, caught.value.where) == ("PG004", "extra: parameters")


def test_a_removed_baseline_plugin_leaves_its_slot_empty(built_in):
    with pytest.raises(PgolfError, match="'head' has no provider") as caught:
        build(built_in, remove=("tied_head",))
    assert caught.value.code == "PG204"


def test_a_raised_recompile_limit_allows_more_phases(built_in):
    hooks = {"phases": lambda settings: [Phase(f"p{i}", Component(never)) for i in range(4)]}
    assert build(built_in, hooks, settings={"recompile_limit": 32}).plan.num_steps == 2


def test_a_chosen_recipe_wins_over_the_baselines_and_two_chosen_ones_collide(built_in):
    from pgolf_plugins.quantizer.int8 import Int8Recipe

    hooks = {"tensor_recipes": lambda settings: {"mlp": Component(Int8Recipe, storage="float16")}}
    found = {plugin for plugin, _ in build(built_in, names=("int6",)).params}
    assert found
    with pytest.raises(PgolfError, match=r"twice: .*'extra'") as caught:
        build(built_in, hooks, names=("int6",))
    assert caught.value.code == "PG203"


def test_components_take_literals_only():
    for bad in ({"x": [1]}, {"x": float("nan")}, {"x": {1: 2}}, {"x": (object(),)}):
        with pytest.raises(PgolfError) as caught:
            Component(never, **bad)
        assert caught.value.code == "PG105"
    for target in (lambda: 1, 3):
        with pytest.raises(PgolfError):
            Component(target)


def test_a_name_cannot_become_code(built_in):
    recipe = Recipe('x"""\nraise SystemExit(1)\n"""', settings=SMALL)
    load_entry(resolve(recipe, built_in).entry, "pgolf_test_entry")


def test_the_order_of_names_does_not_matter(built_in):
    names = ["swa", "xsa", "pko", "bank_qat", "leaky_relu2", "smear_gate"]
    forward = resolve(Recipe("x", layers=(tuple(names),)), built_in).entry
    backward = resolve(Recipe("x", layers=(tuple(reversed(names)),)), built_in).entry
    assert forward == backward


def test_components_of_one_name_get_names_of_their_own():
    classes = []
    for module in ("kit.one", "kit.two", "pgolf.runtime.three"):
        target = type("train", (), {"__module__": module})
        classes.append(Component(target, gain=1.5))
    program = {"taps": tuple(classes), "mlp": Component(type("partial", (), {"__module__": "kit"}))}
    text = write_entry(Entry("t", {}, (), program))
    assert "from kit.one import train as train_2\n" in text and "from kit.two import train as train_3\n" in text
    assert (
        "from pgolf.runtime.three import train as train_4\n" in text
        and "from pgolf.runtime.train import train\n" in text
    )
    assert "taps=(train_2(gain=1.5), train_3(gain=1.5), train_4(gain=1.5))," in text
    assert "from kit import partial as partial_2\n" in text and "mlp=partial_2()" in text


def misspelt(settings):
    """A hook that asks for a setting by a wrong name."""
    return Component(never, threshold=settings.num_layer)


def test_a_misspelt_setting_in_a_hook_has_a_line_and_a_suggestion(built_in):
    found = dict(built_in.plugins)
    plugin = Plugin(name="extra", summary="s", source="s", family="data")
    found["extra"] = Loaded(plugin, ModuleType("extra"), Path(__file__), "", "", {"schedules": misspelt})
    with pytest.raises(PgolfError) as caught:
        resolve(Recipe("t", layers=(("extra",),), settings=SMALL), Registry(found))
    line = (
        Path(__file__).read_text().splitlines().index("    return Component(never, threshold=settings.num_layer)") + 1
    )
    assert (caught.value.code, caught.value.where) == ("PG003", f"{__file__}:{line}")
    assert caught.value.hint == "did you mean num_layers?" and "schedules of extra" in caught.value.message


@pytest.mark.parametrize(
    ("plugins", "wanted"),
    [((), ()), (("row_max",), ("int8",)), (("fp16_keep",), ("int8",)), (("fp16_keep", "int8"), ()), (("ema",), ())],
)
def test_what_has_only_what_chosen_plugins_leave(plugins, wanted, built_in):
    """A plugin of the baseline beside one that takes keys over; whoever asks for it by name wants it to act."""
    entry = resolve(Recipe("it", (plugins,), settings=SMALL), built_in).entry
    assert f"fallbacks={wanted!r}," in entry
