"""Versions of the hooks: what fits, what is refused in one line, and that nothing promised has gone."""

import inspect
import textwrap
from pathlib import Path

import pytest

from pgolf import hookspecs
from pgolf.errors import PgolfError
from pgolf.hook_version import HOOK_VERSION, fits, parse
from pgolf.manager import load_registry

PROMISED = Path(__file__).with_name("hooks_1.txt")


def test_a_minor_number_may_be_older_and_a_major_one_not():
    assert fits("", "1.0") and fits("1.0", "1.0") and fits("1.2", "1.3") and fits("1.9", "1.10")
    assert not fits("1.1", "1.0") and not fits("2.0", "1.9") and not fits("1.0", "2.0")
    assert parse("1.2") == (1, 2) and parse("1") is None and parse("1.x") is None


@pytest.mark.parametrize("version", ["1", "1.0.0", "v1.0", "one", 1.0, None, ">=1.0"])
def test_what_is_no_version_is_an_error(version):
    with pytest.raises(PgolfError) as error:
        fits(version)
    assert error.value.code == "PG104" and HOOK_VERSION in error.value.hint


@pytest.mark.parametrize(
    ("wanted", "code", "said"),
    [("99.0", "PG109", "a newer pgolf"), ("0.1", "PG109", "a newer release of the plugin"), ("soon", "PG104", "write")],
)
def test_a_plugin_of_other_hooks_is_refused_in_one_line(tmp_path, wanted, code, said):
    name = f"later_{code.lower()}_{wanted.replace('.', '_')}"
    text = f'''
        from pgolf import Component, Plugin, hookimpl
        PLUGIN = Plugin(name="{name}", summary="x", source="x", family="architecture", hook_version="{wanted}")
        def scale(model, n_BTD, layer, position, ctx):
            return n_BTD
        @hookimpl
        def branch_inputs(settings):
            return Component(scale)
    '''
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
    registry = load_registry([tmp_path])
    (problem,) = registry.problems
    assert problem.code == code and "\n" not in problem.message and said in problem.hint and problem.where
    assert wanted in problem.message and name not in registry.plugins
    with pytest.raises(PgolfError):
        registry.get(name)


def test_what_was_promised_is_there():
    """A hook that is gone, or has lost an argument, needs a new major version and a new file."""
    assert PROMISED.stem == f"hooks_{HOOK_VERSION.partition('.')[0]}"
    for line in PROMISED.read_text().split("\n"):
        name, *arguments = line.split()
        family, shape = arguments.pop(0), " ".join(arguments.pop(0).split("-"))
        assert hookspecs.HOOKS.get(name) == (family, shape), f"{name} was a {shape} of {family}"
        have = list(inspect.signature(getattr(hookspecs, name)).parameters)
        assert have[: len(arguments)] == arguments, f"{name} was given {arguments}"
