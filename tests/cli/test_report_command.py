"""`pgolf report` from its command line."""

import json

import pytest
from click.testing import CliRunner
from folders import make_folder

from pgolf.cli.main import main


def run(*arguments):
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_several_folders_are_one_page(tmp_path):
    for name in ("a", "b"):
        make_folder(tmp_path / name, seeds=(1, 2))
    page = tmp_path / "page.html"
    done = run(tmp_path / "a", tmp_path / "b", tmp_path / "a", "-o", page, "--json", "--no-build")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [one["val_bpb"] for one in found["folders"]] == [1.25, 1.25] and found["page"] == str(page)
    assert "All folders" in page.read_text() and f"wrote {page}" in done.stderr


@pytest.mark.parametrize("words", [(), ("{0}/none",), ("{0}/file",), ("{0}",), ("{0}/a", "-o", "{0}/none/page.html")])
def test_bad_input_is_one_error_and_no_page(tmp_path, words):
    make_folder(tmp_path / "a")
    (tmp_path / "file").write_text("x")
    done = run(*(word.format(tmp_path) for word in words), "--no-build")
    assert done.exit_code == 2 and done.output.count("error[PG") == 1 and "Traceback" not in done.output
    assert not list(tmp_path.rglob("*.html"))
