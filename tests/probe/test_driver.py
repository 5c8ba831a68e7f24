"""How a script is executed: as the main program, with calls of float that keep scores, whatever it does at its end."""

import ast

from probe_runs import run_lines  # noqa: F401

from pgolf.probe.inside.driver import KEEP, kept_numbers


def test_calls_of_float_keep_scores():
    tree = kept_numbers("x: float = float(y) + np.float64(z)\nfloat('1', 2)\n")
    assert ast.unparse(tree) == f"x: float = {KEEP}(y) + {KEEP}(z)\nfloat('1', 2)"


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
