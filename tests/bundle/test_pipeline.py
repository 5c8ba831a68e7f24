"""The whole way from an entry to a file."""

import ast
import hashlib
import os
import py_compile
import subprocess
import sys

import pytest

from pgolf.bundle import pipeline
from pgolf.bundle.pipeline import DUMPS, STAGES, build
from pgolf.errors import PgolfError

DRIVER = """
import sys
from pathlib import Path
from pgolf.bundle.pipeline import build
root = Path(sys.argv[1])
def find(name):
    folder = root.joinpath(*name.split("."))
    return next((path for path in (folder.with_suffix(".py"), folder / "__init__.py") if path.exists()), None)
print(build((root / "entry.txt").read_text(), find).sha256)
"""


def test_every_stage_prints_the_same(lab, run_file, tmp_path):
    entry, find_source = lab
    built = build(entry, find_source)
    live = run_file(built.dumps["0_live.py"], path=tmp_path)
    assert "a'b:004:deep" in live
    for name in DUMPS[1:]:
        assert run_file(built.dumps[name], "-I") == live, name


@pytest.mark.parametrize("choice", ["plain", "b85", "latin1"])
def test_every_encoding_runs_and_compiles(lab, run_file, tmp_path, choice):
    entry, find_source = lab
    built = build(entry, find_source, pack=choice)
    assert built.pack.partition("+")[0] == choice
    assert run_file(built.code) == run_file(entry, path=tmp_path)
    file = tmp_path / "packed.py"
    file.write_bytes(built.code)
    py_compile.compile(str(file), cfile=str(tmp_path / "packed.pyc"), doraise=True)


def test_brotli_is_used_only_when_allowed(lab, run_file):
    entry, find_source = lab
    plain, allowed = build(entry, find_source), build(entry, find_source, allow_brotli=True)
    assert plain.needs == () and b"brotli" not in plain.code
    assert allowed.needs == ("brotli",) and len(allowed.code) < len(plain.code)
    assert run_file(allowed.code) == run_file(plain.code)


def test_sizes_and_hash_are_those_of_the_dumps(lab):
    entry, find_source = lab
    built = build(entry, find_source)
    assert list(built.stages) == list(STAGES)
    assert list(built.stages.values()) == [len(content) for content in built.dumps.values()]
    assert built.sha256 == hashlib.sha256(built.code).hexdigest()
    assert built.stages["pack"] == len(built.code) < built.stages["minify"] < built.stages["shake"]


def test_modules_are_weighed(lab):
    entry, find_source = lab
    modules = build(entry, find_source).modules
    # The one function of `lab.mlp` is written out where it is called; of the records no text is left.
    assert {name for name, size in modules.items() if size > 0} > {"imports", "lab.layers", "lab.mlp", "lab.train"}
    assert modules["lab.train"] == max(modules.values())
    assert modules["lab.records"] == 0


def test_settings_that_decide_nothing_leave_no_trace(lab):
    entry, find_source = lab
    minified = build(entry, find_source).dumps["4_minified.py"].decode()
    for gone in ("adapter", "schedules", "verbose", "never", "numbers only", "flat", "Shift", "hookimpl", "depth="):
        assert gone not in minified
    ast.parse(minified, feature_version=(3, 11))


def test_bytes_depend_on_nothing_but_the_sources(lab, tmp_path):
    entry, _ = lab
    (tmp_path / "entry.txt").write_text(entry)
    hashes = set()
    for number, locale in enumerate(("C", "C.UTF-8", "de_DE.UTF-8")):
        zone = {"TZ": f"UTC-{number}", "LC_ALL": locale, "PYTHONHASHSEED": str(number), "PYTHONUTF8": str(number % 2)}
        folder = tmp_path / f"cwd{number}"
        folder.mkdir()
        run = subprocess.run(
            [sys.executable, "-c", DRIVER, str(tmp_path)],
            cwd=folder, env={**os.environ, **zone}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        hashes.add(run.stdout)
    assert len(hashes) == 1


def test_building_twice_in_one_process_gives_the_same_bytes(lab):
    entry, find_source = lab
    assert build(entry, find_source) == build(entry, find_source)


def test_findings_stop_the_build(project):
    entry = 'from lab.a import run\nif __name__ == "__main__":\n    run()\n'
    find_source = project({"lab": "", "lab.a": "def run():\n    return vars(), eval('1')\n"})
    with pytest.raises(PgolfError) as caught:
        build(entry, find_source)
    text = str(caught.value)
    assert text.count("error[PG305]") == 2 and "a.py:2:12" in text and "^^^^" in text


def test_a_stage_that_drops_a_statement_is_caught(lab, monkeypatch):
    entry, find_source = lab
    link = pipeline.link

    def broken(modules):
        flat = link(modules)
        return type(flat)(tuple(item for item in flat.statements if getattr(item.node, "name", "") != "halve"))

    monkeypatch.setattr(pipeline, "link", broken)
    with pytest.raises(PgolfError, match="halve"):
        build(entry, find_source)


def test_the_bundler_imports_neither_torch_nor_what_it_bundles(lab, tmp_path):
    entry, _ = lab
    (tmp_path / "entry.txt").write_text(entry)
    code = DRIVER + "assert not {'torch', 'lab', 'lab.train'} & set(sys.modules)\n"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True)
