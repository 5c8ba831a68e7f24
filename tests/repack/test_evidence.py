"""Reasons."""

import ast

from pgolf.repack.evidence import GLOBALS, LATIN1, LOCALS, PACKING, TEXT, Evidence, Reason


def test_reasons_are_kept_once_and_say_their_line():
    evidence, node = Evidence(), ast.parse("\nx").body[0]
    for _ in range(2):
        evidence.add(node, "why not", LOCALS, GLOBALS)
    assert [str(reason) for reason in evidence.reasons] == [
        "line 2: no renaming local variables: why not",
        "line 2: no renaming top-level names: why not",
    ]
    assert evidence.reasons[0].as_record() == {"change": "locals", "line": 2, "why": "why not"}
    assert str(Reason(PACKING, 0, "why")) == "no packing: why"


def test_a_text_that_stays_forbids_all_changes_of_it_and_may_be_packed():
    evidence = Evidence()
    evidence.add(ast.Pass(), "why", TEXT)
    assert evidence.forbids(LOCALS) and evidence.forbids(TEXT) and not evidence.forbids(PACKING, LATIN1)
