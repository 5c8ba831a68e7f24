import json

import pytest
from folders import log_text, make_folder, outcome

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
        "steps": 2,
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
        "claim.seeds",
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
