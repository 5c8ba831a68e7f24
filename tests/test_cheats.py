"""Known ways to cheat and their honest twins: every cheat is flagged by the check that is for it, no twin is.

`cheats/NAME.cheat.py` and `NAME.twin.py` are scripts as somebody would ship them, told apart as text; the tables below have
the logs and claims of others. What only shows while a program runs is not here.
"""

import re
from pathlib import Path

import pytest
from foreign import TOKENS, baseline_log, foreign_folder, loss_of

from pgolf.manager import Registry
from pgolf.verify.report import verify_folder

CHEATS = Path(__file__).parent / "cheats"
FLAGGED = ("FAIL", "WARN")
SCRIPTS = {
    "target_in_the_hash_key": "rule.normal",
    "the_better_of_two_scorers": "rule.hindsight",
    "the_least_over_epochs": "rule.hindsight",
    "the_score_of_the_last_epoch": "rule.scorefirst",
    "training_before_scoring": "rule.scorefirst",
    "adapting_before_quantization": "rule.scorefirst",
    "two_passes": "rule.onepass",
    "slot_on_scored_positions": "rule.causal",
    "calibration_on_validation": "rule.calibval",
    "validation_text_in_the_code": "rule.prefix",
    "weights_in_the_code": "rule.compute",
    "bytes_per_token_by_hand": "rule.bytelut",
    "a_space_for_every_piece": "rule.bytelut",
    "a_mangled_word_mark": "rule.bytelut",
    "a_flag_that_stops_the_clock": "rule.clock",
    "weights_over_the_network": "code.network",
    "a_package_installed_at_run_time": "code.programs",
    "a_program_outside_the_folder": "code.unpack",
    "training_on_what_is_scored": "rule.disjoint",
}
SCORES = {1: 1.0801, 2: 1.0803, 3: 1.0805}


def logs(**more):
    """Three seeds, with the same change in each."""
    return {f"train_seed{seed}.log": baseline_log(seed, bpb, **more) for seed, bpb in SCORES.items()}


def stages(*lines):
    """Logs with stage lines, as built programs write them."""
    train, quantize = (
        "stage:train begin:0ms end:590000ms data:train",
        "stage:quantize begin:597000ms end:601000ms data:none",
    )
    return logs(stop=590_000, calibration=(train, *lines, quantize))


def edited(pattern, text):
    """Logs in which something was changed by hand."""
    return {name: re.sub(pattern, text, log) for name, log in logs().items()}


ONE = baseline_log(1, 1.0801)
CALIBRATION = "stage:calibration begin:{}ms end:{}ms data:train batches:16"
# name -> (check, the cheat's logs and claim, the twin's).
LOGGED = {
    "one run as three seeds": (
        "seed.distinct",
        ({f"train_seed{seed}.log": ONE for seed in SCORES}, {"val_bpb": 1.0801}),
        (logs(), {}),
    ),
    "one run as three seeds, with other seed lines": (
        "seed.distinct",
        ({f"train_seed{seed}.log": ONE.replace("seed:1\n", f"seed:{seed}\n") for seed in SCORES}, {"val_bpb": 1.0801}),
        (logs(), {}),
    ),
    "a part of the validation text": ("val.full", (logs(tokens=TOKENS // 2), {}), (logs(), {})),
    "more bytes than the text has": ("val.bytes", (logs(loss=loss_of(1.0803) * 1.06), {}), (logs(), {})),
    "training that goes on": ("time.train", (logs(stop=640_000), {}), (logs(stop=600_400), {})),
    "evaluation that goes on": ("time.eval", (logs(evaluation=700_000), {}), (logs(evaluation=599_000), {})),
    "the best seed for the mean": ("claim.mean", (logs(), {"val_bpb": 1.0801}), (logs(), {"val_bpb": 1.0803})),
    "a score of no log": ("claim.logged", (logs(), {"val_bpb": 1.05}), (logs(), {"val_bpb": 1.0803})),
    "a score from before quantization": (
        "claim.logged",
        (logs(), {"val_bpb": round(1.0803 + 0.02 / loss_of(1.0803) * 1.0803, 4)}),
        (logs(), {}),
    ),
    "MiB for MB": ("size.logged", (logs(model=16_500_000), {}), (logs(model=15_990_000), {})),
    "a smaller file in the claim": ("size.claim", (logs(), {"bytes_total": 14_000_000}), (logs(), {})),
    "a final line that was edited": (
        "val.identity",
        (edited(r"(final_\S+_exact val_loss:\S+) val_bpb:\S+", r"\1 val_bpb:1.04000000"), {}),
        (logs(), {}),
    ),
    "calibration after the clock": (
        "rule.calibtrain",
        (stages(CALIBRATION.format(590_000, 640_000)), {}),
        (stages(CALIBRATION.format(590_000, 597_000)), {}),
    ),
    "training shards after the evaluation began": (
        "rule.calibtrain",
        (stages("stage:adapt begin:590000ms end:592000ms data:val", CALIBRATION.format(592_000, 597_000)), {}),
        (stages(CALIBRATION.format(590_000, 595_000), "stage:adapt begin:595000ms end:597000ms data:val"), {}),
    ),
    "two seeds and an ablation": (
        "seed.count",
        (logs(), {"val_bpb": 1.0802, "seed_results": {"1": {"val_bpb": 1.0801}, "2": {"val_bpb": 1.0803}}}),
        (logs(), {"seed_results": {str(seed): {"val_bpb": bpb} for seed, bpb in SCORES.items()}}),
    ),
    "a seed that ended in no number": (
        "seed.count",
        (
            {
                **logs(),
                "train_seed3.log": re.sub(
                    r"(final_\S+) val_loss:\S+ val_bpb:\S+", r"\1 val_loss:nan val_bpb:nan", logs()["train_seed3.log"]
                ),
            },
            {"val_bpb": 1.0802},
        ),
        (logs(), {}),
    ),
}


def judge(folder):
    """id -> record."""
    return {record["id"]: record for record in verify_folder(folder, Registry)["checks"]}


def script_folder(tmp_path, name, kind):
    return foreign_folder(
        tmp_path / kind, script=(CHEATS / f"{name}.{kind}.py").read_bytes(), files={"body.py": "print(1)\n"}
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts(tmp_path, name):
    check = SCRIPTS[name]
    cheat, twin = judge(script_folder(tmp_path, name, "cheat")), judge(script_folder(tmp_path, name, "twin"))
    assert cheat[check]["status"] in FLAGGED and re.search(r"train_gpt.py|line \d", str(cheat[check])), cheat[check]
    flagged = {key: row["message"] for key, row in twin.items() if key.startswith("rule.") and row["status"] in FLAGGED}
    assert twin[check]["status"] not in FLAGGED and flagged == {}, (twin[check], flagged)


def test_every_script_has_a_twin_and_a_check():
    names = {
        path.name.removesuffix(f".{kind}.py") for kind in ("cheat", "twin") for path in CHEATS.glob(f"*.{kind}.py")
    }
    assert names == {*SCRIPTS} and len([*CHEATS.glob("*.py")]) == 2 * len(SCRIPTS)


@pytest.mark.parametrize("name", LOGGED)
def test_logs_and_claims(tmp_path, name):
    check, cheat, twin = LOGGED[name]
    found = judge(foreign_folder(tmp_path / "cheat", *cheat))[check]
    honest = judge(foreign_folder(tmp_path / "twin", *twin))
    assert found["status"] in FLAGGED, found
    assert honest[check]["status"] not in FLAGGED, honest[check]
    assert [row["id"] for row in honest.values() if row["status"] == "FAIL"] == []
