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
