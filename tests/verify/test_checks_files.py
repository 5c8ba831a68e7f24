"""Files, links, and the fields of submission.json."""

import json
import os

import pytest
from folders import claim, outcome
from toy_claims import LOG, rewrite


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


def test_too_many_logs(folder):
    for number in range(64):
        (folder / f"logs/more{number}.log").write_text("")
    assert "64 logs" in outcome(folder, "pkg.files").message
