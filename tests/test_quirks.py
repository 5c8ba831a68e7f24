"""What the public scripts got wrong is off unless a recipe asks for it, and the page of recipes says where each thing is."""

import re
from pathlib import Path

import pytest
from models import registry

from pgolf.recipe import load_recipe

ROOT = Path(__file__).parent.parent
SECTION = (
    (ROOT / "docs" / "recipes.md").read_text().partition("## Quirks of the public scripts")[2].partition("\n## ")[0]
)
SETTINGS = {
    setting.name: (name, setting) for name, loaded in registry().plugins.items() for setting in loaded.plugin.settings
}
QUIRKS = sorted(name for name in SETTINGS if name.startswith("quirk_"))
NAMED = re.findall(r"`([a-z0-9_]+)`(?: of `([a-z0-9_]+)`)?", SECTION.partition("| --- | --- |")[2])


def test_every_quirk_is_a_switch_that_is_off():
    assert QUIRKS and [SETTINGS[name][1].default for name in QUIRKS] == [False] * len(QUIRKS)


def test_the_table_names_every_quirk_with_its_plugin():
    assert sorted(pair for pair in NAMED if pair[0].startswith("quirk_")) == [
        (name, SETTINGS[name][0]) for name in QUIRKS
    ]


@pytest.mark.parametrize(("name", "plugin"), sorted(set(NAMED)))
def test_what_the_table_names_is_there(name, plugin):
    assert name in SETTINGS or name in registry().plugins
    assert not plugin or name in {setting.name for setting in registry().plugins[plugin].plugin.settings}


@pytest.mark.parametrize("name", QUIRKS)
def test_a_record_has_each_quirk(name):
    """A quirk that no recipe needs would be a fault that nobody asked for."""
    recipes = [load_recipe(path.parent) for path in sorted((ROOT / "submissions").glob("*/recipe.toml"))]
    assert [recipe.name for recipe in recipes if recipe.settings.get(name)]


def test_averages_that_the_scripts_never_used_are_in_no_recipe():
    for record in ("pr414", "pr549", "pr1019"):
        layers = load_recipe(ROOT / "submissions" / record).layers
        assert "ema" in layers[0] and "stochastic_weight_average" not in layers[0]
