"""Folders that pgolf did not build: for every check one that fails it and one that nearly does."""

import re

import pytest
from folders import outcome
from foreign import SCRIPT, baseline_log, compact_log, foreign_folder, loss_of, table_log

from pgolf.verify.report import verify_folder

CODE = len(SCRIPT)
SEED_LOG = "train_seed{}.log"


def named(**logs):
    """train_seed1.log -> text from s1=text."""
    return {SEED_LOG.format(name[1:]): text for name, text in logs.items()}


def three(**changes):
    """Three logs of three seeds; `s2={...}` changes one of them."""
    made = {}
    for seed in (1, 2, 3):
        made[SEED_LOG.format(seed)] = baseline_log(
            **{"seed": seed, "bpb": 1.08 + seed / 10_000, **changes.get(f"s{seed}", {})}
        )
    return made


def judge(tmp_path, check, logs=None, claim=None, **more):
    return outcome(
        foreign_folder(tmp_path, logs if logs is not None else three(), {"val_bpb": 1.0802, **(claim or {})}, **more),
        check,
    )


def test_a_sound_folder_has_no_failure_and_is_not_held_to_what_pgolf_writes(tmp_path):
    report = verify_folder(foreign_folder(tmp_path, three(), {"val_bpb": 1.0802}), dict)
    statuses = {record["id"]: record["status"] for record in report["checks"]}
    assert report["verdict"] == "pass"
    assert all(status == "SKIP" for name, status in statuses.items() if name.startswith(("lock.", "run.")))
    assert statuses["log.receipts"] == statuses["log.code"] == "SKIP"
    for name in (
        "claim.logged",
        "claim.mean",
        "seed.count",
        "seed.distinct",
        "time.train",
        "hw.gpu",
        "val.bytes",
        "val.full",
    ):
        assert statuses[name] == "PASS", name


@pytest.mark.parametrize("family", [baseline_log, table_log, compact_log])
def test_each_family_of_logs(tmp_path, family):
    logs = {SEED_LOG.format(seed): family(seed, 1.08 + seed / 10_000) for seed in (1, 2, 3)}
    statuses = {name: judge(tmp_path, name, logs).status for name in ("claim.logged", "size.logged", "seed.count")}
    assert set(statuses.values()) == {"PASS"}


# (check, status, logs of three(), claim)
CASES = [
    ("claim.logged", "FAIL", {}, {"val_bpb": 1.075}),
    ("claim.logged", "PASS", {}, {"val_bpb": 1.08028}),  # within 1e-4
    ("claim.logged", "PASS", {}, {"val_bpb": 1.0801}),  # one run
    ("claim.logged", "PASS", {}, {"val_bpb": 1.08}),  # half a unit of two digits is more than 1e-4
    ("claim.logged", "WARN", {}, {"val_bpb": round((loss_of(1.0801) + 0.01) / loss_of(1.0801) * 1.0801, 4)}),
    ("claim.mean", "WARN", {"s1": {"bpb": 1.07}}, {"val_bpb": 1.07}),
    ("claim.mean", "PASS", {"s1": {"bpb": 1.07}}, {"val_bpb": 1.0768}),
    ("claim.line", "WARN", {"s1": {"after": ["final_x val_loss:5 val_bpb:1.9"]}}, {"val_bpb": 1.0802}),
    ("claim.line", "PASS", {"s1": {"after": ["ttt_chunk val_loss:5 val_bpb:1.9"]}}, {"val_bpb": 1.0802}),
    ("claim.seed", "FAIL", {}, {"seed_results": {"1": {"val_bpb": 1.0795}}}),
    ("claim.seed", "PASS", {}, {"seed_results": {"1": {"val_bpb": 1.08015}}}),
    ("claim.seed", "SKIP", {}, {"seed_results": {"9": {"val_bpb": 1.0}, "note": 3}}),
    ("claim.std", "WARN", {}, {"val_bpb_std": 0.000082}),  # the population's
    ("claim.std", "PASS", {}, {"val_bpb_std": 0.000101}),
    ("claim.loss", "WARN", {}, {"val_loss": 1.0802}),
    ("claim.loss", "PASS", {}, {"val_loss": round(loss_of(1.0801) + 0.0009, 4)}),
    ("size.claim", "WARN", {}, {"bytes_total": 15_000_000}),
    ("size.claim", "PASS", {}, {"bytes_total": 15_000_000 + CODE}),
    ("size.seed", "WARN", {}, {"seed_results": {"2": {"artifact_bytes": 15_000_001 + CODE}}}),
    ("size.seed", "PASS", {}, {"seed_results": {"2": {"artifact_bytes": 15_000_000 + CODE}}}),
    ("size.logged", "FAIL", {"s3": {"model": 16_000_001 - CODE}}, {}),
    ("size.logged", "PASS", {"s3": {"model": 16_000_000 - CODE}}, {}),
    ("size.shipped", "WARN", {"s3": {"model": 15_999_999 - 10, "code": 11}}, {}),
    ("size.shipped", "PASS", {"s3": {"model": 16_000_000 - CODE, "code": CODE}}, {}),
    ("code.match", "WARN", {"s1": {"code": CODE + 1}}, {}),
    ("code.match", "PASS", {}, {}),
    ("code.same", "WARN", {"s1": {"code": CODE + 1}}, {}),
    ("code.same", "PASS", {}, {}),
    ("time.train", "FAIL", {"s1": {"stop": 600_557}}, {}),
    ("time.train", "PASS", {"s1": {"stop": 600_500}}, {}),
    ("time.eval", "FAIL", {"s1": {"evaluation": 602_100}}, {}),
    ("time.eval", "PASS", {"s1": {"evaluation": 600_500}}, {}),
    ("hw.gpu", "WARN", {"s1": {"ranks": 4}}, {}),
    ("hw.gpu", "SKIP", {f"s{n}": {"gpu": False} for n in (1, 2, 3)}, {}),
    ("seed.distinct", "FAIL", {"s1": {"seed": 2}}, {}),
    ("seed.distinct", "WARN", {"s1": {"first": 6.5}, "s2": {"first": 6.5}}, {}),
    ("seed.distinct", "PASS", {"s1": {"first": 6.5001}, "s2": {"first": 6.5}}, {}),
    ("seed.label", "WARN", {"s1": {"seed": 1337}}, {}),
    ("seed.label", "PASS", {}, {}),
    ("seed.count", "WARN", {"s1": {"seed": 2}}, {}),
    ("val.bytes", "FAIL", {f"s{n}": {"tokens": 40_700_000} for n in (1, 2, 3)}, {}),
    ("val.bytes", "PASS", {f"s{n}": {"tokens": 40_640_000} for n in (1, 2, 3)}, {}),
    ("val.full", "FAIL", {f"s{n}": {"tokens": 36_000_000} for n in (1, 2, 3)}, {}),
    ("val.full", "SKIP", {f"s{n}": {"tokens": 38_000_000} for n in (1, 2, 3)}, {}),
    ("stat.p", "WARN", {}, {}),
    ("pkg.fields", "FAIL", {}, {"val_bpb": None}),
    ("pkg.fields", "WARN", {}, {"val_bpb": "1.0802"}),
    ("pkg.fields", "WARN", {}, {"val_bpb": None, "mean_val_bpb": 1.0802}),
    ("pkg.fields", "WARN", {}, {"author": ""}),
    ("pkg.fields", "WARN", {}, {"val_bpb": {"mean": 1.0802}}),
    ("pkg.fields", "WARN", {}, {"val_bpb": None, "results": {"val_bpb": 1.0802}}),
    ("pkg.fields", "WARN", {}, {"val_bpb": None, "final_ttt_bpb": 1.0802}),
    ("pkg.fields", "FAIL", {}, {"val_bpb": None, "delta_vs_baseline_bpb": 0.01, "seeds": {"1": {"val_bpb": 1.08}}}),
    ("pkg.fields", "PASS", {}, {"github_id": 12345}),
    ("claim.logged", "WARN", {}, {"val_bpb": None, "final_ttt_bpb": 1.07}),  # it may mean another number
    ("pkg.fields", "PASS", {}, {"bytes_total": None}),
]


@pytest.mark.parametrize(("check", "status", "logs", "claim"), CASES)
def test_violations_and_near_misses(tmp_path, check, status, logs, claim):
    found = judge(tmp_path, check, three(**logs), claim)
    assert found.status == status, found.message
    assert status != "FAIL" or found.evidence


def test_better_scores_than_the_first_row(tmp_path):
    logs = {SEED_LOG.format(seed): baseline_log(seed, 1.05 + seed / 10_000) for seed in (1, 2, 3)}
    found = judge(tmp_path, "stat.p", logs, {"val_bpb": 1.0502})
    assert found.status == "PASS" and "a record by the written rule" in found.message


CALIBRATES = ["gptq:calibrating with training data...", "gptq:calibrated 68 layers in 4.3s"]


@pytest.mark.parametrize(
    ("stop", "lines", "status"),
    [
        (600_014, CALIBRATES, "FAIL"),
        (600_014, ["gptq:reserving 4s, effective=596000ms", *CALIBRATES], "WARN"),
        (599_800, CALIBRATES, "WARN"),
        (596_100, CALIBRATES, "PASS"),
        (
            600_014,
            ["gptq:generating autoregressive calibration data (64 seqs)", "gptq:generated 64 sequences in 90.0s"],
            "PASS",
        ),
        (600_014, ["gptq:loop-aware calibrated 64 layers in 11.6s"], "SKIP"),
    ],
)
def test_calibration(tmp_path, stop, lines, status):
    logs = three(**{f"s{seed}": {"stop": stop, "calibration": lines} for seed in (1, 2, 3)})
    assert judge(tmp_path, "time.calib", logs).status == status


def stages(end, data="train", late="none"):
    """Stage lines of a run that trained for 588 s and calibrated until `end`, in seconds."""
    times = (("train", 0, 588, "train"), ("calibration", 588, end, f"{data} batches:128"), ("quantize", end, 640, late))
    return [f"stage:{name} begin:{a * 1000:.0f}ms end:{b * 1000:.0f}ms data:{what}" for name, a, b, what in times]


@pytest.mark.parametrize(
    ("lines", "collected", "read"),
    [
        (stages(591.0), "PASS", "PASS"),
        (stages(600.4), "PASS", "PASS"),
        (stages(600.6), "FAIL", "FAIL"),
        (stages(700.0, data="none"), "PASS", "PASS"),
        (stages(591.0, late="train"), "PASS", "FAIL"),
        (stages(591.0)[:1] + stages(591.0)[2:], "PASS", "PASS"),
        (stages(591.0)[1:], "PASS", "SKIP"),
        ([], "SKIP", "SKIP"),
    ],
)
def test_stages_decide_about_training_data(tmp_path, lines, collected, read):
    logs = three(**{f"s{seed}": {"stop": 588_000, "calibration": lines} for seed in (1, 2, 3)})
    assert judge(tmp_path / "a", "time.calib", logs).status == collected
    assert judge(tmp_path / "b", "rule.calibtrain", logs).status == read


def test_one_log_without_stages_leaves_the_question_open(tmp_path):
    logs = three(s1={"stop": 588_000, "calibration": stages(591.0)})
    found = judge(tmp_path, "rule.calibtrain", logs)
    assert found.status == "SKIP" and "no stages in" in found.message


def test_limits_are_those_of_the_record_track(tmp_path):
    slow = three(s1={"stop": 4_000_000, "evaluation": 900_000, "ranks": 1})
    for check in ("time.train", "time.eval", "hw.gpu", "seed.count", "stat.p"):
        assert judge(tmp_path / "open", check, slow, track="track_non_record_16mb").status == "SKIP"
        assert judge(tmp_path / "said", check, slow, {"track": "non-record-unlimited-compute-16mb"}).status == "SKIP"


def test_a_copy_of_a_log_counts_once(tmp_path):
    logs = three()
    logs["train.log"] = logs["train_seed1.log"]
    assert judge(tmp_path, "claim.mean", logs).status == "PASS"
    assert judge(tmp_path, "seed.distinct", logs).status == "PASS"
    logs["train_seed4.log"] = logs["train_seed1.log"]
    assert "same file" in judge(tmp_path, "seed.distinct", logs).message


def test_a_log_of_another_seed_is_not_in_the_mean(tmp_path):
    logs = {**three(), "train_seed9_slow.log": baseline_log(9, 1.2)}
    for claim in ({"seeds": [1, 2, 3]}, {"seed_results": {str(n): {"val_bpb": 1.08 + n / 1e4} for n in (1, 2, 3)}}):
        assert judge(tmp_path, "claim.mean", logs, claim).status == "PASS"
    assert judge(tmp_path, "claim.mean", logs).status == "WARN"  # one run has the same score as the mean of three


def test_failures_say_how_to_look_again(tmp_path):
    assert judge(tmp_path, "time.train", three(s1={"stop": 700_000})).evidence["rerun"] == "pgolf logs train_seed1.log"
    found = judge(tmp_path, "seed.distinct", three(s1={"seed": 2}))
    assert found.evidence["rerun"] == "pgolf logs train_seed1.log train_seed2.log"


def test_logs_in_folders_and_packed_ones_are_found(tmp_path):
    import gzip

    logs = three()
    moved = {
        "deep/er/seed_1.txt": logs.pop("train_seed1.log"),
        "train_seed2.log.gz": gzip.compress(logs.pop("train_seed2.log").encode()),
    }
    assert (
        judge(tmp_path, "seed.count", {**logs, **moved, "requirements.txt": "torch\n", "notes.txt": "words"}).status
        == "PASS"
    )


def test_a_folder_of_logs_that_all_stop_early(tmp_path):
    cut = {name: text.split("final_")[0] for name, text in three().items()}
    assert judge(tmp_path / "all", "log.final", cut).status == "FAIL"
    assert judge(tmp_path / "one", "log.final", {**cut, "train_seed3.log": three()["train_seed3.log"]}).status == "PASS"


def test_a_claim_of_logs_that_only_evaluate(tmp_path):
    only = {
        f"again/seed_{n}.log": f"seed:{n}\nquantized_ttt val_loss:2.7 val_bpb:1.0{n} eval_time:9ms\n" for n in (1, 2, 3)
    }
    found = judge(tmp_path, "claim.line", {**three(), **only}, {"val_bpb": 1.02})
    assert found.status == "WARN" and "only evaluate" in found.message


def test_a_script_that_executes_another_counts_both(tmp_path):
    stub = b'exec(open("inner.py").read())' + b" " * 40
    root = foreign_folder(tmp_path, three(), script=stub, files={"inner.py": b"#" * 999_000 + b"\n"})
    found = outcome(root, "size.shipped")
    assert found.evidence["executes"] == ["inner.py"] and found.evidence["code_bytes"] == len(stub) + 999_001
    assert found.status == "PASS"
    (root / "inner.py").write_bytes(b"#" * 1_000_001)
    assert outcome(root, "size.shipped").status == "WARN"


def test_files_of_other_names_stand_for_the_usual_ones(tmp_path):
    root = foreign_folder(tmp_path, three())
    (root / "train_gpt.py").rename(root / "train_mine.py")
    (root / "submission.json").rename(root / "submission_mine.json")
    assert outcome(root, "pkg.files").status == "PASS" and outcome(root, "claim.logged").status != "SKIP"
    assert outcome(root, "pkg.names").status == "WARN"
    (root / "train_mine.py").write_bytes(b"")
    assert "0 bytes" in outcome(root, "pkg.files").message


def test_a_text_that_is_no_run_is_no_log(tmp_path):
    assert "no log" in judge(tmp_path, "pkg.files", {"train.log": "it was a good run\n"}).message


def test_a_limited_evaluation_is_not_measured_by_the_tokens_that_were_loaded(tmp_path):
    logs = three(s1={"after": ["  eval: 100 batches (limited)"], "tokens": 30_000_000})
    assert judge(tmp_path, "val.bytes", logs).status == "PASS"


@pytest.mark.parametrize(
    "claim",
    [
        {
            "val_bpb": 10**400,
            "val_loss": 10**400,
            "bytes_total": 10**400,
            "seed_results": {"1": {"artifact_bytes": 10**400}},
        },
        {"seed_results": [1, {"a": 2}], "seeds": {"1": 3, "seed_2": {"val_bpb": "x"}}, "track": {"a": 1}},
        {"seeds": None, "val_bpb_std": -1.5, "val_loss": 1e308, "val_bpb": 1e-320},
        {"val_bpb": {"mean": 1}, "mean_val_bpb": [], "bpb": "1" * 10_000, "author": 3, "seed_1": {"bytes_total": True}},
    ],
)
def test_odd_claims_are_outcomes_and_no_tracebacks(tmp_path, claim):
    report = verify_folder(foreign_folder(tmp_path, three(), claim), dict)
    assert len(report["checks"]) > 40


def test_one_file_of_three_runs(tmp_path):
    one = {"train.log": "".join(three().values())}
    for check in ("claim.logged", "claim.mean", "seed.count", "size.logged"):
        assert judge(tmp_path / "good", check, one).status == "PASS", check
    assert "train.log (run 1)" in judge(tmp_path / "good", "claim.logged", one).evidence["used"]
    over = {"train.log": "".join(three(s1={"model": 16_000_001, "stop": 700_000}).values())}
    assert judge(tmp_path / "over", "size.logged", over).status == "FAIL"
    found = judge(tmp_path / "over", "time.train", over)
    assert found.status == "FAIL" and found.evidence["rerun"] == "pgolf logs train.log"


SEEDS = {"seed_results": {str(n): {"val_bpb": 1.08 + n / 1e4} for n in (1, 2, 3)}}


@pytest.mark.parametrize("other", ["ablation.log", "train_seed2_again.log", "train_seed9.log"])
def test_other_runs_beside_those_of_the_seeds(tmp_path, other):
    seed = 9 if other == "train_seed9.log" else 2
    logs = {**three(), other: baseline_log(seed, 1.2, stop=700_000, model=16_500_000, first=5.0)}
    for check in ("claim.logged", "claim.mean", "time.train", "size.logged"):
        assert judge(tmp_path, check, logs, SEEDS).status == "PASS", check
    found = judge(tmp_path, "claim.logged", logs, SEEDS)
    assert found.evidence["not_used"] == [other] and other in found.message
    assert sorted(found.evidence["used"]) == sorted(three())
    assert judge(tmp_path, "seed.count", logs, SEEDS).evidence["seeds"] == [1, 2, 3]
    p = judge(tmp_path, "stat.p", logs, SEEDS)
    assert len(p.evidence["values"] if "values" in p.evidence else three()) == 3


def test_an_ablation_is_no_third_seed(tmp_path):
    logs = {**three(), "train_seed3.log": baseline_log(3, 1.2)}
    claim = {"val_bpb": 1.0802, "seed_results": {str(seed): SEEDS["seed_results"][str(seed)] for seed in (1, 2)}}
    found = judge(tmp_path, "seed.count", logs, claim)
    assert found.status == "WARN" and found.evidence["seeds"] == [1, 2]


def test_a_seed_that_was_evaluated_again_counts_once(tmp_path):
    again = baseline_log(2, 1.0802).replace("1.08020000", "1.08020001")
    found = judge(tmp_path, "claim.logged", {**three(), "train_seed2_again.log": again})
    assert len(found.evidence["used"]) == 3


def test_a_copy_with_other_words_is_the_same_run(tmp_path):
    copy = "".join(f"[rank0]: {line}\n" for line in three()["train_seed1.log"].splitlines()) + "uploaded\n"
    assert judge(tmp_path, "seed.count", {**three(), "train.log": copy}).evidence["seeds"] == [1, 2, 3]
    assert len(judge(tmp_path, "claim.logged", {**three(), "train.log": copy}).evidence["used"]) == 3
    forged = {**three(), "train_seed3.log": three()["train_seed1.log"].replace("seed:1", "seed:3")}
    found = judge(tmp_path, "seed.distinct", forged)
    assert found.status == "FAIL" and "one run" in found.message


def test_a_seed_that_ended_in_no_number_is_said(tmp_path):
    logs = three()
    logs["train_seed3.log"] = re.sub(
        r"(final_\S+) val_loss:\S+ val_bpb:\S+", r"\1 val_loss:nan val_bpb:nan", logs["train_seed3.log"]
    )
    for check in ("log.final", "seed.count", "claim.mean"):
        found = judge(tmp_path, check, logs, {"val_bpb": 1.08015})
        assert found.status == "WARN" and "train_seed3.log" in found.message, check
    assert judge(tmp_path, "claim.logged", logs, {"val_bpb": 1.08015}).status == "PASS"


def test_seeds_that_only_names_give_count(tmp_path):
    logs = {name: text.replace(f"seed:{name[10]}\n", "") for name, text in three().items()}
    assert judge(tmp_path, "seed.count", logs).evidence["seeds"] == [1, 2, 3]


def test_a_claim_without_a_log_of_both_numbers(tmp_path):
    found = judge(tmp_path, "claim.logged", {"train.log": "step:1/2 train_loss:3 train_time:1ms\nval_bpb: 1.5\n"})
    assert found.status == "FAIL" and "unknown" not in found.message


def test_a_size_over_the_cap_that_only_the_claim_says(tmp_path):
    logs = {name: re.sub(r"Total submission size.*\n", "", text) for name, text in three().items()}
    found = judge(tmp_path / "over", "size.logged", logs, {"bytes_total": 25_055_000})
    assert found.status == "FAIL" and "25055000" in found.message
    assert judge(tmp_path / "under", "size.logged", logs, {"bytes_total": 16_000_000}).status == "SKIP"


def test_the_first_export_of_the_organisers_is_a_doubt(tmp_path):
    per_token = 2.44230
    loss = 1.22 * 0.6931471805599453 * per_token
    logs = three(**{f"s{n}": {"tokens": 63_779_840, "loss": loss, "bpb": 1.22} for n in (1, 2, 3)})
    assert judge(tmp_path / "known", "val.bytes", logs).status == "WARN"
    logs = three(**{f"s{n}": {"tokens": 63_779_840, "loss": loss * 1.01, "bpb": 1.22} for n in (1, 2, 3)})
    assert judge(tmp_path / "other", "val.bytes", logs).status == "FAIL"


def test_logs_that_are_not_read_are_said_and_not_judged(tmp_path):
    strange = "\n".join(f"Epoch {n} ~ current loss is {9 - n}" for n in range(6))
    found = judge(tmp_path / "only", "pkg.files", {"run.log": strange})
    assert found.status == "WARN" and "no format that is known" in found.message
    assert judge(tmp_path / "beside", "pkg.files", {**three(), "run.log": strange}).status == "WARN"
    utf16 = {name: text.encode("utf-16") for name, text in three().items()}
    assert judge(tmp_path / "utf16", "claim.logged", utf16).status == "PASS"


def test_a_log_that_is_cut_passes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("pgolf.verify.folder.LOG_LINES", 40)
    assert "is longer" in judge(tmp_path, "pkg.files").message
    assert len(judge(tmp_path, "claim.logged").evidence["used"]) == 1


def test_files_that_are_executed_are_not_called_uncounted(tmp_path):
    root = foreign_folder(
        tmp_path, three(), script=b'exec(open("inner.py").read())' + b" " * 40, files={"inner.py": b"import os\n"}
    )
    assert "size.shipped counts inner.py" in outcome(root, "pkg.extra").message
