"""Random combinations of plugins with random settings run alike live and built, bit for bit.

`benchmarks/random_combinations.py` runs as many as asked for.
"""

import pytest
from combinations import combinations, present
from equality import live_and_built
from micro import micro
from test_plugin_contracts import NAMES

COUNT = 16


def test_a_seed_gives_the_same_combinations():
    assert combinations(2, seed=5) == combinations(2, seed=5) != combinations(2, seed=6)


@pytest.mark.slow
def test_the_combinations_hold_nearly_every_plugin():
    held = {name for names, _ in combinations(COUNT) for name in names}
    assert len(set(NAMES) - held - {name for name in NAMES if not present(name)}) <= 5


@pytest.mark.slow
@pytest.mark.parametrize("place", range(COUNT))
def test_a_random_combination_is_the_same_live_and_built(place, tmp_path, micro_data):
    names, settings = combinations(COUNT)[place]
    print(names, settings)
    live, built = live_and_built(micro(*names, **settings), tmp_path, micro_data)
    assert live["losses"] and live["final"]
    assert live == built
