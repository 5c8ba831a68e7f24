"""The recipes that an ablation compares."""

import pytest
from models import registry

from pgolf.ablate.variants import make_variants
from pgolf.errors import PgolfError
from pgolf.recipe import Recipe
from pgolf.testing import MICRO

RECIPE = Recipe(
    "tiny",
    layers=(("swa",), ("pko", "xsa")),
    settings={**MICRO, "swa_window": 3, "xsa_last_n": 1, "rope_dims": 4, "swa_full_attn_layers": 2},
)


@pytest.fixture(scope="module")
def found():
    made = make_variants(RECIPE, registry(), ("xsa", "partial_rope", "swa+xsa", "xsa"), ("ln_scale", "xsa"), False)
    return {one.name: one for one in made}


def test_a_variant_for_each_name_with_the_base_first(found):
    assert list(found) == ["base", "-xsa", "-partial_rope", "-swa+xsa", "+ln_scale", "+xsa"]
    assert {"swa", "pko", "xsa"} <= set(found["base"].made.lock.plugins)
    assert set(found["base"].made.lock.plugins) - set(found["-xsa"].made.lock.plugins) == {"xsa"}
    without = set(found["-swa+xsa"].made.lock.plugins)
    assert not {"swa", "xsa"} & without and "causal_attention" in without, "the baseline's plugin is back in the slot"
    assert "ln_scale" in found["+ln_scale"].made.lock.plugins


def test_settings_of_what_is_dropped_are_named(found):
    assert found["-xsa"].lost == ("xsa_last_n",)
    assert found["-swa+xsa"].lost == ("swa_full_attn_layers", "swa_window", "xsa_last_n")
    assert found["+ln_scale"].lost == () and "swa_window" in found["-xsa"].made.lock.settings


def test_what_cannot_be_built_says_why(found):
    assert found["-partial_rope"].made is None and "rope_train_seq_len" in found["-partial_rope"].problem, (
        "pko wants one"
    )
    assert found["+xsa"].made is None and "same file" in found["+xsa"].problem


@pytest.mark.parametrize(("drop", "add"), [(("swaa",), ()), ((), ("xsa+xs",)), (("ln_scale",), ())])
def test_names_are_checked_before_anything_is_built(drop, add, monkeypatch):
    monkeypatch.setattr("pgolf.ablate.variants.make", None)
    with pytest.raises(PgolfError, match="no") as caught:
        make_variants(RECIPE, registry(), drop, add, False)
    assert caught.value.code == "PG004"


def test_each_is_all_that_the_recipe_names(monkeypatch):
    monkeypatch.setattr("pgolf.ablate.variants.make", lambda recipe, registry, smoke: None)
    names = [one.name for one in make_variants(RECIPE, registry(), ("each",), (), False)]
    assert names == ["base", "-partial_rope", "-pko", "-swa", "-xsa"]
