"""How a script is executed: as the main program, with calls of float that keep scores, whatever it does at its end."""

import pytest
from probe_runs import run_lines  # noqa: F401
from probe_server import Server

from pgolf.probe.shrinking import Sizes
from pgolf.probe.workshop import Planned, Script, Workshop


@pytest.mark.ci
def test_it_is_the_main_program(run_lines):  # noqa: F811
    found = run_lines("""
import os, pickle, sys
from dataclasses import dataclass
from pathlib import Path
@dataclass
class Config:
    a: float = float("1.5")
assert __name__ == "__main__" and pickle.loads(pickle.dumps(Config())).a == 1.5 and type(Config().a) is float
assert "dataclass" in Path(__file__).read_text() and sys.argv == [__file__] and os.environ["RANK"] == "0"
print("good")
os._exit(0)
""")
    assert (found.error, found.printed) == ("", "good\n")


def test_an_error_has_its_line(run_lines):  # noqa: F811
    found = run_lines("def f():\n    raise KeyError('x')\n\n\nf()\n")
    assert found.error == "KeyError: 'x' (line 2)"


@pytest.mark.ci
def test_executions_run_side_by_side_and_those_that_take_too_long_end(tmp_path):
    """Where the first one has no score, others are not run, unless the job does not begin with it."""
    server = Server()
    text = "from pathlib import Path\nprint(Path.cwd().name)\nwhile Path.cwd().name == 'slow': pass\n"
    shop = Workshop(Script("train_gpt.py", text), Sizes(), tmp_path / "work", server, 0.5, 1)
    names = ("first", "slow", "second", "third")
    found = shop.run([Planned(name, shop.official) for name in names])
    assert {name: found[name].error for name in names} == {**dict.fromkeys(names, ""), "slow": "did not end in time"}
    assert {name: found[name].printed.strip() for name in names} == {name: name for name in names}
    found = shop.run([Planned("base", shop.official), Planned("after", shop.official)])
    server.close()
    assert found["base"].error == "" and "was not run" in found["after"].error


@pytest.mark.ci
def test_executions_do_not_see_each_others_files(run_lines):  # noqa: F811
    text = """
import os, tempfile
places = [f"/tmp/a_queue_{os.environ['RUN_ID']}", "/dev/shm/it", tempfile.gettempdir() + "/it", os.path.expanduser("~/it")]
print([os.path.exists(place) for place in places])
for place in places:
    open(place, "wb").write(b"1")
os.system("ls /tmp > listed")
print("a_queue_probe" in open("listed").read())
"""
    for _ in range(2):
        found = run_lines(text)
        assert (found.error, found.printed) == ("", "[False, False, False, False]\nTrue\n") and not found.artifacts
