"""The public records as sets of plugins."""

import json

from models import registry

from pgolf.challenge import RULES_FOLDER
from pgolf.lineage import LINEAGE_NAME, load_lineage, records_with
from pgolf.select import BASELINE


def test_every_name_is_a_plugin_beyond_the_baseline():
    known = registry().plugins
    for ancestor in load_lineage():
        assert ancestor.plugins <= set(known) - set(BASELINE), ancestor.record


def test_a_record_takes_away_only_what_the_one_before_it_had():
    plugins = {ancestor.record: ancestor.plugins for ancestor in load_lineage()}
    for row in json.loads((RULES_FOLDER / LINEAGE_NAME).read_text()):
        before = plugins.get(row["from"], frozenset())
        assert set(row.get("remove", ())) <= before and not set(row["add"]) & before, row["record"]


def test_records_come_best_first():
    found = records_with("sparse_attention_gate")
    assert [one.record for one in found] == ["PR #1855", "PR #1851", "PR #1787"]
    assert {"caseops", "lqer", "pergroup", "two_lanes"} <= found[0].plugins
    assert "dense_attention_gate" not in found[0].plugins and records_with("sigmoid_rescale") == []


RECIPES = Path(__file__).parent.parent / "submissions"
STAND_INS = {"pr1019", "pr1512"}
"""Recipes of which parts are still on their way."""


def test_a_recipe_has_what_its_record_is_made_of():
    """Or says with a comment what it lacks; what it has besides are stand-ins, or what others require."""
    for ancestor in load_lineage():
        text = (RECIPES / ancestor.recipe / "recipe.toml").read_text()
        lacks = ancestor.plugins - {name for layer in load_recipe(RECIPES / ancestor.recipe).layers for name in layer}
        if ancestor.recipe not in STAND_INS:
            assert not lacks or lacks <= SAID.get(ancestor.recipe, set()), (ancestor.recipe, lacks)
            assert "# Missing: " in text or ancestor.recipe not in INCOMPLETE


def test_the_page_says_what_a_record_changed():
    page = lineage_page(RECIPES)
    (line,) = (line for line in page.splitlines() if line.startswith("| [PR #1412]"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:4] == ["1.0835", "PR #1394", "-0.0021"]
    assert cells[4:6] == ["`hessian_sdclip`, `parallel_residual`, `progressive_loop`", "`layer_loop`"]
