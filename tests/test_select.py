import itertools
from pathlib import Path
from types import ModuleType

import pytest

from pgolf.component import Conflict, Plugin, Setting
from pgolf.errors import PgolfError, PgolfErrors
from pgolf.manager import Loaded, Registry, load_registry
from pgolf.recipe import Recipe
from pgolf.select import BASELINE, select


@pytest.fixture(scope="module")
def built_in():
    return load_registry()


def with_fakes(registry, *plugins):
    """The built-in plugins and some that exist for a test: (name, hooks, fields of the record)."""
    found = dict(registry.plugins)
    for name, hooks, fields in plugins:
        plugin = Plugin(name=name, summary="s", source="s", family="data", **fields)
        found[name] = Loaded(plugin, ModuleType(name), Path(name), "", "", dict.fromkeys(hooks, print))
    return Registry(found)


def chosen(registry, *layers, remove=(), **settings):
    return select(Recipe("t", layers=layers, remove=remove, settings=settings), registry)


def test_nothing_chosen_is_the_baseline(built_in):
    selection = chosen(built_in)
    assert set(BASELINE) <= set(selection.plugins) and not selection.chosen
    assert not selection.notes and not selection.warnings


def test_a_chosen_plugin_takes_the_baselines_slot_and_brings_what_it_requires(built_in):
    selection = chosen(built_in, ("bank_qat", "pko"))
    assert {"bank_qat", "banks", "int6", "parallel_muon", "partial_rope", "pko"} == set(selection.chosen)
    assert not {"muon", "rope", "layer_matrices"} & set(selection.plugins)
    assert "bank_qat brings banks" in selection.notes


def test_of_two_that_would_do_the_selected_one_is_taken_and_else_the_first(built_in):
    either = {"requires": ("muon_weight_decay|cautious_weight_decay",)}
    registry = with_fakes(built_in, ("picky", (), either))
    assert "muon_weight_decay" in chosen(registry, ("picky",)).plugins
    for layers in ((("picky", "cautious_weight_decay"),), (("cautious_weight_decay",), ("picky",))):
        assert "muon_weight_decay" not in chosen(registry, *layers).plugins
    assert "cautious_weight_decay" in chosen(registry, ("picky",), remove=("muon_weight_decay",)).plugins
    with pytest.raises(PgolfError, match="picky requires muon_weight_decay"):
        chosen(registry, ("picky",), remove=("muon_weight_decay", "cautious_weight_decay"))


def test_the_order_on_the_command_line_does_not_matter(built_in):
    orders = itertools.permutations(("swa", "bank_qat", "pko"))
    assert len({(tuple(chosen(built_in, order).plugins), chosen(built_in, order).chosen) for order in orders}) == 1


def test_every_plugin_can_be_chosen_alone(built_in):
    for name in built_in.plugins:
        selection = chosen(built_in, (name,))
        assert name in selection.plugins
        again = chosen(built_in, selection.chosen)
        assert set(again.plugins) == set(selection.plugins)


def test_an_unknown_name(built_in):
    for layers, remove in (((("nothing",),), ()), ((), ("nothing",))):
        with pytest.raises(PgolfError) as caught:
            chosen(built_in, *layers, remove=remove)
        assert caught.value.code == "PG102"


def test_two_providers_of_a_slot_in_one_layer(built_in):
    with pytest.raises(PgolfError, match="'lzma' and 'zlib'") as caught:
        chosen(built_in, ("zlib", "lzma"))
    assert caught.value.code == "PG203"


def test_a_later_layer_wins(built_in):
    selection = chosen(built_in, ("lzma",), ("zlib",))
    assert "lzma" not in selection.plugins and selection.chosen == ("zlib",)
    assert any("takes the place of lzma" in note for note in selection.notes)


def test_a_later_layer_that_takes_a_required_plugins_place(built_in):
    registry = with_fakes(built_in, ("needy", ["schedules"], {"requires": ("lzma",)}))
    with pytest.raises(PgolfError, match="needy requires lzma") as caught:
        chosen(registry, ("needy",), ("zlib",))
    assert caught.value.code == "PG106"


def test_replaces_stands_in_without_a_slot(built_in):
    registry = with_fakes(built_in, ("stand_in", ["schedules"], {"replaces": ("warmdown_iters",)}))
    assert "warmdown_iters" not in chosen(registry, ("stand_in",)).plugins
    assert "warmdown_iters" not in chosen(registry, ("warmdown_iters",), ("stand_in",)).plugins


def test_remove_leaves_out(built_in):
    assert "momentum_warmup" not in chosen(built_in, remove=("momentum_warmup",)).plugins
    assert "swa" not in chosen(built_in, ("swa",), remove=("swa",)).plugins


def test_hard_conflicts_stop_and_soft_ones_warn(built_in):
    registry = with_fakes(
        built_in,
        ("hard", ["schedules"], {"conflicts": (Conflict("swa", "they fight"),)}),
        ("soft", ["schedules"], {"conflicts": (Conflict("swa", "costs 0.01 BPB", hard=False),)}),
    )
    with pytest.raises(PgolfError, match="hard and swa: they fight") as caught:
        chosen(registry, ("hard", "swa"))
    assert caught.value.code == "PG106"
    assert chosen(registry, ("soft", "swa")).warnings == ["soft and swa: costs 0.01 BPB"]
    assert not chosen(registry, ("soft",)).warnings


def test_settings_are_typed_and_all_problems_are_told_at_once(built_in):
    selection = chosen(built_in, ("swa",), num_layers="4", swa_window=8)
    assert (selection.settings.num_layers, selection.settings.swa_window) == (4, 8)
    assert "swa" in selection.settings.plugins
    with pytest.raises(PgolfErrors) as caught:
        chosen(built_in, num_layer=1, swa_window=8, model_dim="x")
    assert [finding.code for finding in caught.value.findings] == ["PG003"] * 3
    assert "did you mean num_layers" in str(caught.value) and "select the plugin swa" in str(caught.value)


def test_the_default_settings_of_a_plugin_apply(built_in):
    registry = with_fakes(built_in, ("own", ["schedules"], {"settings": (Setting("own_gain", 2.5, "help"),)}))
    assert chosen(registry, ("own",)).settings.own_gain == 2.5


def test_a_plugin_gives_an_engine_setting_another_default(built_in):
    registry = with_fakes(
        built_in, ("big_vocabulary", ("batch_fields",), {"settings": (Setting("vocab_size", 4096, "h"),)})
    )
    assert chosen(registry, ("big_vocabulary",)).settings.vocab_size == 4096
    assert chosen(registry, ("big_vocabulary",), vocab_size=300).settings.vocab_size == 300


def test_two_plugins_with_two_defaults_for_one_setting_need_a_word(built_in):
    registry = with_fakes(
        built_in,
        ("fake_one", ("batch_fields",), {"settings": (Setting("shared", 1, "h"), Setting("equal", 5, "h"))}),
        ("fake_two", ("batch_fields",), {"settings": (Setting("shared", 2, "h"), Setting("equal", 5, "other help"))}),
    )
    with pytest.raises(PgolfError, match="fake_one and fake_two give shared the defaults 1 and 2") as caught:
        chosen(registry, ("fake_one", "fake_two"))
    assert caught.value.code == "PG003" and "--set shared=1" in caught.value.hint
    settings = chosen(registry, ("fake_one", "fake_two"), shared=7).settings
    assert (settings.shared, settings.equal) == (7, 5)
