"""What a run needs: records, where they are collected, what is looked for and what is advised."""

import pytest
from click.testing import CliRunner

from pgolf import needs
from pgolf.cli.main import main
from pgolf.component import Need, Plugin
from pgolf.errors import PgolfError
from pgolf.lock import parse_lock
from pgolf.manager import load_registry
from pgolf.needs import collect_needs, how_to_install, is_present, missing_needs
from pgolf.recipe import Recipe
from pgolf.submission import make

FILE = """
from pgolf import Component, Need, Plugin, hookimpl

PLUGIN = Plugin(name="{name}", summary="s", source="s", family="architecture", needs={needs})


def {name}_scale(model, x, layer, position, ctx):
    return x


@hookimpl
def branch_inputs(settings):
    return Component({name}_scale)
"""


def plugin(name, *needs):
    return Plugin(name=name, summary="s", source="s", family="compressor", needs=needs)


def with_plugin(folder, name, needs):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(FILE.format(name=name, needs=needs))
    return folder


@pytest.mark.parametrize(
    ("need", "advice"),
    [
        (Need("python", "brotli", "w"), "pip install brotli"),
        (Need("program", "lrzip", "w"), "apt-get install lrzip"),
        (Need("gpu", "cuda", "w"), "run on a machine with a CUDA device (cuda)"),
        (Need("gpu", "sm_90", "w"), "run on a machine with a CUDA device (sm_90 or later)"),
    ],
)
def test_the_advice_depends_on_the_kind(need, advice):
    assert need.install == advice and how_to_install([need, need]) == f"{advice}; {advice}"


@pytest.mark.parametrize(
    ("kind", "name"),
    [("wheel", "x"), ("python", ""), ("program", "rm -r x"), ("program", "../x"), ("gpu", "H100"), ("gpu", "sm_9")],
)
def test_a_need_that_cannot_be_one_is_refused(kind, name):
    with pytest.raises(PgolfError, match="a need") as caught:
        Need(kind, name, "why")
    assert caught.value.code == "PG104" and caught.value.hint


def test_each_need_is_collected_once_with_its_first_reason():
    first, again = Need("python", "brotli", "packs"), Need("python", "brotli", "also packs")
    program = Need("program", "brotli", "another kind")
    found = collect_needs([plugin("a", first), plugin("b", again, program)], ("brotli", "zstandard"))
    assert found == (program, first, Need("python", "zstandard", "unpacks the built file"))


def test_a_package_is_no_program_and_a_program_no_package():
    assert is_present(Need("python", "brotli", "w")) and not is_present(Need("python", "sh", "w"))
    assert is_present(Need("program", "sh", "w")) and not is_present(Need("program", "pluggy", "w"))


@pytest.mark.parametrize(
    ("printed", "present"),
    [("9.0\n9.0\n", ("cuda", "sm_90", "sm_80")), ("9.0\n8.9\n", ("cuda", "sm_80")), ("", ()), ("No devices\n", ())],
)
def test_devices(printed, present, tmp_path, monkeypatch):
    """All of them must be good enough."""
    fake = tmp_path / "nvidia-smi"
    fake.write_text(f"#!/bin/sh\nprintf '{printed}'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert tuple(name for name in ("cuda", "sm_90", "sm_80") if is_present(Need("gpu", name, "w"))) == present


def test_a_smoke_run_needs_no_device(monkeypatch):
    monkeypatch.setattr(needs, "is_present", lambda need: False)
    wanted = [Need("gpu", "cuda", "w"), Need("program", "lrzip", "w")]
    assert missing_needs(wanted, smoke=False) == wanted and missing_needs(wanted, smoke=True) == wanted[1:]


@pytest.mark.parametrize("value", ['("brotli",)', '[Need("python", "brotli", "w")]', '(Need("wheel", "x", "w"),)'])
def test_a_plugin_with_wrong_needs_does_not_load(value, tmp_path):
    registry = load_registry([with_plugin(tmp_path / "plugins", f"bad_needs_{abs(hash(value)) % 1000}", value)])
    (problem,) = registry.problems
    assert "need" in problem.message


def test_needs_travel_from_plugin_to_lock_and_back(tmp_path):
    value = '(Need("program", "sh", "sings"),)'
    registry = load_registry([with_plugin(tmp_path / "plugins", "singing_scale", value)])
    lock = make(Recipe("test", layers=(("singing_scale",),), settings={"num_layers": 2}), registry, "plain").lock
    assert lock.needs == (Need("program", "sh", "sings"),)
    text = lock.dump()
    assert parse_lock(text.encode(), "here") == lock
    for old, new in (('"program"', '"wheel"'), ('"sh"', '"s h"'), ('"sings"', "3"), ('"why"', '"what"')):
        with pytest.raises(PgolfError, match="damaged") as caught:
            parse_lock(text.replace(old, new).encode(), "here")
        assert caught.value.code == "PG505"


def test_help_names_the_kind():
    shown = CliRunner().invoke(main, ["plugins", "show", "brotli"]).output
    assert "needs the python brotli: compresses the artifact and reads it back (pip install brotli)" in shown
    listed = CliRunner().invoke(main, ["plugins", "--family", "compressor"]).output
    assert "brotli (python)" in listed
