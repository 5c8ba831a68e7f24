"""One verdict a rule, and probes that are documented."""

from pathlib import Path

from pgolf.probe.verdicts import PROBES, RULES, Verdict, worst


def test_a_failure_wins():
    verdicts = [Verdict("rule.normal", status, status, "p") for status in ("PASS", "SKIP", "FAIL", "WARN", "PASS")]
    assert worst(verdicts)["rule.normal"].status == "FAIL" and worst(verdicts[:2])["rule.normal"].status == "SKIP"


def test_probes_decide_all_rules_and_the_docs_name_them():
    assert {rule for _, rules in PROBES.values() for rule in rules} == {*RULES}
    text = Path(__file__).parents[2].joinpath("docs/verification.md").read_text()
    assert [name for name in PROBES if f"`{name}`" not in text] == []
