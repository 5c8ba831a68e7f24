"""Random combinations of plugins with random settings run alike live and built, bit for bit.

`benchmarks/random_combinations.py` runs as many as asked for.
"""

import ast
import random
import re

import pytest
from combinations import FIXED, combination, combinations, present, varied
from equality import live_and_built
from micro import micro
from models import registry
from test_plugin_contracts import NAMES

COUNT, OF_CI = 16, 5


def test_a_seed_gives_the_same_combinations():
    first, second, other = (combination(["swa"], NAMES, random.Random(seed)) for seed in (5, 5, 6))
    assert first == second != other


def test_what_is_drawn_leaves_n_grams_that_the_corpus_repeats():
    """Of 8 tokens and less: longer contexts are never seen twice there, and then the run says that nothing was done."""
    settings = {setting.name: setting for setting in registry().plugins["ngram_tilt"].plugin.settings}
    shortest = set()
    for seed in range(40):
        rng = random.Random(seed)
        drawn = {name: varied(one, rng) for name, one in settings.items() if name not in FIXED}
        stream = micro("ngram_tilt", **drawn).entry
        shortest.add(min(ast.literal_eval(re.search(r"orders=(\([^)]*\))", stream)[1])))
    assert len(shortest) > 1 and max(shortest) <= 8


@pytest.mark.ci
def test_the_combinations_hold_nearly_every_plugin():
    held = {name for names, _ in combinations(COUNT) for name in names}
    assert len(set(NAMES) - held - {name for name in NAMES if not present(name)}) <= 5


@pytest.mark.parametrize(
    "place", [pytest.param(n, marks=pytest.mark.ci if n < OF_CI else pytest.mark.slow) for n in range(COUNT)]
)
def test_a_random_combination_is_the_same_live_and_built(place, tmp_path, micro_data):
    names, settings = combinations(COUNT)[place]
    print(names, settings)
    live, built = live_and_built(micro(*names, **settings), tmp_path, micro_data)
    assert live["losses"] and live["final"]
    assert live == built
