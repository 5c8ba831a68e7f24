"""`pgolf submit` from its command line: verify decides."""

import json
import subprocess

from click.testing import CliRunner
from folders import make_folder

from pgolf.cli.main import main


def test_a_folder_that_does_not_pass_is_refused(tmp_path):
    folder = make_folder(tmp_path / "toy")
    (folder / "submission.json").write_text("{")
    clone = tmp_path / "clone"
    (clone / "records").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(clone)], check=True)
    done = CliRunner().invoke(main, ["submit", str(folder), "--clone", str(clone), "--json"])
    found = json.loads(done.stdout)
    assert done.exit_code == 2 and found["errors"][0]["message"].startswith("verify does not pass: "), done.output
    assert not [*(clone / "records").iterdir()]
    assert CliRunner().invoke(main, ["submit", str(folder)]).exit_code == 2
