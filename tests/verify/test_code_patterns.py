"""Patterns, each with a text that fits and one that nearly does."""

import ast
import textwrap
import zlib
from pathlib import Path

import pytest
from folders import outcome
from written_code import HITS, write

import pgolf.runtime
from pgolf.verify.checks_code_rules import RULES
from pgolf.verify.code_patterns import PATTERNS, find

MORE = {
    "rule.bytelut": ["bytes_per_token = 2.436\n"],
    "rule.scorefirst": ["def pre_quant_ttt(model, val_tokens):\n    pass\n"],
    "rule.hindsight": [
        "best = torch.stack([nll_a, nll_b, nll_c]).min(0).values\n",
        "best = np.minimum.reduce(nlls)\n",
    ],
}


def rules_hit(text):
    return {hit.rule for hit in find(ast.parse(textwrap.dedent(text)), textwrap.dedent(text), "train_gpt.py")}


@pytest.mark.parametrize("rule", RULES)
def test_patterns(rule):
    wrong, right = HITS[rule]
    assert rules_hit(wrong) == {rule}
    assert rule not in rules_hit(right)
    for text in MORE.get(rule, []):
        assert rules_hit(text) == {rule}


def test_every_pattern_has_a_rule_and_a_source():
    assert {item.rule for item in PATTERNS} == set(RULES)
    assert all(item.source and item.function.__doc__ for item in PATTERNS)


def test_patterns_are_found_in_packed_code_and_in_scripts_beside(bare):
    inner = "h = collect_hessians(model, val_tokens)\n"
    write(bare, f"import zlib\nexec(zlib.decompress({zlib.compress(inner.encode())!r}))\n")
    assert outcome(bare, "rule.calibval").status == "WARN"
    write(bare, HITS["rule.disjoint"][0], "prepare_data.py")
    assert "prepare_data.py:1" in outcome(bare, "rule.disjoint").message


def test_pgolf_itself_has_no_hits():
    for path in sorted(Path(pgolf.runtime.__path__[0]).rglob("*.py")):
        text = path.read_text()
        assert find(ast.parse(text), text, path.name) == []
