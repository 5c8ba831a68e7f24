"""Reports for people, for pull requests and for several folders."""

import json
import re

import pytest
from click.testing import CliRunner
from folders import edit, make_folder

from pgolf.cli.main import main
from pgolf.verify.outputs import COMMENT, code, markdown, render, summary

EVIL = "a`b|c\n# head <img src=x onerror=alert(1)> [x](javascript:1) @everyone #1 \x1b[2J \u202e"


def record(id, status, message="m", rule="r"):
    return {"id": id, "status": status, "message": message, "evidence": {}, "rule": rule}


def report(folder="toy", verdict="fail", *records):
    return {"folder": folder, "verdict": verdict, "checks": list(records)}


@pytest.fixture
def folders(tmp_path):
    made = [make_folder(tmp_path / name) for name in ("one", "two")]
    for folder in made:
        (folder / "pgolf.lock").unlink()
    (made[1] / "submission.json").write_text("{")
    return made


def run(*arguments):
    return CliRunner().invoke(main, ["verify", *map(str, arguments)])


def test_failures_then_warnings_then_one_line_each():
    made = report(
        "toy", "fail", record("a.p", "PASS"), record("a.s", "SKIP"), record("a.w", "WARN"), record("a.f", "FAIL")
    )
    lines = render(made, verbose=False)
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["FAIL", "WARN", "SKIP", "PASS", "FAIL:"]
    assert "PASS  a.p: m" in render(made, verbose=True) and "SKIP  a.s: m" in render(made, verbose=True)


def test_a_code_span_cannot_be_left():
    span = code(EVIL)
    assert span.startswith("`") and span.endswith("`") and "`" not in span[1:-1]
    assert "\n" not in span and "\x1b" not in span and "\u202e" not in span
    assert not re.search(r"(?<!\\)\|", span)
    assert code("") == "" and len(code("x" * 10**6)) < 1000


def test_markdown_holds_untrusted_text_in_code_spans_alone():
    text = markdown([report(EVIL, "fail", record("a.f", "FAIL", EVIL, EVIL), record("a.p", "PASS", EVIL))])
    outside = re.sub(r"`[^`\n]*`", "", text)
    for part in ("<img", "@everyone", "javascript", "#1", "head"):
        assert part in text and part not in outside
    rows = [line for line in text.splitlines() if line.startswith("| FAIL")]
    assert len(rows) == 1 and len(re.findall(r"(?<!\\)\|", rows[0])) == 5


def test_several_folders_have_a_table_first():
    made = [
        report("one", "pass", record("x.y", "PASS")),
        report("a|b", "fail", record("x.y", "FAIL"), record("z", "WARN")),
    ]
    lines = markdown(made).splitlines()
    assert lines[2:4] == ["| `one` | pass | 0 | 0 | 0 | 1 |  |", "| `a\\|b` | fail | 1 | 1 | 0 | 0 | `x.y` |"]
    assert not markdown(made[:1]).startswith("|")


def test_a_long_report_fits_into_a_comment():
    made = [report("toy", "fail", *(record(f"a.{at}", "FAIL", "x" * 400) for at in range(50)))] * 10
    text = markdown(made)
    assert len(text) < COMMENT + 100 and text.endswith("may be.\n")


def test_the_table_of_several_folders_is_aligned():
    lines = summary([report("a", "pass", record("x.y", "PASS")), report("longer\n", "fail", record("x.y", "FAIL"))])
    assert len(lines) == 3 and lines[2].endswith("x.y") and "\\n" in lines[2]
    assert len({line.index("  ", 10) for line in lines[:1]}) == 1


def test_one_folder_is_an_object_and_several_are_a_list(folders):
    one = json.loads(run(folders[0], "--json").stdout)
    assert list(one) == ["folder", "verdict", "checks"]
    both = json.loads(run(*folders, "--json", "--jobs", "2").stdout)
    assert [document["folder"] for document in both] == [str(folder) for folder in folders]
    assert both[0] == one
    assert both == json.loads(run(*folders, "--json", "--jobs", "1").stdout)


def test_exit_statuses(folders, tmp_path):
    assert run(folders[1]).exit_code == 1
    assert run(*folders).exit_code == 1
    assert run(tmp_path / "nowhere").exit_code == run().exit_code == 2
    assert run(folders[0], "--json", "--markdown").exit_code == 2
    assert run(folders[0], "--rules", tmp_path / "nowhere.toml").exit_code == 2
    assert run(folders[0], "--html", tmp_path / "no" / "page.html").exit_code == 2
    (tmp_path / "rules.toml").write_text("= nothing")
    assert run(folders[0], "--rules", tmp_path / "rules.toml").exit_code == 2


def test_a_folder_without_findings_passes(folders):
    # As many tokens as make the bytes of the validation split at 2.885 bytes per token.
    edit(folders[0] / "logs/train_seed1337.log", "tokens:64", "tokens:52359700")
    assert run(folders[0]).exit_code == 0, run(folders[0]).output


def test_several_folders_end_with_a_table(folders):
    lines = run(*folders).stdout.splitlines()
    assert lines[-3].startswith("folder") and lines[-2].startswith(str(folders[0])) and "fail" in lines[-1]


def test_rules_of_the_user_decide(folders, tmp_path):
    from pgolf.challenge import RULES_FOLDER

    text = (RULES_FOLDER / "2026-04.toml").read_text()
    small = re.sub(r"(?m)^cap\s*=.*$", "cap = 10", text, count=1)
    assert small != text
    (tmp_path / "rules.toml").write_text(small)
    found = json.loads(run(folders[0], "--json", "--rules", tmp_path / "rules.toml").stdout)
    statuses = {item["id"]: item["status"] for item in found["checks"]}
    assert statuses["size.logged"] == "FAIL"


def test_markdown_on_the_command_line(folders):
    text = run(*folders, "--markdown").stdout
    assert text.count("### pgolf verify: ") == 2 and "| FAIL | `pkg.json` |" in text
