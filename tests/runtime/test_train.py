"""Whole runs of live programs: warm-up, phases, clocks, receipts, bad data, scoring, ranks, optional slots."""

import re
import shutil
from pathlib import Path

import pytest
from equality import run_recorded
from micro import MICRO, micro, run_program
from models import VECTORS

from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import resolve

SAMPLES = VECTORS.parent / "sample_plugins"


def write(tmp_path, made, name="entry.py"):
    path = tmp_path / name
    path.write_text(made.entry)
    return path


def line(run, start):
    """The one log line that begins so."""
    (found,) = [text for text in run.lines if text.startswith(start)]
    return found


@pytest.mark.ci
def test_warm_up_leaves_no_trace(tmp_path, micro_data):
    """Weights, optimizer state, averages, phases and the data stream are as if there had been none."""
    names = ("banks", "bank_qat", "layer_loop", "ema", "normuon")
    found = []
    for steps in (0, 3):
        made = write(tmp_path, micro(*names, warmup_steps=steps), f"entry{steps}.py")
        found.append(run_recorded(made, tmp_path / str(steps), micro_data))
    assert found[0]["state"] == found[1]["state"] and found[0]["artifact"] == found[1]["artifact"]
    assert len(found[1]["losses"]) == len(found[0]["losses"]) + 4 * 3 * 8, "every variant was warmed up"


def test_same_seed_same_run_other_seed_other_run(tmp_path, micro_data):
    made = write(tmp_path, micro("swa"))
    first, again, other = (run_recorded(made, tmp_path / str(n), micro_data, seed) for n, seed in enumerate((1, 1, 2)))
    assert first == again and first["losses"] != other["losses"]


def test_a_folder_that_cannot_hold_a_log_is_one_line(tmp_path, micro_data):
    made = write(tmp_path, micro())
    (tmp_path / "run").mkdir()
    (tmp_path / "run/logs").touch()
    run = run_program(made, tmp_path / "run", micro_data)
    assert run.status == 2 and "Traceback" not in run.output
    assert [text for text in run.output.splitlines() if text.startswith("error: ")] == [
        "error: [Errno 17] File exists: 'logs'"
    ]


def test_the_wall_clock_budget_stops_the_run(tmp_path, micro_data):
    made = write(tmp_path, micro("step_clock", iterations=50, step_clock_ms=100))
    run = run_program(made, tmp_path / "run", micro_data, MAX_WALLCLOCK_SECONDS="0.5")
    assert run.status == 0, run.output
    assert line(run, "stopping_early") == "stopping_early: wallclock_cap train_time:500ms step:5/50"
    assert line(run, "step:5/50 val_loss")


def test_real_time_is_counted_and_stops_the_run(tmp_path, micro_data):
    made = write(tmp_path, micro(iterations=100000, train_log_every=0))
    run = run_program(made, tmp_path / "run", micro_data, MAX_WALLCLOCK_SECONDS="1")
    assert run.status == 0, run.output
    stop = re.fullmatch(r"stopping_early: wallclock_cap train_time:(\d+)ms step:(\d+)/100000", line(run, "stopping"))
    assert 1000 <= int(stop[1]) < 3000 and int(stop[2]) > 1


def test_a_plugin_that_did_nothing_fails_the_run_but_loses_no_result(tmp_path, micro_data):
    made = write(tmp_path, micro("bank_qat", late_qat_threshold=0.0))
    run = run_program(made, tmp_path / "run", micro_data)
    assert run.status == 1
    assert line(run, "error:") == "error: plugin bank_qat did nothing"
    assert not any(text.startswith("receipt bank_qat") for text in run.lines)
    assert (run.folder / "final_model.int6.ptz").exists() and (run.folder / "final_model.pt").exists()


@pytest.mark.parametrize(
    ("names", "settings"),
    [
        # No class is left, and the classes that are left have no tensor.
        (("row_max",), {"row_max_bits": "attn:6,mlp:5,aux:6,embed:6,head:6"}),
        (("row_max", "fp16_keep"), {}),
    ],
)
def test_a_plugin_that_nobody_asked_for_need_not_act(names, settings, tmp_path, micro_data):
    """int8 has what others leave."""
    everything = {"row_max_controls": True, "row_max_kept": 64, **settings}
    run = run_program(write(tmp_path, micro(*names, **everything)), tmp_path / "run", micro_data)
    assert run.status == 0, run.output
    assert line(run, "receipt int8:") == "receipt int8: nothing was left"


def test_an_evaluation_that_finds_nothing_says_so_when_an_artifact_is_scored_alone(tmp_path, micro_data):
    """Receipts are of what scoring did; what training did is not asked for again."""
    made = write(tmp_path, micro("ngram_tilt", ngram_min_order=4))
    folder = tmp_path / "run"
    done = run_program(made, folder, micro_data)
    assert done.status == 0 and line(done, "receipt ngram_tilt: ")
    scored = run_program(made, folder, micro_data, "score", RUN_ID="again")
    found = [text for text in scored.output.splitlines() if text.startswith("receipt ")]
    assert scored.status == 0 and line(done, "receipt ngram_tilt: ") in found
    assert not [text for text in found if text.startswith("receipt muon")]
    # Orders that this text does not repeat: the artifact is that of the run before.
    blind = write(tmp_path, micro("ngram_tilt", ngram_min_order=16, ngram_max_order=16), "blind.py")
    scored = run_program(blind, folder, micro_data, "score", RUN_ID="blind")
    assert scored.status == 1 and "error: plugin ngram_tilt did nothing" in scored.output
    assert any("_exact " in text for text in scored.output.splitlines())


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda data: data.joinpath("fineweb_val_000000.bin").unlink(), "no shard matches"),
        (
            lambda data: data.joinpath("fineweb_train_000000.bin").write_bytes(b"x" * 4000),
            "wanted 1024 + 2n bytes and header",
        ),
        (lambda data: data.joinpath("tok.model").write_bytes(b"no tokenizer"), "tok.model"),
    ],
)
def test_bad_data_is_one_line_before_any_training(damage, complaint, tmp_path, micro_data):
    data = tmp_path / "data"
    shutil.copytree(micro_data.data_path, data)
    damage(data)
    made = write(tmp_path, micro())
    run = run_program(made, tmp_path / "run", micro_data, DATA_PATH=str(data), TOKENIZER_PATH=str(data / "tok.model"))
    assert run.status == 2 and complaint in line(run, "error:") and "Traceback" not in run.output


def test_the_artifact_scores_alike_without_training_data(tmp_path, micro_data):
    made = write(tmp_path, micro("swa", "bank_qat", "layer_loop", "sliding_eval"))
    trained = run_program(made, tmp_path / "train", micro_data)
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(trained.folder / "final_model.int6.ptz", alone)
    data = tmp_path / "val"
    data.mkdir()
    shutil.copy(micro_data.data_path / "fineweb_val_000000.bin", data)
    scored = run_program(made, alone, micro_data, "score", DATA_PATH=str(data))
    exact = [text for text in trained.lines if "_exact " in text]
    assert scored.status == 0 and len(exact) == 2
    assert [text for text in scored.lines if "_exact " in text] == exact


@pytest.mark.parametrize("spoil", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: data[::-1]])
def test_a_damaged_artifact_is_refused(spoil, tmp_path, micro_data):
    made = write(tmp_path, micro())
    folder = tmp_path / "run"
    folder.mkdir()
    done = run_program(made, folder, micro_data)
    artifact = folder / "final_model.int8.ptz"
    artifact.write_bytes(spoil(artifact.read_bytes()))
    scored = run_program(made, folder, micro_data, "score")
    assert done.status == 0 and scored.status == 2 and "error: the artifact cannot be read" in scored.output


@pytest.mark.parametrize("names", [(), ("banks", "swa", "pko")])
def test_two_ranks_train_like_one(names, tmp_path, micro_data):
    made = write(tmp_path, micro(*names))
    one = run_program(made, tmp_path / "one", micro_data)
    two = run_program(made, tmp_path / "two", micro_data, ranks=2)
    assert one.status == 0 and two.status == 0, two.output
    assert line(two, "world_size") == "world_size:2 grad_accum_steps:4"
    losses = [
        [float(value) for value in re.findall(r"val_loss:(\d+\.\d{8})", "\n".join(run.lines))] for run in (one, two)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=2e-3) and losses[0]
    counted = [line(run, "receipt chunked_eval") for run in (one, two)]
    assert counted[0] == counted[1], "every target once, whatever the number of ranks"


@pytest.mark.slow
def test_eight_ranks_train_like_one(tmp_path, micro_data):
    made = write(tmp_path, micro("banks", "ema"))
    one = run_program(made, tmp_path / "one", micro_data)
    eight = run_program(made, tmp_path / "eight", micro_data, ranks=8)
    assert one.status == 0 and eight.status == 0, eight.output
    losses = [float(line(run, "final_int8_zlib_roundtrip_exact").split("val_loss:")[1][:8]) for run in (one, eight)]
    assert losses[0] == pytest.approx(losses[1], rel=5e-3)


PUBLIC_LINES = [
    r"^Running Python (\S+)",
    r"^Running PyTorch (\S+)",
    r"^world_size:(?P<ws>\d+) grad_accum_steps:(\d+)",
    r"^seed:(?P<seed>\d+)$",
    r"^train_batch_tokens:\d+ train_seq_len:(\d+) iterations:(\d+) warmup_steps:\d+ max_wallclock_seconds:(?P<wall>[\d.]+)",
    r"^val_loader:shards pattern=\S+ tokens:(?P<n>\d+)",
    r"^model_params:(?P<n>\d+)",
    r"^step:(?P<step>\d+)/(?P<of>\d+) train_loss:(?P<l>[\d.]+) train_time:(?P<ms>\d+)ms step_avg:(?P<avg>[\d.]+)ms",
    r"^step:(?P<step>\d+)/(?P<of>\d+) val_loss:(?P<l>[\d.]+) val_bpb:(?P<b>[\d.]+) train_time:(?P<ms>\d+)ms step_avg:",
    r"^stopping_early: wallclock_cap train_time:(?P<ms>\d+)ms step:(?P<step>\d+)/(?P<of>\d+)",
    r"^peak memory allocated: (?P<a>\d+) MiB reserved: (?P<r>\d+) MiB",
    r"^Serialized model: (?P<n>\d+) bytes",
    r"^Serialized model (?P<fmt>\S+): (?P<n>\d+) bytes",
    r"^Code size: (?P<n>\d+) bytes",
    r"^Total submission size (?P<fmt>\S+): (?P<n>\d+) bytes",
    r"^final_int\w+_roundtrip val_loss:(?P<l>[\d.]+) val_bpb:(?P<b>\d\.\d{4}) eval_time:(?P<ms>\d+)ms",
    r"^final_int\w+_roundtrip_exact val_loss:(?P<l>\d\.\d{8}) val_bpb:(?P<b>\d\.\d{8})$",
    r"^final_(?:int6_)?sliding_window(?:_eval)? (?:stride:\d+ )?val_loss:(?P<l>[\d.]+) val_bpb:(?P<b>\d\.\d{4})\b",
    r"^final_(?:int6_)?sliding_window(?:_eval)?_exact (?:stride:\d+ )?val_loss:(?P<l>[\d.]+) val_bpb:(?P<b>[\d.]+)$",
]


def test_log_lines_are_those_that_public_parsers_read(tmp_path, micro_data):
    made = write(tmp_path, micro("int6", "sliding_eval", "step_clock", iterations=9))
    run = run_program(made, tmp_path / "run", micro_data, MAX_WALLCLOCK_SECONDS="0.4")
    assert run.status == 0, run.output
    unread = [pattern for pattern in PUBLIC_LINES if not any(re.search(pattern, text) for text in run.lines)]
    assert unread == []


@pytest.mark.parametrize(
    ("name", "receipt"),
    [
        ("every_second_token", r"receipt every_second_token: 25 tensors with statistics, \d+ bytes packed"),
        ("cool_evaluation", r"receipt cool_evaluation: 1 transforms, \d+ updates, \d+ targets"),
        ("coarse_inputs", r"receipt coarse_inputs: 24 inputs"),
        ("square_penalty", r"receipt square_penalty: 1 penalties"),
    ],
)
def test_optional_slots_take_part(name, receipt, tmp_path, micro_data):
    registry = load_registry([SAMPLES])
    settings = {**MICRO, "num_heads": 4, "num_kv_heads": 2}
    made = resolve(Recipe("test", layers=((name,),), settings=settings), registry)
    run = run_program(write(tmp_path, made), tmp_path / "run", micro_data, PYTHONPATH=str(SAMPLES))
    assert run.status == 0, run.output
    assert re.fullmatch(receipt, line(run, f"receipt {name}"))
    if name == "cool_evaluation":
        plain, adapted = (float(text.split("val_loss:")[1].split()[0]) for text in run.lines if "_exact" in text)
        assert plain != adapted, "the second batch is scored with what the first one taught"


def test_a_world_that_does_not_divide_eight_is_refused(tmp_path, micro_data):
    made = write(tmp_path, micro())
    run = run_program(made, tmp_path / "run", micro_data, WORLD_SIZE="3")
    assert run.status == 2 and "Traceback" not in run.output
    assert "error: WORLD_SIZE is 3, wanted a divisor of 8" in run.output


def test_no_log_line_is_lost_when_the_run_dies(tmp_path, micro_data):
    made = write(tmp_path, micro(iterations=100000))
    run = run_program(made, tmp_path / "run", micro_data, ITERATIONS="nonsense")
    assert run.status != 0
    assert not Path(run.folder / "final_model.pt").exists()
