"""Ranges nest, keep the clock on the wall, and wrap what an entry module has from plugins."""

import time
from types import ModuleType

import pytest
import torch

from pgolf.profile.ranges import Ranges


def test_seconds_count_for_the_innermost_range():
    ranges = Ranges()
    with ranges.on("export"):
        time.sleep(0.02)
        with ranges.open("outer"):
            time.sleep(0.04)
            with ranges.open("inner"):
                time.sleep(0.08)
    found = ranges.seconds
    assert found["export", "inner"] == pytest.approx(0.08, abs=0.03)
    assert found["export", "outer"] == pytest.approx(0.04, abs=0.03)
    assert found["export", ""] == pytest.approx(0.02, abs=0.03)
    assert set(found) == {("export", "inner"), ("export", "outer"), ("export", "")} and ranges.stage == ""


def make_entry():
    """An entry module with a function and a class of a plugin, and a function of the engine."""
    entry = ModuleType("entry")

    class Base:
        def step(self):
            return "step"

    class Part(Base):
        kept = 3

        def __init__(self):
            self.made = True

        def __call__(self):
            return self.step()

        def several(self):
            yield 1

    def tap():
        return "tap"

    def own():
        return "own"

    for thing in (Base, Part, tap):
        thing.__module__ = "plugins.part"
    entry.Part, entry.tap, entry.own, entry.number = Part, tap, own, 7
    own.__module__ = "pgolf.runtime.x"
    return entry


def test_components_of_plugins_are_wrapped_and_nothing_else():
    ranges, entry = Ranges(), make_entry()
    own = entry.own
    ranges.wrap_entry(entry, lambda module: "part" if module == "plugins.part" else "runtime")
    part = entry.Part()
    assert (part(), entry.tap(), entry.own(), [*part.several()], part.kept, part.made) == (
        "step",
        "tap",
        "own",
        [1],
        3,
        True,
    )
    assert set(ranges.seconds) == {("", "part")} and entry.own is own and entry.number == 7


def test_the_compiler_sees_the_function_alone():
    ranges = Ranges()
    call = ranges.wrapped(lambda x: x * 2, "part")
    torch._dynamo.reset()
    assert torch.compile(call, backend="eager", fullgraph=True)(torch.ones(2)).tolist() == [2.0, 2.0]
    assert not ranges.seconds
    assert call(torch.ones(1)).tolist() == [2.0] and ranges.seconds["", "part"] > 0
