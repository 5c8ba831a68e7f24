"""`pgolf doctor`: what is wrong is found, what is only missing is said."""

import json

from click.testing import CliRunner
from models import registry

from pgolf import doctor
from pgolf.cli.main import main
from pgolf.errors import PgolfError
from pgolf.preflight.machine import Gpu


def states(found):
    return [one.state for one in found]


def test_this_installation_is_healthy():
    done = CliRunner().invoke(main, ["doctor", "--json"])
    found = json.loads(done.stdout)
    assert done.exit_code == 0 and found["healthy"], done.output
    assert {"python", "versions", "packages", "plugins", "programs", "gpus", "disk", "clock"} <= {
        one["check"] for one in found["findings"]
    }
    assert "requirements are met" in CliRunner().invoke(main, ["doctor"]).output


def test_python_and_versions():
    assert states(doctor.check_python((3, 12))) == ["ok"]
    assert states(doctor.check_python((3, 10))) == states(doctor.check_python((3, 14))) == ["problem"]
    (found,) = doctor.check_pins(["pluggy>=99", "click>=8.1", "nothing>=1; extra == 'dev'"])
    assert found.state == "problem" and "wanted >=99" in found.text and found.hint == "pip install 'pluggy>=99'"
    assert doctor.check_pins(["python-minifier==0.1"])[0].state == "problem"
    assert "is not installed" in doctor.check_pins(["no-such-package>=1"])[0].text
    assert states(doctor.check_pins(["click>=8.1", "numpy>=1.26"])) == ["ok"]


def test_plugins_that_cannot_be_loaded(tmp_path):
    (tmp_path / "broken.py").write_text("import nothing_of_that_name\n")
    done = CliRunner().invoke(main, ["doctor", "--plugin-dir", str(tmp_path), "--json"])
    found = json.loads(done.stdout)
    assert done.exit_code in (1, 2)
    text = json.dumps(found)
    assert "PG101" in text or "broken" in text


def test_problems_of_a_registry(monkeypatch):
    made = registry()
    monkeypatch.setattr(made, "problems", [PgolfError("PG101", "it raises", "x.py", "mend it")])
    (found,) = doctor.check_plugins(made)
    assert (found.state, found.text, found.hint) == ("problem", "it raises (x.py)", "mend it")


def test_what_is_only_missing_is_no_problem(monkeypatch):
    assert {*states(doctor.check_programs(lambda name: None))} == {"skipped"}
    assert {*states(doctor.check_programs(lambda name: "/bin/x"))} == {"ok"}
    gpus = [Gpu(name, 80_000, 0, "9.0", "570") for name in ("H100", "H100", "A100")]
    for count, state in ((0, "skipped"), (2, "ok"), (3, "unknown")):
        monkeypatch.setattr(doctor, "read_gpus", lambda count=count: gpus[:count])
        assert states(doctor.gpu_lines()) == [state]
