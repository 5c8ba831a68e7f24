"""Axes: grids, random values, and the recipe of a point."""

import random
from collections import Counter

import pytest
from models import registry

from pgolf.errors import PgolfError
from pgolf.recipe import Recipe
from pgolf.sweep.space import Choices, Range, Space, recipe_of, text_of


def test_a_grid_has_every_combination_once_with_what_is_fixed():
    space = Space((Choices("a", (1, "x")), Range("b", 2, 6, True, step=2)), {"c": 0.5})
    points = [*space.grid("f")]
    assert points == [{"c": 0.5, "a": a, "b": b} for a in (1, "x") for b in (2, 4, 6)]
    assert [*Range("b", 0.1, 0.3, False, step=0.1).grid("f")] == [0.1, 0.2, 0.3]
    assert [*Range("b", 3, 5, True).grid("f")] == [3, 4, 5]


def test_a_grid_without_an_end_is_refused():
    for axes in ((Range("b", 0.0, 1.0, False),), (Range("b", 0, 10**6, True),), tuple(
        Choices(name, tuple(range(100))) for name in "abc"
    )):  # fmt: skip
        with pytest.raises(PgolfError) as caught:
            list(Space(axes, {}).grid("sweep.toml"))
        assert caught.value.code == "PG002" and caught.value.hint


def test_random_values_are_inside_and_cover_the_range():
    chance = random.Random(1)
    whole = Counter(Range("b", 2, 4, True).draw(chance) for _ in range(300))
    assert set(whole) == {2, 3, 4} and min(whole.values()) > 60
    steps = {Range("b", 0.5, 2.0, False, step=0.5).draw(chance) for _ in range(99)}
    assert steps == {0.5, 1.0, 1.5, 2.0}
    logs = [Range("b", 1e-4, 1.0, False, log=True).draw(chance) for _ in range(400)]
    assert all(1e-4 <= one <= 1 for one in logs) and 150 < sum(one < 1e-2 for one in logs) < 250
    assert isinstance(Range("b", 1, 100, True, log=True).draw(chance), int)


def test_values_go_to_optuna_and_come_back():
    optuna = pytest.importorskip("optuna")
    space = Space(
        (Choices("a", (1, True, "x")), Range("b", 1, 9, True, step=2), Range("c", 1e-3, 1.0, False, True)), {}
    )
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(20):
        trial = study.ask()
        point = space.point([axis.suggest(trial) for axis in space.axes])
        again = {axis.name: axis.internal(point[axis.name]) for axis in space.axes}
        assert again == trial.params and point["b"] in (1, 3, 5, 7, 9)
        for axis in space.axes:
            assert axis.distribution() == trial.distributions[axis.name]
    with pytest.raises(ValueError, match="nothing"):
        space.axes[0].internal("nothing")
    with pytest.raises(ValueError, match="10"):
        space.axes[1].internal(10)


def test_the_recipe_of_a_point():
    base = Recipe("base", (("swa", "pko"),), settings={"ema_decay": 0.9, "num_layers": 8})
    point = {"num_layers": 7, "plugins.x": "ema+-pko", "plugins.y": "", "bigram_dim": 32}
    recipe, used = recipe_of(base, point, registry())
    assert recipe.layers == (("swa",), ("ema",)) and recipe.remove == ("pko",)
    assert recipe.settings == {"ema_decay": 0.9, "num_layers": 7} and recipe.fixed == {"num_layers"}
    assert used == {"num_layers": 7, "plugins.x": "ema+-pko", "plugins.y": ""}, "no plugin here has bigram_dim"
    recipe, _ = recipe_of(base, {"plugins.y": ""}, registry())
    assert "ema_decay" not in recipe.settings, "its plugin is not there"
    with pytest.raises(PgolfError):
        recipe_of(base, {"plugins.x": "nothing"}, registry())


def test_a_setting_of_the_recipe_that_nobody_knows_stays_an_error():
    recipe, _ = recipe_of(Recipe("base", settings={"no_such": 1}), {"num_layers": 7}, registry())
    assert recipe.settings["no_such"] == 1


def test_one_text_for_one_point():
    assert text_of({"a": 1, "b": 2}) == text_of({"b": 2, "a": 1}) != text_of({"a": True, "b": 2})
