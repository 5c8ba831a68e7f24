"""Random programs that change what they read, use libraries that look into objects, and rely on handlers: live equals built.

A program is named by its seed: `make_hostile(Random(seed))` makes it again, and `benchmarks/hunt.py` makes it small.
"""

import random
from collections import Counter

import pytest
from hostile_reduce import reduced
from hostile_stages import outcome, tried
from hostile_writer import SCENES, Writer, make_hostile

PACKS = ("plain", "latin1", "mix")


def try_programs(seeds, pack, record_property):
    """Tries them, and says how many there were of each kind."""
    counts = Counter()
    for seed in seeds:
        _, _, found = tried(seed, pack)
        counts[found.kind] += 1
        assert not found.is_fault, f"seed {seed}: {found.kind} at {found.stage}\n{found.detail}"
    record_property("examples", ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common()))
    assert counts["equal"] > 0.6 * counts.total(), counts


@pytest.mark.ci
def test_hostile_programs_survive_every_stage(record_property, pytestconfig):
    count, seed = (pytestconfig.getoption(name) for name in ("--hostile", "--hostile-seed"))
    try_programs(range(seed, seed + count), "plain", record_property)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(6))
def test_hundreds_of_hostile_programs_survive_every_stage(part, record_property):
    try_programs(range(100_000 + 100 * part, 100_100 + 100 * part), "plain", record_property)


@pytest.mark.slow
@pytest.mark.parametrize("pack", PACKS[1:])
def test_hostile_programs_survive_packing(pack, record_property):
    try_programs(range(200_000, 200_010), pack, record_property)


def test_every_scene_is_drawn_and_compiles():
    drawn = Counter()
    for name in SCENES:
        setattr(Counting, name, counting(name, drawn))
    for seed in range(250):
        compile("\n".join(Counting(random.Random(seed)).program()), "code_", "exec")
    assert set(drawn) == set(SCENES)


class Counting(Writer):
    """Counts the scenes that it draws."""


def counting(name, drawn):
    scene = getattr(Writer, name)

    def play(self, env):
        drawn[name] += 1
        return scene(self, env)

    return play


WRONG = """
def f(x, y):
    return x - y
def g(x):
    print(x)
    return x
def main(settings, program):
    g(1)
    print(f(5, g(3)))
"""


def test_a_fault_is_seen_and_made_small(monkeypatch):
    """A bundler that exchanges the operands of `-` is caught, and what is not needed for that goes."""
    import hostile_stages

    build = hostile_stages.bundled

    def wrong(entry, sources, pack="plain"):
        return build(entry, {**sources, "code_": sources["code_"].replace("x - y", "y - x")}, pack)

    monkeypatch.setattr(hostile_stages, "bundled", wrong)
    entry, sources = make_hostile(random.Random(0))
    found = outcome(entry, {**sources, "code_": WRONG})
    assert (found.kind, found.stage) == ("differs", "1_linked.py")
    smaller = reduced(entry, {**sources, "code_": WRONG}, found)["code_"]
    assert "x - y" in smaller and "g(1)" not in smaller
