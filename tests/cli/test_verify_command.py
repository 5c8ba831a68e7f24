"""`pgolf verify`: several folders, parents of submissions, exit statuses."""

import json

from click.testing import CliRunner
from foreign import foreign_folder

from pgolf.cli.main import main


def run(*arguments):
    return CliRunner().invoke(main, ["verify", *map(str, arguments)])


def test_a_parent_of_submissions_is_refused_by_name(tmp_path):
    one = foreign_folder(tmp_path)
    done = run(one.parent)
    assert done.exit_code == 2 and one.name in done.output and "/*/" in done.output
    assert run(one.parent.parent).exit_code == 2
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty").exit_code == 1  # a submission without its files


def test_several_folders_keep_their_order(tmp_path):
    roots = [foreign_folder(tmp_path / name) for name in "abc"]
    (roots[1] / "README.md").unlink()
    done = run("--json", "--jobs", 3, *roots)
    reports = json.loads(done.stdout)
    assert done.exit_code == 1 and [report["verdict"] for report in reports] == ["pass", "fail", "pass"]
    assert [report["folder"] for report in reports] == [str(root) for root in roots]
