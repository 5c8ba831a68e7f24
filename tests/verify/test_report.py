import json
from pathlib import Path

from folders import edit, make_folder

from pgolf.manager import Registry
from pgolf.verify.folder import View, printable
from pgolf.verify.report import all_checks, render, verify


def report(folder):
    return verify(View(folder, Registry))


def test_the_document_has_the_public_shape(tmp_path):
    document = report(make_folder(tmp_path / "toy"))
    assert list(document) == ["folder", "verdict", "checks"]
    assert document["verdict"] == "pass"
    for record in document["checks"]:
        assert list(record) == ["id", "status", "message", "evidence", "rule"]
        assert record["status"] in ("PASS", "FAIL", "WARN", "SKIP")
    json.dumps(document, allow_nan=False)


def test_failures_come_first_and_passes_share_a_line(tmp_path):
    folder = make_folder(tmp_path / "toy")
    (folder / "recipe.toml").write_text("")
    (folder / "README.md").unlink()
    lines = render(report(folder), verbose=False)
    kinds = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert kinds == sorted(kinds, key=("FAIL", "WARN", "SKIP", "PASS", "FAIL:").index)
    assert kinds.count("PASS") == 1 and kinds[-1] == "FAIL:"
    assert len([line for line in render(report(folder), verbose=True) if line.startswith("PASS")]) > 10


def test_names_cannot_steer_a_terminal(tmp_path):
    folder = make_folder(tmp_path / "toy")
    (folder / "evil\x1b[2J\n.md").symlink_to("/")
    assert "\x1b" not in "\n".join(render(report(folder), verbose=True))
    assert printable("a\x1b\n\udc80é") == "a\\x1b\\n\\udc80é"


def test_an_empty_folder_is_a_report(tmp_path):
    document = report(tmp_path)
    assert document["verdict"] == "fail"
    assert {record["id"] for record in document["checks"] if record["status"] == "FAIL"} >= {"pkg.files"}


def test_evidence_is_json_whatever_the_logs_say(tmp_path):
    folder = make_folder(tmp_path / "toy")
    edit(folder / "logs/train_seed1337.log", "val_bpb:1.25000000\n", "val_bpb:nan\n")
    json.dumps(report(folder), allow_nan=False)


def test_every_check_is_documented():
    text = (Path(__file__).parents[2] / "docs/rules.md").read_text()
    for item in all_checks():
        line = next(line for line in text.splitlines() if line.startswith("|") and f"`{item.id}`" in line)
        assert f"| {item.severity} |" in line
