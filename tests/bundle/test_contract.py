"""What a pass declares, and that nobody changes it afterwards."""

import dataclasses

import pytest

from pgolf.bundle.manager import PLAN
from pgolf.bundle.passes.contract import Pass

PASSES = {one.name: one for one in PLAN}


@pytest.mark.parametrize("one", PASSES.values(), ids=PASSES)
def test_every_pass_says_what_it_needs_and_gives(one):
    assert isinstance(one, Pass) and callable(one.run)
    assert one.name == one.name.lower() and " " not in one.name
    for sentence in (one.requires, one.ensures):
        assert sentence and sentence == sentence.strip() and "\n" not in sentence


def test_one_name_means_one_pass():
    assert len({id(one) for one in PLAN}) == len(PASSES)


def test_a_pass_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PLAN[0].name = "another"
    assert hash(PLAN[0]) == hash(dataclasses.replace(PLAN[0]))
