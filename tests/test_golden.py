"""Builds pinned byte for byte: a change of what pgolf builds is a change of `tests/golden` and of `submissions/*/pgolf.lock`.

After a change that is meant:

    pytest -q tests/test_golden.py -m "slow or not slow" --update-golden

`tests/golden/RECIPE` has the text after specialize and after minify; `sizes.json` the bytes after every stage. Python prints
syntax trees, and compressors write bytes, differently from one version to the next: other versions than those in `sizes.json`
skip what they would make differently.
"""

import ctypes
import difflib
import functools
import json
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from pgolf.bundle.pack.pack import pack
from pgolf.lock import LOCK_NAME, differences, file_hash, read_lock
from pgolf.manager import load_registry
from pgolf.recipe import Recipe, load_recipe
from pgolf.submission import RECIPE_NAME, make

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"
SUBMISSIONS = ("baseline", "pr1019", "pr1512")
RECIPES = (*SUBMISSIONS, "three-plugins")
TEXTS = ("2_specialized.py", "4_minified.py")
PYTHON = ".".join(map(str, sys.version_info[:2]))


@functools.cache
def registry():
    return load_registry()


@functools.cache
def made(name):
    """The build of a recipe, packed as `pgolf build` packs it."""
    if name in SUBMISSIONS:
        recipe = load_recipe(ROOT / "submissions" / name / RECIPE_NAME)
    else:
        recipe = Recipe(name, layers=(("swa", "bank_qat", "pko"),))
    return make(recipe, registry())


def compressors():
    """Versions of what packs; a version that cannot be told is never equal to another."""
    try:
        import _lzma

        library = ctypes.CDLL(_lzma.__file__)
        library.lzma_version_string.restype = ctypes.c_char_p
        xz = library.lzma_version_string().decode()
    except (ImportError, AttributeError, OSError, TypeError):
        xz = "unknown"
    return {"liblzma": xz, "zlib": zlib.ZLIB_RUNTIME_VERSION}


def recorded(name):
    path = GOLDEN / name / "sizes.json"
    assert path.exists(), f"no golden build of {name}: record it with --update-golden"
    return json.loads(path.read_text(encoding="utf-8"))


def need_the_same_python(name):
    if recorded(name)["python"] != PYTHON:
        pytest.skip(f"recorded with Python {recorded(name)['python']}, which prints syntax trees differently")


def need_the_same_compressors(name):
    here, there = compressors(), recorded(name)["compressors"]
    if here != there or "unknown" in here.values():
        pytest.skip(f"recorded with {there}; here is {here}")


def record(name, **values):
    """Changes some of a recipe's recorded sizes."""
    path = GOLDEN / name / "sizes.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    old |= {"python": PYTHON, "compressors": compressors(), **values}
    path.write_text(json.dumps(old, indent=1, sort_keys=True) + "\n", encoding="utf-8")


@pytest.fixture
def update(pytestconfig):
    """Is this a run that records?"""
    return pytestconfig.getoption("--update-golden")


def difference(old, new, name):
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"golden/{name}", "built now", lineterm="", n=1)
    return "\n".join(line[:200] for line in list(lines)[:40])


@pytest.mark.parametrize("name", RECIPES)
def test_texts_are_the_golden_ones(name, update):
    built = made(name).built
    texts = {file: built.dumps[file].decode() for file in TEXTS}
    sizes = {stage: size for stage, size in built.stages.items() if stage != "pack"}
    if update:
        record(name, stages=sizes)
        for file, text in texts.items():
            (GOLDEN / name / file).write_text(text, encoding="utf-8")
    need_the_same_python(name)
    for file, text in texts.items():
        golden = (GOLDEN / name / file).read_text(encoding="utf-8")
        assert text == golden, difference(golden, text, f"{name}/{file}")
    assert sizes == recorded(name)["stages"]


@pytest.mark.parametrize("name", RECIPES)
def test_packed_size_is_the_golden_one(name, update):
    if update:
        record(name, auto=len(made(name).built.code))
    need_the_same_python(name)
    need_the_same_compressors(name)
    assert len(made(name).built.code) == recorded(name)["auto"]


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_mixed_size_is_the_golden_one(name, update):
    size = len(pack(made(name).built.dumps["4_minified.py"].decode(), "mix").code)
    if update:
        record(name, mix=size)
    need_the_same_python(name)
    assert size == recorded(name)["mix"]


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_locks_of_submissions_are_up_to_date(name, update):
    """`pgolf build submissions/NAME` writes the lock that is there."""
    folder = ROOT / "submissions" / name
    lock = replace(made(name).lock, recipe_sha256=file_hash(folder / RECIPE_NAME))
    if update:
        (folder / LOCK_NAME).write_text(lock.dump(), encoding="utf-8")
    kept = read_lock(folder)
    assert kept.recipe == json.loads(lock.dump())["recipe"] and kept.recipe_sha256 == lock.recipe_sha256
    need_the_same_python(name)
    assert differences(kept, registry()) == []
    assert {**kept.stages, "pack": 0} == {**lock.stages, "pack": 0}
    need_the_same_compressors(name)
    assert (kept.code_bytes, kept.code_sha256) == (lock.code_bytes, lock.code_sha256)


def test_a_changed_byte_is_a_difference():
    assert (
        difference("a = 1\nb = 2\n", "a = 1\nb = 3\n", "x")
        == "--- golden/x\n+++ built now\n@@ -1,2 +1,2 @@\n a = 1\n-b = 2\n+b = 3"
    )


def test_golden_holds_nothing_else():
    wanted = {f"{name}/{file}" for name in RECIPES for file in (*TEXTS, "sizes.json")}
    assert {path.relative_to(GOLDEN).as_posix() for path in GOLDEN.rglob("*") if path.is_file()} == wanted
