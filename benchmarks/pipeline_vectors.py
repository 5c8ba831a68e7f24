"""Deviation of every pipeline case, from optimizers to compressors, from the public scripts' numbers.

    python benchmarks/pipeline_vectors.py

Runs the tests that hold them and watches their comparisons: `torch.equal` is exact to the bit, `torch.testing.assert_close` has
a largest deviation, relative to the largest value wanted. One row for each technique; then the cases that are compared in other
ways (lists, numbers, bytes), and those that no such test has loaded.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests" / "vectors" / "pipeline"
sys.path[:0] = [str(FOLDER), str(ROOT / "tests")]

import pipeline_vectors as vectors  # noqa: E402

FOUND: dict[str, list[float]] = defaultdict(list)
LOADED: set[str] = set()


class Watch:
    """Which case the running test has loaded last; a test that loads none is not looked at."""

    case = ""

    def pytest_runtest_setup(self, item):
        Watch.case = ""


def watch_cases():
    """Note the case that is read, and what it is compared with."""
    read, equal, close = vectors.read_case, torch.equal, torch.testing.assert_close

    def read_case(entry):
        Watch.case = entry["id"]
        LOADED.add(Watch.case)
        return read(entry)

    def is_equal(one, other):
        same = equal(one, other)
        if Watch.case and same:
            FOUND[Watch.case].append(0.0)
        return same

    def are_close(found, wanted, *arguments, **options):
        close(found, wanted, *arguments, **options)
        if Watch.case and isinstance(wanted, torch.Tensor) and wanted.is_floating_point() and wanted.numel():
            most = wanted.double().abs().max().item()
            gap = (torch.as_tensor(found).double() - wanted.double()).abs().max().item()
            FOUND[Watch.case].append(gap / most if most else gap)

    vectors.read_case, torch.equal, torch.testing.assert_close = read_case, is_equal, are_close


def main():
    """The tests of plugins that read cases, in this process."""
    watch_cases()
    files = [str(path) for path in (ROOT / "tests").rglob("test_*.py") if "load_case" in path.read_text()]
    status = pytest.main(["-q", "-n0", "-p", "no:cacheprovider", *sorted(files)], plugins=[Watch()])
    known = [one["id"] for path in FOLDER.glob("manifest*.json") for one in json.loads(path.read_text())["cases"]]
    groups = defaultdict(list)
    for name in FOUND:
        groups[re.match(r"[A-Z]\d+", name)[0]].append(name)
    print("| technique | cases | exact | largest relative deviation of the others |\n| --- | --- | --- | --- |")
    for key in sorted(groups, key=lambda key: (key[0], int(key[1:]))):
        worst = {name: max(FOUND[name]) for name in groups[key]}
        others = [f"{name.removeprefix(key).strip('_')} {gap:.1e}" for name, gap in sorted(worst.items()) if gap]
        print(f"| {key} | {len(worst)} | {sum(not gap for gap in worst.values())} | {', '.join(others) or '-'} |")
    print(f"compared in other ways: {', '.join(sorted(LOADED - {*FOUND})) or 'none'}")
    print(f"not loaded by these tests: {', '.join(sorted({*known} - LOADED)) or 'none'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
