"""What a pass declares, and that nobody changes it afterwards."""

import dataclasses

import pytest

from pgolf.bundle.manager import PLAN
from pgolf.bundle.passes.constant_folding import CONSTANT_FOLDING
from pgolf.bundle.passes.contract import Pass

PASSES = {one.name: one for one in (*PLAN, CONSTANT_FOLDING)}


@pytest.mark.parametrize("one", PASSES.values(), ids=PASSES)
def test_every_pass_says_what_it_needs_and_gives(one):
    assert isinstance(one, Pass) and callable(one.run)
    assert one.name == one.name.lower() and " " not in one.name
    for sentence in (one.requires, one.ensures):
        assert sentence and sentence == sentence.strip() and "\n" not in sentence


def test_one_name_means_one_pass():
    assert len({id(one) for one in (*PLAN, CONSTANT_FOLDING)}) == len(PASSES)


def test_a_pass_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONSTANT_FOLDING.name = "another"
    assert hash(CONSTANT_FOLDING) == hash(dataclasses.replace(CONSTANT_FOLDING))
