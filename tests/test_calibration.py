"""Build-time checks of statistics: who needs them, who collects them, and whether there is time."""

import pytest
from models import resolved

from pgolf.calibration import (
    calibrated_classes,
    check_calibration,
    check_classes,
    check_fits,
    check_used,
    components_in,
)
from pgolf.component import Component
from pgolf.errors import PgolfError
from pgolf.runtime.quantize import SpreadRecipe, nearest_codes
from pgolf_plugins.quantizer.gptq import Gptq
from pgolf_plugins.quantizer.hessian_sdclip import ImportantRows
from pgolf_plugins.quantizer.int8 import Int8Recipe
from pgolf_plugins.quantizer.train_calibration import TrainCalibration

SOLVER = Component(Gptq, block=128, damp=0.01)
SOURCE = Component(TrainCalibration, batches=1)


class Silent:
    """A source that does not say what it reads."""


class Generated:
    """A source that reads nothing."""

    reads = ""


def recipe(rounding, taps=()):
    return Component(SpreadRecipe, plugin="p", name="int6", top=31, sigmas=12.0, taps=taps, rounding=rounding)


def test_components_are_found_at_any_depth():
    inner, other = Component(nearest_codes), Component(Int8Recipe, half=True)
    whole = recipe(inner, (other, SOLVER))
    assert components_in(whole) == [whole, inner, other, SOLVER]
    assert components_in({"a": (1, {"b": inner})}) == [inner] and components_in("text") == []


def test_a_class_needs_statistics_when_any_part_of_its_recipe_does():
    recipes = {
        "attn": recipe(SOLVER),
        "control": Component(Int8Recipe, half=True),
        "embed": recipe(Component(nearest_codes), (Component(ImportantRows, weight=0.1, damp=0.01),)),
        "mlp": recipe(Component(nearest_codes)),
    }
    assert calibrated_classes(recipes) == ("attn", "embed")


def test_a_rounding_that_no_recipe_takes_is_refused():
    check_used([SOLVER], {"mlp": recipe(SOLVER)})
    with pytest.raises(PgolfError, match="no recipe takes Gptq of gptq") as caught:
        check_used([SOLVER], {"mlp": recipe(Component(nearest_codes))})
    assert caught.value.code == "PG210"


@pytest.mark.parametrize(
    ("source", "calibrated", "reserve", "budget", "used", "complaint"),
    [
        (None, ("attn", "mlp"), 0.0, 600.0, True, "the recipes of attn, mlp need input statistics"),
        (Component(Silent), ("mlp",), 1.0, 600.0, True, "Silent has reads = None"),
        (SOURCE, (), 1.0, 600.0, False, "nothing uses them"),
        (SOURCE, ("mlp",), 0.0, 600.0, True, "no time is reserved"),
        (SOURCE, ("mlp",), 600.0, 600.0, True, "600 s are reserved of max_wallclock_seconds = 600"),
    ],
)
def test_what_cannot_be_had_is_refused(source, calibrated, reserve, budget, used, complaint):
    with pytest.raises(PgolfError, match=complaint) as caught:
        check_calibration(source, calibrated, reserve, budget, used)
    assert caught.value.code == "PG211" and caught.value.hint


@pytest.mark.parametrize(
    ("source", "calibrated", "reserve", "budget"),
    [
        (None, (), 0.0, 600.0),
        (SOURCE, ("mlp",), 12.0, 600.0),
        (SOURCE, ("mlp",), 0.0, 0.0),
        (Component(Generated), ("mlp",), 0.0, 600.0),
    ],
)
def test_what_can_be_had_is_accepted(source, calibrated, reserve, budget):
    check_calibration(source, calibrated, reserve, budget, used=source is not None)


def test_a_class_that_no_tensor_has_is_a_misspelt_setting():
    check_classes({"head": "int6", "mine": "other"}, used=("mlp", "mine"))
    for name, setting in (("int6", "int6_classes"), ("sdclip", "sdclip_classes")):
        with pytest.raises(PgolfError, match=rf"{name} has a recipe for the quantization class 'mpl'") as caught:
            resolved(name, **{setting: "attn,mpl"})
        assert caught.value.code == "PG206"


def test_gptq_brings_what_it_needs():
    entry = resolved("gptq").entry
    assert (
        "calibrated=('attn', 'embed', 'mlp')," in entry and "calibration_source=TrainCalibration(batches=16)" in entry
    )
    assert "reserve=12.0," in entry and entry.count("rounding=Gptq(block=128, damp=0.01)") == 3


def test_gptq_without_a_part_is_refused():
    with pytest.raises(PgolfError, match="gptq requires train_calibration"):
        resolved("gptq", remove=("train_calibration", "self_calibration"))


def test_a_head_of_its_own_is_calibrated_where_it_is_named():
    with pytest.raises(PgolfError, match=r"tok_emb.weight of class .embed. needs"):
        resolved("gptq", "untied_head", model_dim=320)
    entry = resolved("gptq", "untied_head", model_dim=320, sdclip_classes="attn,mlp,head").entry
    assert "calibrated=('attn', 'head', 'mlp')," in entry


def test_a_fit_to_training_text_needs_time():
    (fit,) = (Component(print),)
    check_fits((), 0.0, 600.0)
    check_fits((fit,), 3.0, 600.0)
    check_fits((fit,), 0.0, 0.0)
    with pytest.raises(PgolfError, match="print reads training data, and no time is reserved for it") as caught:
        check_fits((fit,), 0.0, 600.0)
    assert caught.value.code == "PG211"
