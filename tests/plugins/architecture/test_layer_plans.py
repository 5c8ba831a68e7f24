"""Layer plans, looped and plain, and which skip meets which encoder step, exactly as in the public scripts."""

import json

import numpy
import pytest
import torch
from micro import micro, run_program
from models import VECTORS, built, scramble, tokens

from pgolf.runtime.ledger import Ledger

FILE = VECTORS / "model" / "unit_plans"
PLANS = [
    case for case in json.loads(FILE.with_suffix(".json").read_text())["cases"] if case["case"].startswith("loop_L")
]


@pytest.mark.parametrize("case", PLANS, ids=[case["case"] for case in PLANS])
def test_plan_matches_the_public_script(case):
    arrays = numpy.load(FILE.with_suffix(".npz"))
    sizes = case["hyperparameters"]
    phases = ("loop",) if sizes["looping_active"] else ()
    keys = ("num_layers", "num_loops", "loop_start", "loop_end")
    # The scripts' loop of no extra pass is the plain plan, which is a plugin of its own.
    made = (
        built("layer_loop", **{key: sizes[key] for key in keys}) if sizes["num_loops"] else plain(sizes["num_layers"])
    )
    encoder, decoder = made.program.layer_plan(phases)
    want = {key: arrays[f"{case['case']}.out.{key}"].tolist() for key in ("encoder", "decoder", "skip_pairs")}
    assert [list(encoder), list(decoder)] == [want["encoder"], want["decoder"]]
    pairs = [[index, len(encoder) - 1 - index] for index in range(min(len(encoder), len(decoder)))]
    assert pairs == want["skip_pairs"]
    assert made.model.skip_weights.shape[0] == arrays[f"{case['case']}.out.num_skip_weights"].item()


MORE = [
    case for case in json.loads(FILE.with_suffix(".json").read_text())["cases"] if case["case"].startswith("evalloops")
]


@pytest.mark.parametrize("case", MORE, ids=[case["case"] for case in MORE])
def test_the_plan_of_another_number_of_loops_matches_the_fork(case):
    """Rows of skips are those of training."""
    arrays = numpy.load(FILE.with_suffix(".npz"))
    keys = ("num_layers", "num_loops", "loop_start", "loop_end", "eval_num_loops")
    made = built("layer_loop", **{key: case["hyperparameters"][key] for key in keys})
    want = {key: arrays[f"{case['case']}.out.{key}"].tolist() for key in ("encoder", "decoder", "num_skip_allocated")}
    assert [*map(list, made.program.layer_plan(("loop", "eval_loop")))] == [want["encoder"], want["decoder"]]
    assert made.model.skip_weights.shape[0] == made.program.skip_rows == want["num_skip_allocated"]
    assert made.program.phases_after_training == ("eval_loop",)


def test_later_decoder_steps_of_more_loops_have_no_skip():
    """The rows that were trained belong to the first decoder steps."""
    more = built("layer_loop", num_loops=1, loop_start=1, loop_end=2, eval_num_loops=2)
    trained = built("layer_loop", num_loops=2, loop_start=1, loop_end=2)
    rows = scramble(more.model).skip_weights
    padded = torch.cat((rows, torch.zeros(trained.model.skip_weights.shape[0] - len(rows), rows.shape[1])))
    trained.model.load_state_dict({**more.model.state_dict(), "skip_weights": padded})
    ids, targets = tokens()
    found = more.model(ids, targets, phases=("loop", "eval_loop"))
    assert len(padded) > len(rows) and torch.equal(found, trained.model(ids, targets, phases=("loop",)))
    assert not torch.equal(found, more.model(ids, targets, phases=("loop",)))


@pytest.mark.parametrize("loops", [0, 1])
def test_fewer_or_as_many_loops_need_no_limit(loops):
    made = built("layer_loop", num_loops=1, loop_start=1, loop_end=2, eval_num_loops=loops)
    ids, targets = tokens()
    same = ("loop",) if loops else ()
    assert made.program.skip_rows is None
    scramble(made.model)
    assert torch.equal(made.model(ids, targets, phases=("loop", "eval_loop")), made.model(ids, targets, phases=same))


@pytest.mark.ci
def test_a_run_is_trained_with_its_loops_and_scored_with_others(tmp_path, micro_data):
    """The artifact alone has the same score."""
    sizes = {"num_layers": 4, "loop_start": 1, "loop_end": 2, "num_loops": 1}
    path = tmp_path / "entry.py"
    path.write_text(micro("layer_loop", eval_num_loops=2, **sizes).entry)
    run = run_program(path, tmp_path / "run", micro_data)
    again = run_program(path, tmp_path / "run", micro_data, "score")
    assert run.status == again.status == 0, run.output + again.output
    begun = [line.split()[1] for line in run.lines if line.startswith("phase ")]
    assert begun == ["loop", "eval_loop"]
    warm = {line.partition("/")[2].partition(" ")[2] for line in run.lines if line.startswith("warmup_step")}
    assert warm == {"", "loop"}
    scores = [[line for line in lines if "_exact" in line][-1] for lines in (run.lines, again.lines)]
    assert scores[0] == scores[1]


def plain(num_layers):
    return built(num_layers=num_layers)


def test_the_loop_is_off_before_its_phase():
    looped, once = built("layer_loop", num_loops=1, loop_start=1, loop_end=2), built()
    scramble(looped.model)
    state = looped.model.state_dict()
    once.model.load_state_dict({**state, "skip_weights": state["skip_weights"][:2]})
    ids, targets = tokens()
    assert torch.equal(looped.model(ids, targets), once.model(ids, targets))
    assert not torch.equal(looped.model(ids, targets, phases=("loop",)), once.model(ids, targets))


def test_the_receipt_says_how_many_steps_went_over_how_many_layers():
    made, ledger = built("layer_loop", num_loops=2, loop_start=1, loop_end=2), Ledger()
    made.model(*tokens(), phases=("loop",), ledger=ledger)
    assert ledger.receipt("layer_loop") == "8 steps over 4 layers"


def test_passes_share_weights_and_add_their_gradients():
    made = built("layer_loop", num_loops=1, loop_start=1, loop_end=1)
    scramble(made.model)
    ids, targets = tokens()
    seen = []
    made.model(ids, targets, phases=("loop",), observe=lambda role, layer, x: seen.append((role, layer))).backward()
    assert seen.count(("attn.c_q", 1)) == 2 and seen.count(("attn.c_q", 2)) == 1


def test_the_loop_begins_at_its_share_of_the_budget():
    made = built("layer_loop", num_loops=1, loop_start=1, loop_end=1, enable_looping_at=0.35)
    (spec,) = made.program.phases
    from pgolf.runtime.progress import measure_progress

    assert not spec.start(measure_progress(34, 100, 0.0, 0.0)) and spec.start(measure_progress(35, 100, 0.0, 0.0))
    assert spec.start(measure_progress(1, 100, 210_000.0, 600_000.0)) and spec.scoring
