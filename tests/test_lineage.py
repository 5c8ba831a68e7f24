"""The public records as sets of plugins."""

import json
from pathlib import Path

from models import registry

from pgolf.challenge import RULES_FOLDER
from pgolf.lineage import LINEAGE_NAME, load_lineage, records_with
from pgolf.recipe import load_recipe
from pgolf.select import BASELINE, select


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
    merged = [one.record for one in found if "not merged" not in one.record]
    assert merged == ["PR #1855", "PR #1851", "PR #1787"]
    assert [one.score for one in found] == sorted(one.score for one in found)
    assert {"caseops", "lqer", "pergroup", "two_lanes"} <= found[0].plugins
    assert "dense_attention_gate" not in found[0].plugins and records_with("sigmoid_rescale") == []


RECIPES = Path(__file__).parent.parent / "submissions"
BESIDE = {"pr1019": {"hessian_all_reduce"}, "pr1512": {"hessian_all_reduce"}}
"""What these have besides: what stands for another plugin, or is required by one."""


def test_a_recipe_is_what_its_record_is_made_of():
    for ancestor in load_lineage():
        recipe = load_recipe(RECIPES / ancestor.recipe)
        named = {name for layer in recipe.layers for name in layer}
        assert ancestor.plugins <= set(select(recipe, registry()).plugins), ancestor.recipe
        assert named - ancestor.plugins <= BESIDE.get(ancestor.recipe, set()), ancestor.recipe
