"""Scripts of the families that the contest has seen: the loader runs each, none fails falsely, and their cheats are found."""

import pytest
from probe_server import Server
from script_families import CHEATS, FAMILIES, HERE, cheat, family

from pgolf.probe.probing import Prober
from pgolf.probe.workshop import Script
from pgolf.verify.code_program import read_program

OF_CI = ("packed, zlib and base64",)
ONLY = ("flip", "ledger", "bytes", "poison", "absence")
DECIDED_BY = {
    "rule.causal": ("flip",),
    "rule.scorefirst": ("flip", "suffix"),
    "rule.onepass": ("ledger",),
    "rule.bytelut": ("bytes",),
    "rule.calibval": ("poison",),
    "rule.normal": ("substitution",),
    "rule.hindsight": ("substitution",),
}


@pytest.fixture(scope="module")
def server():
    found = Server()
    yield found
    found.close()


def judged(tmp_path, server, text, only):
    source = read_program(text.encode(), lambda other: b"").unpacked.text
    result = Prober(Script("train_gpt.py", source), tmp_path / "work", server, 3, only).run()
    assert result.loaded == "", result.loaded
    return result.verdicts


def shown(verdicts):
    return [(one.status, one.rule, one.message) for one in verdicts.values()]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.ci if name in OF_CI else pytest.mark.slow) for name in FAMILIES]
)
def test_family(tmp_path, server, name):
    verdicts = judged(tmp_path, server, FAMILIES[name], ONLY)
    assert {one.status for one in verdicts.values()} == {"PASS"}, shown(verdicts)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHEATS)
def test_a_whole_script_is_run_and_passes(tmp_path, server, name):
    verdicts = judged(tmp_path, server, family(name), ONLY)
    kinds = {one.status for one in verdicts.values()}
    # Sliding windows as the public scripts have them count some of the last window twice.
    assert kinds == ({"PASS", "WARN"} if name == "ngram_backoff" else {"PASS"}), shown(verdicts)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "number"), [(name, number) for name in CHEATS for number in range(len(CHEATS[name]))])
def test_its_cheat_is_found(tmp_path, server, name, number):
    text, rule = cheat(name, number)
    verdicts = judged(tmp_path, server, text, DECIDED_BY[rule])
    assert verdicts[rule].status == "FAIL", shown(verdicts)
    assert {one.rule for one in verdicts.values() if one.status == "FAIL"} == {rule}, shown(verdicts)


def test_every_file_has_its_cheats():
    assert {path.stem for path in HERE.glob("*.py")} == {*CHEATS}
    assert all(cheat(name, number) for name in CHEATS for number in range(len(CHEATS[name])))
