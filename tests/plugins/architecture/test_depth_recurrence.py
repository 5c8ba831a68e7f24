"""Mini depth recurrence against the public plans, and when it begins."""

import json

import numpy
import pytest
from models import VECTORS, built, resolved

from pgolf.errors import PgolfError
from pgolf.runtime.progress import measure_progress

FILE = VECTORS / "model" / "unit_plans"
CASES = {case["case"]: case for case in json.loads(FILE.with_suffix(".json").read_text())["cases"]}


@pytest.mark.parametrize("name", ["pr1204_L11_recur4-5", "pr1204_L6_recur2-3", "pr1204_L11_recur5"])
def test_the_plan_is_that_of_the_public_script(name):
    arrays, sizes = numpy.load(FILE.with_suffix(".npz")), CASES[name]["hyperparameters"]
    layers = ",".join(map(str, sizes["recur_layers"]))
    made = built("depth_recurrence", num_layers=sizes["num_layers"], recur_layers=layers)
    encoder, decoder = made.program.layer_plan(("recurrence",))
    assert [*encoder, *decoder] == arrays[f"{name}.out.v2p"].tolist()
    assert len(encoder) == arrays[f"{name}.out.num_encoder"].item()
    assert made.model.skip_weights.shape[0] == arrays[f"{name}.out.num_skip_weights"].item()


def test_before_its_step_the_plan_is_the_plain_one():
    made = built("depth_recurrence", recur_layers="1,2", recur_start_step=30)
    assert made.program.layer_plan(()) == built().program.layer_plan(())
    (spec,) = made.program.phases
    assert [spec.start(measure_progress(step, 100, 0.0, 0.0)) for step in (29, 30, 31)] == [False, True, True]
    assert spec.scoring


@pytest.mark.parametrize("text", ["4", "", "1,1", "1,x", "1,,2"])
def test_bad_layers_are_refused(text):
    with pytest.raises(PgolfError, match=r"recur_layers is .*, wanted different layer numbers below 4"):
        resolved("depth_recurrence", recur_layers=text)
