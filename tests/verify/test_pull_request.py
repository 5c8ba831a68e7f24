"""Diffs are read as data; a pull request that does more than add one record folder fails."""

import json

import pytest
from click.testing import CliRunner
from foreign import foreign_folder

from pgolf.cli.main import main
from pgolf.verify.pull_request import Change, NoDiff, form_problems, read_diff

GOOD = """diff --git a/records/track_10min_16mb/Mine/train_gpt.py b/records/track_10min_16mb/Mine/train_gpt.py
new file mode 100644
index 0000000..1111111
--- /dev/null
+++ b/records/track_10min_16mb/Mine/train_gpt.py
@@ -0,0 +1,2 @@
+import os
++++ b/README.md
diff --git a/records/track_10min_16mb/Mine/model.bin b/records/track_10min_16mb/Mine/model.bin
new file mode 100644
Binary files /dev/null and b/records/track_10min_16mb/Mine/model.bin differ
"""
CHANGED = """diff --git a/README.md b/README.md
index 1..2 100644
--- a/README.md
+++ b/README.md
@@ -1 +1 @@
-a
+b
"""
MOVED = """diff --git a/records/t/old name/a.py b/records/t/new name/a.py
similarity index 100%
rename from records/t/old name/a.py
rename to records/t/new name/a.py
"""
GONE = """diff --git a/records/t/it/a.py b/records/t/it/a.py
deleted file mode 100644
--- a/records/t/it/a.py
+++ /dev/null
@@ -1 +0,0 @@
-x
"""
QUOTED = 'diff --git "a/records/t/\\303\\251/a b.py" "b/records/t/\\303\\251/a b.py"\nnew file mode 100644\n'


def test_what_is_added():
    changes = read_diff(GOOD.encode())
    assert [change.kind for change in changes] == ["added", "added"]
    assert form_problems(changes) == ({"records/track_10min_16mb/Mine"}, [])
    assert read_diff(QUOTED.encode()) == [Change("records/t/\u00e9/a b.py", "added")]


@pytest.mark.parametrize(
    ("text", "change", "said"),
    [
        (CHANGED, Change("README.md", "changed"), "outside of records"),
        (MOVED, Change("records/t/new name/a.py", "renamed"), "renamed records/t/new name/a.py"),
        (GONE, Change("records/t/it/a.py", "deleted"), "deleted records/t/it/a.py"),
        (GOOD.replace("records/track_10min_16mb/Mine", "records/t/../.."), None, "outside"),
    ],
)
def test_what_else_is_done(text, change, said):
    changes = read_diff((text + GOOD).encode() if change else text.encode())
    assert change is None or changes[0] == change
    assert said in form_problems(changes)[1][0]


def test_what_is_no_diff():
    for data in (b"", b"hello\n", b"\xff\xfe" * 100, b"diff --git a\n"):
        with pytest.raises(NoDiff):
            read_diff(data)


def run(*arguments):
    return CliRunner().invoke(main, ["verify", *map(str, arguments)])


@pytest.mark.parametrize(
    ("text", "status"), [(GOOD, "PASS"), (GOOD + CHANGED, "FAIL"), (GOOD + GOOD.replace("Mine", "Other"), "FAIL")]
)
def test_the_check(tmp_path, text, status):
    folder = foreign_folder(tmp_path / "it")
    (tmp_path / "pull.diff").write_text(text)
    done = run(folder, "--diff", tmp_path / "pull.diff", "--sarif", tmp_path / "found.sarif", "--json")
    row = {row["id"]: row for row in json.loads(done.stdout)["checks"]}["pkg.form"]
    assert row["status"] == status, row
    found = json.loads((tmp_path / "found.sarif").read_text())["runs"][0]["results"]
    assert ("pkg.form" in {one["ruleId"] for one in found}) == (status == "FAIL")


def test_the_command(tmp_path):
    folder = foreign_folder(tmp_path / "it")
    (tmp_path / "pull.diff").write_text("no diff\n")
    assert run(folder, "--diff", tmp_path / "pull.diff").exit_code == 2
    assert "rule.normal (WARN)" in run("--explain", "rule.normal").output
    assert run("--explain", "nothing").exit_code == 2
    foreign_folder(tmp_path / "it", track="track_non_record_16mb")
    several = run("--all", tmp_path / "it")
    assert "first failure" in several.output and "track_non_record_16mb" in several.output, several.output
    assert run("--all", tmp_path / "it" / "track_10min_16mb" / "2026-04-01_Somebody" / "..").exit_code in (0, 1)
    (tmp_path / "empty").mkdir()
    assert run("--all", tmp_path / "empty").exit_code == 2
