import json

import pytest
from folders import edit, log_text, make_folder, outcome

from pgolf.errors import PgolfError
from pgolf.run import package as module
from pgolf.run.package import People, package


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "git_value", lambda key: "")
    folder = make_folder(tmp_path / "toy", seeds=(1, 2))
    code = (folder / "train_gpt.py").read_bytes()
    (folder / "logs/train_seed2.log").write_text(log_text(code, 2, bpb=1.35, loss=2.7, model_bytes=1100))
    (folder / "artifacts/seed2/final_model.int8.ptz").write_bytes(bytes(1100))
    for name in ("README.md", "submission.json"):
        (folder / name).unlink()
    return folder


def test_numbers_come_from_the_logs(folder):
    document, _ = package(folder, People("Ada", "ada"))
    assert document == json.loads((folder / "submission.json").read_text())
    size = (folder / "train_gpt.py").stat().st_size
    assert (document["val_bpb"], document["val_loss"], document["val_bpb_std"]) == (1.3, 2.6, 0.07071068)
    assert (document["bytes_total"], document["bytes_code"], document["seeds"]) == (1100 + size, size, [1, 2])
    assert document["seed_results"]["2"] == {
        "val_bpb": 1.35,
        "val_loss": 2.7,
        "artifact_bytes": 1100 + size,
        "model_bytes": 1100,
        "steps": 2,
        "step_avg_ms": 10.0,
        "train_time_s": 0.02,
        "eval_time_s": 0.012,
    }
    assert (document["author"], document["hardware"], document["pytorch_version"]) == (
        "Ada",
        "toy CPU, 2 threads",
        "2.9.0",
    )


def test_what_it_writes_passes_verify(folder):
    package(folder, People("Ada", "ada"))
    for name in (
        "pkg.files",
        "pkg.json",
        "pkg.fields",
        "pkg.author",
        "claim.logged",
        "claim.loss",
        "claim.std",
        "lock.claim",
        "lock.sizes",
        "lock.seeds",
    ):
        assert outcome(folder, name).status == "PASS", name
    assert outcome(folder, "size.claim").status == "PASS"


def test_an_unknown_author_is_noted_and_asked_once(folder):
    document, notes = package(folder, People())
    assert document["author"] == "unknown" and any("--author" in note for note in notes)
    package(folder, People("Ada", "ada", "my name"))
    document, notes = package(folder, People())
    assert (document["author"], document["name"]) == ("Ada", "my name")


def test_a_readme_is_kept(folder):
    package(folder, People("Ada", "ada"))
    text = (folder / "README.md").read_text()
    assert "| 2 | 1.35000000 |" in text
    (folder / "README.md").write_text("mine")
    _, notes = package(folder, People())
    assert (folder / "README.md").read_text() == "mine" and any("--force" in note for note in notes)
    package(folder, People(), force=True)
    assert (folder / "README.md").read_text() == text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: [path.unlink() for path in (folder / "logs").iterdir()], "no finished log"),
        (lambda folder: (folder / "logs/train_seed2.log").write_text("seed:2\n"), "is not finished"),
        (lambda folder: (folder / "logs/train_seed2.log").write_text(log_text(b"other", 2)), "another file"),
        (
            lambda folder: (folder / "logs/again.log").write_bytes((folder / "logs/train_seed2.log").read_bytes()),
            "second",
        ),
    ],
)
def test_logs_that_prove_nothing_are_refused(folder, change, message):
    change(folder)
    with pytest.raises(PgolfError, match=message) as caught:
        package(folder, People())
    assert caught.value.code == "PG504"
    assert not (folder / "submission.json").exists()


def test_a_folder_that_was_not_built_is_refused(folder):
    (folder / "pgolf.lock").unlink()
    with pytest.raises(PgolfError) as caught:
        package(folder, People())
    assert caught.value.code == "PG505"
    (folder / "train_gpt.py").unlink()
    with pytest.raises(PgolfError) as caught:
        package(folder, People())
    assert caught.value.code == "PG001"


def test_a_claim_that_the_logs_do_not_carry_is_refused(folder):
    for claim in (1.29, 1.3001, 1.2999, float("nan")):
        with pytest.raises(PgolfError, match="do not carry"):
            package(folder, People("Ada", "ada"), claim=claim)
        assert not (folder / "submission.json").exists()
    edit(folder / "logs/train_seed2.log", "val_bpb:1.35000000", "val_bpb:1.35006000")
    document, _ = package(folder, People("Ada", "ada"), claim=1.30003)
    assert document["val_bpb"] == 1.30003
    assert outcome(folder, "lock.claim").status == outcome(folder, "claim.logged").status == "PASS"


def test_fields_of_the_record_track(folder):
    for name in ("train_seed1.log", "train_seed2.log"):
        edit(folder / "logs" / name, "seed:", "peak memory allocated: 22846 MiB reserved: 22894 MiB\nseed:")
    edit(folder / "pgolf.lock", '"smoke": true', '"smoke": false')
    edit(folder / "pgolf.lock", '"max_wallclock_seconds": 0.0', '"max_wallclock_seconds": 600.0')
    document, notes = package(folder, People("Ada", "ada"))
    assert document["track"] == "10min_16mb"
    assert document["compliance"] == {
        "train_under_600s": True,
        "eval_under_600s": True,
        "artifact_under_16mb": True,
        "three_seeds": False,
    }
    assert "the logs say that three_seeds is not so" in notes
    assert document["comparison_baseline_pr"] == 1855 and document["delta_vs_baseline_bpb"] > 0
    assert document["p_value_welch_one_sided"] < document["p_value_with_margin_0p005_nats"]
    assert document["peak_memory_mib"] == 22846 and document["val_tokens"] == 64
    assert "Against #1855" in (folder / "README.md").read_text()
