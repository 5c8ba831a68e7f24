"""Rules by patterns: a hit is a warning, and nothing seen is no proof."""

import lzma

from folders import outcome
from written_code import HITS, write

from pgolf.manager import Registry
from pgolf.verify.checks_code_rules import RULES
from pgolf.verify.report import all_checks, verify_folder


def test_a_hit_is_a_warning_with_line_and_excerpt(bare):
    write(bare, "import torch\nx = torch.minimum(nll_a, nll_b)\n")
    found = outcome(bare, "rule.hindsight")
    assert found.status == "WARN" and "train_gpt.py:2" in found.message
    assert found.evidence["findings"][0]["excerpt"] == "x = torch.minimum(nll_a, nll_b)"


def test_static_rules_never_fail():
    for item in all_checks():
        if item.id.startswith(("rule.", "code.")) and item.function.__module__.startswith("pgolf.verify.checks_code"):
            assert item.severity == "WARN"


def test_nothing_is_said_about_code_that_is_not_there(tmp_path):
    """A pass would claim that a script was read."""
    (tmp_path / "submission.json").write_text("{}")
    checks = verify_folder(tmp_path, Registry)["checks"]
    passed = [item["id"] for item in checks if item["status"] == "PASS"]
    assert not [name for name in passed if name.startswith(("rule.", "code."))]


XZ = lzma.compress(b"import torch\nprint('inner')\n" * 20, preset=9)


def test_what_is_seen_in_unread_code_is_still_said(bare):
    write(bare, "import requests\nx = torch.minimum(nll_a, nll_b)\nexec(TEXT)\n")
    assert outcome(bare, "code.network").status == outcome(bare, "rule.hindsight").status == "WARN"


def test_code_that_is_read_shows_no_rule(bare):
    for text in ("import torch\n", f"import lzma\nexec(lzma.decompress({XZ!r}))\n"):
        write(bare, text)
        assert outcome(bare, "code.unpack").status == outcome(bare, "code.imports").status == "PASS"
        for rule in RULES:
            found = outcome(bare, rule)
            assert found.status == "SKIP" and "nothing seen" in found.message


def test_patterns_that_stop_are_said(bare, monkeypatch):
    monkeypatch.setattr("pgolf.verify.code_uses.Visits.__init__", lambda self: setattr(self, "left", 5))
    write(bare, HITS["rule.scorefirst"][1])
    assert "too much for the patterns" in outcome(bare, "rule.scorefirst").message
