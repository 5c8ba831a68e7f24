"""Generated pages equal what generates them; every hook is used by the engine and covered by a page."""

import re
from pathlib import Path

import pytest

from pgolf import docs, hookspecs
from pgolf.component import FAMILIES
from pgolf.runtime.program import Program

ROOT = Path(__file__).parent.parent


def without_bytes(page):
    """Bytes of recipes are those of the locks, which change with every module of the running program."""
    return re.sub(r"\| [\d,]* \|$", "| |", page, flags=re.MULTILINE)


@pytest.mark.parametrize("name", docs.PAGES)
def test_generated_page_is_current(name):
    page, made = (ROOT / "docs" / name).read_text(), docs.PAGES[name]()
    assert without_bytes(page) == without_bytes(made), "run python -m pgolf.docs"


def test_every_hook_is_a_field_of_the_program_or_of_the_entry():
    # Some become parameter records, some parts of recipes; transforms prepare data.
    elsewhere = {"initializer", "parameter_layout", "parameters", "dropped_matrices", "rounding", "clip_taps"}
    elsewhere.add("text_transform")
    assert set(hookspecs.HOOKS) - elsewhere == set(Program._fields) - {
        "calibrated",
        "checkpoints",
        "fallbacks",
        "grouped",
        "phases_after_training",
        "plugins",
        "skip_rows",
    }


@pytest.mark.parametrize("name", sorted(set(Program._fields)))
def test_every_field_is_read_by_the_running_program(name):
    sources = [path.read_text() for path in (ROOT / "pgolf" / "runtime").glob("*.py")]
    sources += [path.read_text() for path in (ROOT / "plugins").glob("*/*.py")]
    assert any(f"program.{name}" in text for text in sources)


def test_families_are_those_of_the_plugin_folders():
    folders = {path.name for path in (ROOT / "plugins").iterdir() if path.is_dir() and not path.name.startswith("_")}
    assert folders == set(FAMILIES)
