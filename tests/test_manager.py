import importlib.metadata
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from pgolf import manager
from pgolf.component import Plugin
from pgolf.errors import PgolfError
from pgolf.manager import Loaded, chain, load_registry

GOOD = """
from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(name="{name}", summary="s", source="s", family="{family}")


def {name}_scale(x, layer, ctx):
    return x


@hookimpl
def {hook}({argument}):
    return Component({name}_scale)
"""


def plugin_file(folder, stem, name=None, family="architecture", hook="branch_inputs", argument="settings", text=None):
    """A plugin's source in a folder."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{stem}.py"
    path.write_text(text or GOOD.format(name=name or stem, family=family, hook=hook, argument=argument))
    return path


@pytest.fixture(autouse=True)
def clean_imports():
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if not name.startswith(("pgolf", "torch")):
            del sys.modules[name]


def one_problem(folder):
    registry = load_registry([folder])
    assert len(registry.problems) == 1
    return registry.problems[0]


def test_every_built_in_plugin_loads():
    registry = load_registry()
    assert not registry.problems
    assert registry.plugins["swa"].origin == "pgolf" and registry.plugins["swa"].version
    assert registry.plugins["swa"].slots == ("attention_kernel",)


def test_folders_give_plugins(tmp_path):
    path = plugin_file(tmp_path / "extra", "tm_good")
    plugin_file(tmp_path / "extra", "_helper", text="1 / 0")
    plugin_file(tmp_path / "extra", "test_tm_good", text="1 / 0")
    registry = load_registry([tmp_path / "extra"])
    assert not registry.problems
    loaded = registry.plugins["tm_good"]
    assert (loaded.path, loaded.origin) == (path, str(tmp_path / "extra")) and list(loaded.hooks) == ["branch_inputs"]


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(PgolfError) as caught:
        load_registry([tmp_path / "none"])
    assert caught.value.code == "PG001"


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"text": "raise RuntimeError('a\\nb')"}, "PG101", "RuntimeError: a"),
        ({"text": "import nothing_of_that_name"}, "PG101", "nothing_of_that_name"),
        ({"text": "def f(:"}, "PG101", "SyntaxError"),
        ({"text": "PLUGIN = 1"}, "PG104", "no PLUGIN record"),
        ({"name": "tm_other"}, "PG104", "the file is called 'tm_bad'"),
        ({"family": "magic"}, "PG104", "family is 'magic'"),
        ({"hook": "no_such_hook"}, "PG105", "unknown hooks no_such_hook"),
        ({"argument": "settings, model"}, "PG105", "model"),
        (
            {
                "text": GOOD.format(name="tm_bad", family="eval", hook="head", argument="settings").replace(
                    "@hookimpl", ""
                )
            },
            "PG105",
            "has no hook",
        ),
        (
            {
                "text": GOOD.format(name="tm_bad", family="eval", hook="head", argument="").replace(
                    'source="s"', 'source=" "'
                )
            },
            "PG104",
            "no source",
        ),
        (
            {"text": GOOD.format(name="tm_bad", family="eval", hook="head", argument="").replace("hook", "hook", 1)},
            "",
            "",
        ),
    ],
)
def test_a_broken_plugin_is_one_problem_and_stops_nothing(tmp_path, changes, code, message):
    plugin_file(tmp_path / "extra", "tm_bad", **changes)
    registry = load_registry([tmp_path / "extra"])
    assert "swa" in registry.plugins
    if not code:
        assert not registry.problems
        return
    (problem,) = registry.problems
    assert problem.code == code and message in problem.message and "\n" not in problem.message
    assert "tm_bad" not in registry.plugins
    with pytest.raises(PgolfError) as caught:
        registry.get("tm_bad")
    assert caught.value is problem, "asking for it says what is wrong with it"


def test_a_name_that_is_taken(tmp_path):
    plugin_file(tmp_path / "a", "swa")
    problem = one_problem(tmp_path / "a")
    assert problem.code == "PG103" and "is taken by" in problem.message


def test_a_module_name_that_is_taken(tmp_path):
    plugin_file(tmp_path / "a", "json")
    problem = one_problem(tmp_path / "a")
    assert problem.code == "PG101" and "module name json is taken" in problem.message


def test_installed_distributions_give_plugins(tmp_path, monkeypatch):
    plugin_file(tmp_path, "tm_installed")
    sys.path.insert(0, str(tmp_path))

    def point(name, value, load):
        return SimpleNamespace(name=name, value=value, load=load, dist=SimpleNamespace(name="tm-dist", version="3"))

    def load():
        return importlib.import_module("tm_installed")

    def fail():
        raise ImportError("no luck")

    points = [point("tm_installed", "tm_installed", load), point("entry_name", "tm_dist.tm_broken", fail)]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points if group == "pgolf.plugins" else [])
    registry = load_registry()
    assert (registry.plugins["tm_installed"].origin, registry.plugins["tm_installed"].version) == ("tm-dist", "3")
    assert [problem.code for problem in registry.problems] == ["PG101"]

    for name in ("tm_broken", "entry_name"):
        with pytest.raises(PgolfError, match="no luck"):
            load_registry().get(name)


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("x = 1\n\nimport nothing_of_that_name\n", 3, "install it"),
        ("x = 1\n\n\nassert x == 2, 'no'\n", 4, ""),
        ("x = 1\ndef f(:\n", 2, ""),
        ("def f():\n    return [][0]\n\n\nf()\n", 2, ""),
        (GOOD.format(name="tm_bad", family="eval", hook="stem_term", argument=""), 0, "did you mean stem_terms?"),
        (GOOD.format(name="tm_bad", family="eval", hook="anything", argument=""), 0, "pgolf plugins hooks"),
    ],
)
def test_a_problem_has_a_line_and_says_what_to_do(tmp_path, text, line, hint):
    path = plugin_file(tmp_path / "extra", "tm_bad", text=text)
    problem = one_problem(tmp_path / "extra")
    assert problem.where == (f"{path}:{line}" if line else str(path)) and hint in problem.hint


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(PgolfError, match="no plugin 'bank_qta'") as caught:
        load_registry().get("bank_qta", "here")
    assert (caught.value.code, caught.value.where) == ("PG102", "here") and "bank_qat" in caught.value.hint


def fake(name, order=50, before=(), after=()):
    """A loaded plugin with an order."""
    plugin = Plugin(name=name, summary="s", source="s", family="data", order=order, before=before, after=after)
    return Loaded(plugin, ModuleType(name), Path(name), "", "", {})


def names(plugins):
    return [loaded.plugin.name for loaded in chain(plugins)]


def test_chains_follow_order_then_name_whatever_comes_first():
    plugins = [fake("b"), fake("a"), fake("z", order=10)]
    assert names(plugins) == names(plugins[::-1]) == ["z", "a", "b"]


def test_before_and_after_win_over_order():
    assert names([fake("a", order=1, after=("z",)), fake("z", order=99)]) == ["z", "a"]
    assert names([fake("a"), fake("z", before=("a", "absent"))]) == ["z", "a"]


def test_a_circle_is_an_error():
    with pytest.raises(PgolfError, match="before/after of a, b") as caught:
        names([fake("a", before=("b",)), fake("b", before=("a",)), fake("c")])
    assert caught.value.code == "PG107"


def test_the_registry_module_orders_entry_points_by_name():
    assert manager.ENTRY_POINT_GROUP == "pgolf.plugins"
