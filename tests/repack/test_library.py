"""`pgolf pack` on real files: the standard library's and PyTorch's. None fails, and what a module's own tests see stays."""

import ast
import importlib.util
import os
import random
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import torch

from pgolf.errors import PgolfError
from pgolf.repack.repack import FORMS, shrink
from pgolf.unpack import unpack

LIBRARY = Path(sysconfig.get_path("stdlib"))
FOLDERS = (
    "",
    "json",
    "email",
    "asyncio",
    "unittest",
    "logging",
    "importlib",
    "http",
    "xml/dom",
    "tomllib",
    "turtledemo",
)
MODULES = (
    *("base64", "bisect", "colorsys", "fnmatch", "fractions", "graphlib", "netrc", "plistlib", "pprint", "sched"),
    *("shlex", "string", "textwrap"),
)
"""Their tests use nothing but what a module says is public."""


def real_files():
    """Files of the two libraries, the same in every run on one machine."""
    draw = random.Random(5)
    standard = sorted(path for folder in FOLDERS for path in (LIBRARY / folder).glob("*.py"))
    ours = sorted(Path(torch.__file__).parent.rglob("*.py"))
    fits = [[path for path in paths if 300 < path.stat().st_size < 40_000] for paths in (standard, ours)]
    return [*draw.sample(fits[0], 60), *draw.sample(fits[1], 40)]


@pytest.mark.slow
def test_real_files_are_packed_without_failures():
    forms = []
    for path in real_files():
        data = path.read_bytes()
        try:
            result = shrink(data)
        except PgolfError as error:
            pytest.fail(f"{path}: {error}")
        assert not [str(reason) for reason in result.reasons if "failed its check" in reason.why], path
        assert unpack(result.packed.code) == result.text, path
        ast.parse(result.text)
        assert len(result.packed.code) <= len(data), path
        forms.append(result.form)
    assert set(forms) <= set(FORMS) and forms.count("renamed") > 90


def outcome(module, folder):
    """(tests, failures) of a module's tests, with the file of this folder in its place."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    check = f"import {module}; assert {module}.__file__ == {str(folder / f'{module}.py')!r}, {module}.__file__"
    command = [sys.executable, "-c", f"{check}\nimport unittest\nunittest.main('test.test_{module}', argv=['x'])"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    counts = re.findall(r"^Ran (\d+) tests?", done.stderr, re.MULTILINE)
    return counts, sorted(re.findall(r"^(?:ERROR|FAIL): (.*)", done.stderr, re.MULTILINE)), done.stderr[-500:]


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_a_packed_module_passes_its_own_tests(module, tmp_path):
    if importlib.util.find_spec(f"test.test_{module}") is None:
        pytest.skip(f"this Python has no tests of {module}")
    result = shrink((LIBRARY / f"{module}.py").read_bytes())
    assert result.form == "renamed"
    (tmp_path / f"{module}.py").write_bytes(result.packed.code)
    counts, failures, text = outcome(module, tmp_path)
    assert counts and int(counts[0]) > 5 and not failures, text
