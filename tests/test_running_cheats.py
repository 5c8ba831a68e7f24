"""Cheats that show only while they run, and their honest twins: probes fail each cheat by its rule, and no twin by any."""

from pathlib import Path

import pytest
from probe_server import Server
from running_scripts import whole_file

from pgolf.probe.probing import Prober
from pgolf.probe.workshop import Script

CHEATS = Path(__file__).parent / "cheats" / "running"
ORDER, MIXED = ("flip", "suffix"), ("flip", "substitution")
# name -> (the rule, the probes that decide it).
CASES = {
    "target_in_the_cache_key": ("rule.normal", MIXED),
    "spread_over_the_bytes_of_the_token": ("rule.normal", MIXED),
    "a_gate_that_knows_the_answer": ("rule.normal", MIXED),
    "scores_of_another_temperature_for_the_right": ("rule.causal", MIXED),
    "unnormalised_logarithms": ("rule.normal", MIXED),
    "the_lesser_of_two_scores": ("rule.hindsight", MIXED),
    "the_least_of_all_epochs": ("rule.hindsight", ("ledger", "substitution")),
    "the_better_window": ("rule.hindsight", ("ledger", "flip")),
    "learning_before_scoring": ("rule.scorefirst", ORDER),
    "the_last_epoch": ("rule.scorefirst", ORDER),
    "warm_up_on_the_text": ("rule.scorefirst", ORDER),
    "a_last_epoch_on_validation": ("rule.scorefirst", ("poison", "flip")),
    "two_passes_over_the_text": ("rule.onepass", ORDER),
    "windows_that_overlap": ("rule.onepass", ("ledger",)),
    "a_part_of_the_text": ("rule.onepass", ("ledger",)),
    "a_mean_over_more": ("rule.onepass", ("ledger",)),
    "easy_tokens_weigh_more": ("rule.onepass", ("ledger",)),
    "slot_on_the_scored_window": ("rule.causal", ORDER),
    "a_shift_the_wrong_way": ("rule.causal", ORDER),
    "a_mean_taken_over_the_row": ("rule.causal", ORDER),
    "chunks_sorted_by_their_loss": ("rule.onepass", ORDER),
    "a_smear_over_the_border": ("rule.boundary", ("border",)),
    "statistics_of_the_validation_text": ("rule.calibval", ("poison",)),
    "training_shards_while_scoring": ("rule.calibtrain", ("absence",)),
    "bytes_of_the_word_mark": ("rule.bytelut", ("bytes",)),
    "a_space_that_counts_twice": ("rule.bytelut", ("bytes",)),
    "the_name_of_a_byte": ("rule.bytelut", ("bytes",)),
}
QUICK = ("the_name_of_a_byte",)
OF_CI = ("windows_that_overlap", "a_smear_over_the_border", "statistics_of_the_validation_text")


def marks(name):
    if name in QUICK:
        return ()
    return pytest.mark.ci if name in OF_CI else pytest.mark.slow


@pytest.fixture(scope="module")
def server():
    found = Server()
    yield found
    found.close()


def judged(server, folder, name, kind):
    script = Script("train_gpt.py", whole_file(CHEATS / f"{name}.{kind}.py"))
    return Prober(script, folder, server, 7, CASES[name][1]).run()


def shown(result):
    return [result.loaded, *(f"{one.status} {one.rule}: {one.message}" for one in result.verdicts.values())]


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks(name)) for name in CASES])
def test_cheat_and_twin(tmp_path, server, name):
    rule = CASES[name][0]
    cheat, twin = (judged(server, tmp_path / kind, name, kind) for kind in ("cheat", "twin"))
    wanted = "WARN" if rule == "rule.boundary" else "FAIL"
    failed = {one.rule for one in cheat.verdicts.values() if one.status in ("FAIL", "WARN")}
    assert cheat.verdicts[rule].status == wanted and failed == {rule}, shown(cheat)
    assert cheat.verdicts[rule].findings and "position" in cheat.verdicts[rule].findings[0]
    assert twin.verdicts[rule].status == "PASS", shown(twin)
    assert not [one for one in twin.verdicts.values() if one.status in ("FAIL", "WARN")], shown(twin)


def test_every_script_has_a_twin_and_a_case():
    names = {
        path.name.removesuffix(f".{kind}.py") for kind in ("cheat", "twin") for path in CHEATS.glob(f"*.{kind}.py")
    }
    assert names == {*CASES} and len([*CHEATS.glob("*.py")]) == 2 * len(CASES)
