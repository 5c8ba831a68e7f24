"""What is measured in the child: its stages, and the clock on the wall."""

import time
from types import SimpleNamespace

import pytest
import torch

from pgolf.profile.child import in_stages, timed
from pgolf.profile.ranges import Ranges


def test_parts_of_a_step_are_stages_and_scoring_keeps_its_own():
    ranges, seen = Ranges(), []

    def part(name):
        return lambda *args, **kwargs: seen.append((name, ranges.stage)) or (name, args, kwargs)

    session = SimpleNamespace(next_batch=part("batch"), forward=part("forward"))
    optimizers = SimpleNamespace(step=part("step"))
    in_stages(session, optimizers, ranges)
    assert session.forward(1, phases=()) == ("forward", (1,), {"phases": ()})
    session.next_batch()
    optimizers.step(2)
    with ranges.on("score"):
        session.forward(3)
    assert seen == [("forward", "forward"), ("batch", "data"), ("step", "optimizer"), ("forward", "score")]
    assert {stage for stage, _ in ranges.seconds} == {"forward", "data", "optimizer", "score"} and ranges.stage == ""


def test_milliseconds_are_of_the_clock_on_the_wall():
    assert timed(lambda: time.sleep(0.03), torch.device("cpu")) == pytest.approx(30, abs=20)
