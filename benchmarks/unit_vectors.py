"""Largest deviation of every unit case of attention, MLP, blocks and embeddings from the public scripts' numbers.

    python benchmarks/unit_vectors.py

Runs the tests that hold them, and prints one row for each file of cases: how many there are, how many of them are exact to the
bit, and the largest absolute deviation of every other one.
"""

import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from models import Case  # noqa: E402

FOUND: dict[str, dict[str, float]] = defaultdict(dict)
plain_check, plain_init = Case.check, Case.__init__


def remember(self, file, name):
    """Which file a case is of."""
    plain_init(self, file, name)
    self.place = file


def check(self, name, found):
    """What the test asserts, noted by file and case."""
    deviation = plain_check(self, name, found)
    cases = FOUND[self.place]
    key = self.record["case"]
    cases[key] = max(cases.get(key, 0.0), deviation)
    return deviation


def main():
    """The tests of architecture plugins in this process."""
    Case.__init__, Case.check = remember, check
    options = ["-q", "-n0", "-p", "no:cacheprovider", "-k", "script", str(ROOT / "tests/plugins/architecture")]
    status = pytest.main(
        [*options, str(ROOT / "tests/runtime/test_wiring.py"), str(ROOT / "tests/runtime/test_layers.py")]
    )
    print("| file | cases | without a differing bit | the others |\n| --- | --- | --- | --- |")
    for file, cases in sorted(FOUND.items()):
        others = sorted((name for name in cases if cases[name]), key=cases.get, reverse=True)
        shown = ", ".join(f"{name} {cases[name]:.1e}" for name in others)
        print(f"| {file} | {len(cases)} | {len(cases) - len(others)} | {shown} |")
    return status


if __name__ == "__main__":
    sys.exit(main())
