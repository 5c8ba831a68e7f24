"""`pgolf verify`: several folders, parents of submissions, exit statuses."""

import json

from click.testing import CliRunner
from foreign import baseline_log, foreign_folder

from pgolf.cli.main import main


def run(*arguments):
    return CliRunner().invoke(main, ["verify", *map(str, arguments)])


def test_a_parent_of_submissions_is_refused_by_name(tmp_path):
    one = foreign_folder(tmp_path)
    done = run(one.parent)
    assert done.exit_code == 2 and one.name in done.output and f"--all {one.parent}" in done.output.replace("\n", "")
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


def test_errors_of_json_are_json(tmp_path):
    for arguments in (["verify", "--json", str(tmp_path / "none")], ["logs", "--json", str(tmp_path)]):
        done = CliRunner().invoke(main, arguments)
        document = json.loads(done.stdout)
        assert done.exit_code == document["exit_status"] == 2
        assert document["errors"][0]["message"] and document["errors"][0]["code"] in done.stderr


def test_errors_have_one_style():
    done = CliRunner().invoke(main, ["verify", "--jobs", "0", "."])
    assert done.exit_code == 2 and done.stderr.startswith("error[PG004]: ") and "pgolf verify --help" in done.stderr
    done = CliRunner().invoke(main, ["build", "--plugins", "swa", "bank_qat", "pko"])
    assert done.exit_code == 2 and "--plugins swa,bank_qat,pko" in done.stderr


def test_logs_of_a_folder_are_listed_once(tmp_path):
    (tmp_path / "a.log").write_text(baseline_log(1))
    (tmp_path / "a.txt").write_text("[rank0]: " + baseline_log(1).replace("\n", "\n[rank0]: "))
    (tmp_path / "both.log").write_text(baseline_log(2, 1.1) + baseline_log(3, 1.2))
    done = CliRunner().invoke(main, ["logs", "--json", str(tmp_path), str(tmp_path / "a.log")])
    assert sorted(name.rpartition("/")[2] for name in json.loads(done.stdout)) == [
        "a.log",
        "both.log (run 1)",
        "both.log (run 2)",
    ]


def test_a_recipe_that_extends_nothing_names_both(tmp_path):
    (tmp_path / "recipe.toml").write_text('extends = "../other"\n')
    done = CliRunner().invoke(main, ["build", str(tmp_path), "-o", str(tmp_path / "o")])
    assert done.exit_code == 2 and "extends ../other" in done.stderr and str(tmp_path / "recipe.toml") in done.stderr
