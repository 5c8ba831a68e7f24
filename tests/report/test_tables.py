"""Rows of a report: every figure, or "-"."""

import math

from pgolf.ablate.ablate import Ablation, Outcome, Run, compare
from pgolf.report.tables import ablation_table, card_table, results_table


def test_every_cell_of_a_phone_names_its_column():
    found = card_table(("name", "a<b"), [("x", "1")], ("a<b",))
    assert '<td class="n" data-label="a&lt;b">1</td>' in found and '<th scope="row">x</th>' in found


def test_mean_and_spread_stand_below_several_seeds():
    one = {"val_bpb": 1.0, "artifact_bytes": 1000.0, "steps": 4.0, "train_time_s": None}
    found = results_table({"seed 1": one, "seed <2>": {**one, "val_bpb": 1.5}})
    assert ">1.25000<" in found and ">0.35355<" in found and ">1,000<" in found and "seed &lt;2&gt;" in found
    assert 'data-label="train s">-<' in found
    assert "mean" not in results_table({"seed 1": one})


def test_effects_and_what_is_not_known():
    base, other = Run(1, 1.0, 100, 4, 8.0), Run(1, 1.1, 90, 4, 4.0)
    outcomes = (
        Outcome("base", (base,), None, (), ""),
        Outcome("-a", (other,), compare({1: base}, {1: other}, 3), (), ""),
        Outcome("+b", (), None, (), "it <broke>"),
    )
    found = ablation_table(Ablation(outcomes, math.nan))
    assert "+0.1000" in found and ">-10<" in found and "-1000.00" in found and "it &lt;broke&gt;" in found
    assert "not known, one seed only" in found and "nan" not in found
