"""For every check a folder that passes, one that fails, and one that nearly does."""

import json
import os

import pytest
from folders import claim, edit, fake_lock, log_text, make_folder, outcome

from pgolf.verify.report import all_checks

LOG = "logs/train_seed1337.log"


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "toy")


def rewrite(folder, **changes):
    """submission.json with other values."""
    path = folder / "submission.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_good_folder_passes_all_that_needs_no_plugins(folder):
    statuses = {item.id: outcome(folder, item.id).status for item in all_checks() if item.id != "lock.rebuild"}
    skipped = {"claim.std", "code.same", "hw.gpu", "seed.distinct", "stat.p", "pkg.form", "time.train", "time.eval"}
    skipped |= {"log.artifact", "time.calib", "run.determinism", "run.score", "val.bytes", "val.full"}
    skipped |= {"rule.boundary", "rule.calibtrain", "rule.lossless"}
    skipped |= {name for name in statuses if name.startswith(("code.", "rule.")) and statuses[name] == "SKIP"}
    warned = {"seed.count"} | {name for name in statuses if name.startswith("code.") and statuses[name] == "WARN"}
    wanted = {name: "SKIP" if name in skipped else "WARN" if name in warned else "PASS" for name in statuses}
    assert statuses == wanted


def test_every_check_has_a_rule_and_a_source():
    for item in all_checks():
        assert item.statement and item.source and item.example and item.function.__doc__, item.id
        family, _, name = item.id.partition(".")
        assert family and name


@pytest.mark.parametrize("name", ["README.md", "submission.json", "train_gpt.py"])
def test_required_files(folder, name):
    (folder / name).write_bytes(b"")
    assert outcome(folder, "pkg.files").status == "FAIL"
    (folder / name).unlink()
    assert name in outcome(folder, "pkg.files").message


def test_a_folder_without_logs(folder):
    (folder / LOG).unlink()
    assert "no log" in outcome(folder, "pkg.files").message
    assert outcome(folder, "log.final").status == "SKIP"


def test_a_log_beside_the_script_counts(folder):
    (folder / LOG).rename(folder / "train_seed1337.log")
    assert outcome(folder, "pkg.files").status == outcome(folder, "log.final").status == "PASS"


def test_links_inside_are_fine_and_links_outside_are_not(folder, tmp_path):
    (folder / "copy.md").symlink_to("README.md")
    assert outcome(folder, "pkg.links").status == "PASS"
    (tmp_path / "secret").write_text("x")
    (folder / "out.md").symlink_to(tmp_path / "secret")
    assert "out.md" in outcome(folder, "pkg.links").message


def test_a_required_file_that_leads_outside_is_not_read(folder, tmp_path):
    (tmp_path / "outside.json").write_text("{}")
    (folder / "submission.json").unlink()
    (folder / "submission.json").symlink_to(tmp_path / "outside.json")
    assert "out of the folder" in outcome(folder, "pkg.files").message
    assert outcome(folder, "pkg.json").status == "FAIL"


def test_a_pipe_does_not_hang(folder):
    (folder / "submission.json").unlink()
    os.mkfifo(folder / "submission.json")
    assert "not a regular file" in outcome(folder, "pkg.json").message
    assert outcome(folder, "pkg.links").status == "FAIL"


@pytest.mark.parametrize("code", [b"def f(:\n", b"x = '\x00'\n", b"\xff\xfe", b"(" * 5000])
def test_a_script_that_does_not_parse(folder, code):
    (folder / "train_gpt.py").write_bytes(code)
    assert outcome(folder, "pkg.entry").status == "FAIL"


def test_a_script_with_a_warning_parses(folder):
    (folder / "train_gpt.py").write_bytes(b'x = "\\d"\n')
    assert outcome(folder, "pkg.entry").status == "PASS"


@pytest.mark.parametrize(
    "text", [b"[]", b"{", b'{"a": NaN}', b'{"a": Infinity}', b"\xff{}", b"{} {}", b"[" * 100_000, b'"x"' + b" " * 2**21]
)
def test_json_that_is_none(folder, text):
    (folder / "submission.json").write_bytes(text)
    assert outcome(folder, "pkg.json").status == "FAIL"
    assert outcome(folder, "claim.logged").status == "SKIP"


@pytest.mark.parametrize(
    ("key", "value"),
    [("val_bpb", "1.25"), ("val_bpb", None), ("val_bpb", True), ("val_bpb", -1), ("bytes_total", 1.5), ("author", " ")],
)
def test_fields_of_the_wrong_kind(folder, key, value):
    rewrite(folder, **{key: value})
    assert key in outcome(folder, "pkg.fields").message


def test_a_missing_field(folder):
    document = claim((folder / "train_gpt.py").read_bytes())
    del document["github_id"]
    (folder / "submission.json").write_text(json.dumps(document))
    assert outcome(folder, "pkg.fields").message == "github_id: is missing"


def test_an_unknown_author_is_a_warning(folder):
    rewrite(folder, author="unknown")
    assert outcome(folder, "pkg.author").status == "WARN"


@pytest.mark.parametrize(
    ("value", "status"), [(1.25, "PASS"), (1.25004, "FAIL"), (1.2501, "FAIL"), (1.2, "FAIL"), ("x", "FAIL")]
)
def test_the_headline_is_that_of_the_logs(folder, value, status):
    rewrite(folder, val_bpb=value)
    assert outcome(folder, "lock.claim").status == status


def test_a_claim_with_fewer_digits_is_a_rounded_one(folder):
    rewrite(folder, seed_results={})
    edit(folder / LOG, "val_loss:2.50000000 val_bpb:1.25000000\n", "val_loss:2.50000000 val_bpb:1.25003000\n")
    assert outcome(folder, "lock.claim").status == "PASS"
    edit(folder / LOG, "val_bpb:1.25003000", "val_bpb:1.25006000")
    assert outcome(folder, "lock.claim").status == "FAIL"


def test_the_headline_is_the_mean_and_not_the_best(tmp_path):
    folder = make_folder(tmp_path / "toy", seeds=(1, 2))
    code = (folder / "train_gpt.py").read_bytes()
    (folder / "logs/train_seed2.log").write_text(log_text(code, 2, bpb=1.35, loss=2.7))
    assert outcome(folder, "claim.logged").status == "PASS"
    assert outcome(folder, "claim.mean").status == "WARN"
    assert outcome(folder, "lock.claim").status == "FAIL"
    rewrite(folder, val_bpb=1.3)
    assert outcome(folder, "claim.mean").status == "PASS"
    rewrite(folder, val_bpb_std=0.0707)
    assert outcome(folder, "claim.std").status == "PASS"
    rewrite(folder, val_bpb_std=0.05)  # the population's
    assert outcome(folder, "claim.std").status == "WARN"


def test_val_loss_is_that_of_the_logs(folder):
    rewrite(folder, val_loss=1.25)
    assert "holds the val_bpb" in outcome(folder, "claim.loss").message
    assert outcome(folder, "lock.claim").status == "FAIL"


@pytest.mark.parametrize(
    "changes",
    [
        {"seeds": [1337, 42]},
        {"seeds": "1337"},
        {"seed_results": {"42": {}}},
        {"seed_results": {"1337": {"val_bpb": 1.2}}},
        {"seed_results": {"1337": {"artifact_bytes": 1}}},
        {"seed_results": {"1337": 7}},
    ],
)
def test_seeds_have_logs_with_their_numbers(folder, changes):
    rewrite(folder, **changes)
    assert outcome(folder, "lock.claim").status == "FAIL"


def test_bytes_total_is_exact(folder):
    code = (folder / "train_gpt.py").read_bytes()
    rewrite(folder, bytes_total=1000 + len(code) + 1)
    assert outcome(folder, "size.claim").status == "WARN"
    assert outcome(folder, "lock.claim").status == "FAIL"


def test_the_cap_counts_the_shipped_file(folder):
    code = (folder / "train_gpt.py").read_bytes()
    at_cap = 16_000_000 - len(code)
    (folder / LOG).write_text(log_text(code, model_bytes=at_cap))
    (folder / "artifacts/seed1337/final_model.int8.ptz").write_bytes(bytes(at_cap))
    assert "(0 left)" in outcome(folder, "size.shipped").message
    (folder / "artifacts/seed1337/final_model.int8.ptz").write_bytes(bytes(at_cap + 1))
    assert "(1 over)" in outcome(folder, "size.shipped").message
    assert outcome(folder, "size.logged").status == "PASS"
    assert outcome(folder, "size.artifact").status == "FAIL"


def test_a_logged_total_over_the_cap(folder):
    code = (folder / "train_gpt.py").read_bytes()
    (folder / LOG).write_text(log_text(code, model_bytes=16_000_001 - len(code)))
    assert "(1 over)" in outcome(folder, "size.logged").message


def test_a_logged_total_that_does_not_add_up(folder):
    code = (folder / "train_gpt.py").read_bytes()
    edit(folder / LOG, f"Total submission size int8+zlib: {1000 + len(code)}", "Total submission size int8+zlib: 900")
    assert "is not the total" in outcome(folder, "lock.sizes").message


def test_a_truncated_artifact(folder):
    (folder / "artifacts/seed1337/final_model.int8.ptz").write_bytes(bytes(999))
    assert "999" in outcome(folder, "size.artifact").message


def test_an_artifact_without_a_log(folder):
    (folder / "artifacts/seed7").mkdir()
    (folder / "artifacts/seed7/final_model.int8.ptz").write_bytes(b"x")
    assert outcome(folder, "size.artifact").status == "FAIL"
    assert outcome(folder, "size.shipped").status == "PASS"


def test_artifacts_that_were_set_aside_do_not_count(folder):
    (folder / "artifacts/seed1337").rename(folder / "artifacts/seed1337.previous")
    assert outcome(folder, "size.artifact").status == "SKIP"


def test_a_code_size_that_is_not_shipped(folder):
    with (folder / "train_gpt.py").open("ab") as file:
        file.write(b"\n")
    assert outcome(folder, "lock.sizes").status == "FAIL"
    assert outcome(folder, "lock.code").status == "FAIL"
    assert outcome(folder, "log.code").status == "FAIL"


def test_a_missing_or_damaged_lock(folder):
    for text in ("", "{}", "[1]", '{"format": 99}', "[" * 100_000, (folder / "pgolf.lock").read_text()[:-40]):
        (folder / "pgolf.lock").write_text(text)
        assert outcome(folder, "lock.present").status == "FAIL"
        assert outcome(folder, "lock.code").status == "SKIP"
        assert outcome(folder, "log.receipts").status == "SKIP"
    (folder / "pgolf.lock").unlink()
    for item in all_checks():
        if item.id.startswith("lock.") or item.id == "log.receipts":
            assert outcome(folder, item.id).status == "SKIP", item.id


def test_an_edited_recipe_is_a_warning(folder):
    (folder / "recipe.toml").write_text('name = "other"\n')
    assert outcome(folder, "lock.recipe").status == "WARN"


def test_a_rebuild_says_which_plugin_is_missing(folder):
    found = outcome(folder, "lock.rebuild")
    assert found.status == "SKIP" and "--plugin-dir" in found.message
    assert "the plugin alpha (toys 1) is not installed" in found.evidence["differences"]
    edit(folder / "pgolf.lock", '"origin": "toys"', '"origin": "pgolf"')
    assert outcome(folder, "lock.rebuild").status == "FAIL"  # a plugin of pgolf's own is not one of this version


@pytest.mark.parametrize("cut", ["final_int8", "Total submission"])
def test_a_log_that_ends_early(folder, cut):
    lines = (folder / LOG).read_text().splitlines()
    (folder / LOG).write_text("\n".join(line for line in lines if not line.startswith(cut)))
    assert outcome(folder, "log.final").status == "FAIL"


def test_a_final_score_that_is_not_a_number(folder):
    edit(folder / LOG, "val_bpb:1.25000000", "val_bpb:nan")
    assert outcome(folder, "log.final").status == "FAIL"


def test_a_text_that_is_no_log(folder):
    (folder / LOG).write_bytes(b"\xff\xfe hello\x1b[31m\n")
    assert "known format" in outcome(folder, "log.final").message


def test_a_missing_receipt(folder):
    edit(folder / LOG, "receipt beta: 2 steps\n", "")
    assert "no receipt of beta" in outcome(folder, "log.receipts").message


def test_a_receipt_of_somebody_else(folder):
    edit(folder / LOG, "receipt beta: 2 steps\n", "receipt beta: 2 steps\nreceipt gamma: 1 step\n")
    assert "gamma" in outcome(folder, "log.receipts").message


def test_a_plugin_that_did_nothing(folder):
    edit(
        folder / LOG,
        "receipt beta: 2 steps\n",
        "receipt beta: 2 steps\nerror: plugin beta was selected and did nothing\n",
    )
    assert "error: plugin beta" in outcome(folder, "log.receipts").message


def test_one_run_under_two_names(folder):
    (folder / "logs/train_seed42.log").write_text((folder / LOG).read_text())
    assert "2 logs" in outcome(folder, "lock.seeds").message


def test_a_log_under_another_seeds_name(folder):
    (folder / LOG).rename(folder / "logs/train_seed42.log")
    assert "is of seed 1337" in outcome(folder, "lock.seeds").message


@pytest.mark.parametrize(("milliseconds", "status"), [(600_400, "PASS"), (600_600, "FAIL")])
def test_training_within_the_limit(folder, milliseconds, status):
    code = (folder / "train_gpt.py").read_bytes()
    text = log_text(code, wallclock="600.000")
    (folder / LOG).write_text(text + f"stopping_early: wallclock_cap train_time:{milliseconds}ms step:2/9\n")
    assert outcome(folder, "time.train").status == status
    assert outcome(folder, "time.eval").status == "PASS"


def test_evaluation_within_the_limit(folder):
    code = (folder / "train_gpt.py").read_bytes()
    (folder / LOG).write_text(log_text(code, wallclock="600.000").replace("eval_time:12ms", "eval_time:601000ms"))
    assert outcome(folder, "time.eval").status == "FAIL"


@pytest.mark.parametrize(("end", "status"), [(711_000, "FAIL"), (701_000, "PASS")])
def test_what_is_made_of_the_validation_stream_before_scoring_counts(folder, end, status):
    code = (folder / "train_gpt.py").read_bytes()
    text = log_text(code, wallclock="600.000").replace("eval_time:12ms", "eval_time:598000ms")
    (folder / LOG).write_text(f"{text}\nstage:fields begin:700000ms end:{end}ms data:val\n")
    assert outcome(folder, "time.eval").status == status


def test_a_pair_with_another_byte_count(folder):
    edit(folder / LOG, "step:2/2 val_loss:2.5000 val_bpb:1.2500", "step:2/2 val_loss:2.5000 val_bpb:1.2501")
    assert outcome(folder, "val.identity").status == "PASS"  # within the rounding of four digits and other tails
    edit(folder / LOG, "val_bpb:1.2501", "val_bpb:1.2400")
    assert "bytes per token" in outcome(folder, "val.identity").message


def test_logs_with_different_byte_counts(tmp_path):
    folder = make_folder(tmp_path / "toy", seeds=(1, 2))
    code = (folder / "train_gpt.py").read_bytes()
    (folder / "logs/train_seed2.log").write_text(log_text(code, 2, bpb=1.24, loss=2.5))
    assert outcome(folder, "val.identity").status == "FAIL"


def test_numbers_that_are_zero_or_huge_do_not_crash(folder):
    edit(folder / LOG, "val_loss:2.50000000 val_bpb:1.25000000 eval", "val_loss:0.00000000 val_bpb:0 eval")
    edit(folder / LOG, "Serialized model: 4000", "Serialized model: " + "9" * 4000)
    for item in all_checks():
        outcome(folder, item.id)


def test_a_lock_with_hostile_values_is_an_outcome_and_no_traceback(folder):
    code, recipe = (folder / "train_gpt.py").read_bytes(), (folder / "recipe.toml").read_bytes()
    for changes in (
        {"tools": {"../../etc": "1", "": "2"}},
        {"modules": {"os": "0", "pgolf.runtime.nothing": "0", "..": "0"}},
        {"pack": {"choice": "nonsense"}},
        {"python": ""},
        {"plugins": {"\x1b[31m": {"version": "", "origin": "", "sha256": ""}}},
    ):
        (folder / "pgolf.lock").write_text(fake_lock(code, recipe, **changes).dump())
        found = outcome(folder, "lock.present")
        assert found.status == ("PASS" if "pack" in changes or "python" in changes else "FAIL")
        assert outcome(folder, "lock.rebuild").status == "SKIP"
        assert "\x1b" not in outcome(folder, "lock.rebuild").message + found.message


def test_numbers_no_float_can_hold(folder):
    rewrite(folder, val_bpb=10**400, val_loss=-(10**400), val_bpb_std=10**400, bytes_total=10**400)
    for item in all_checks():
        outcome(folder, item.id)
    assert outcome(folder, "lock.claim").status == "FAIL"


def test_a_lock_with_more_layers_than_sense(folder):
    edit(folder / "pgolf.lock", '"seed": 1337', '"seed": 1337, "num_layers": 1000000000000')
    assert "num_layers" in outcome(folder, "lock.rebuild").message


def test_too_many_logs(folder):
    for number in range(64):
        (folder / f"logs/more{number}.log").write_text("")
    assert "64 logs" in outcome(folder, "pkg.files").message
