"""Which points come next, and that no finished one comes again."""

import importlib.util

import pytest
from sweeps import write

from pgolf.errors import PgolfError
from pgolf.sweep.search import open_search, penalized
from pgolf.sweep.space import text_of
from pgolf.sweep.spec import load_spec
from pgolf.sweep.store import Row

CAP = 1000
RANDOM = "[search]\nmethod = '{}'\ntrials = {}\n[settings]\na = [1, 2, 3]\nb = {{ low = 0.0, high = 1.0 }}\n"


def spec_of(tmp_path, method="random", trials=8):
    return load_spec(write(tmp_path, RANDOM.format(method, trials)))


def row(point, bpb=1.0, state="finished", size=10):
    return Row("k", "f", point, state, val_bpb=bpb, bytes_total=size, clock=3.0)


def all_of(search, score=lambda point: 1.0):
    points = []
    while (point := search.ask()) is not None:
        points.append(point)
        search.tell(point, row(point, score(point)))
    return points


def same(point):
    return point


def test_a_grid_goes_on_where_it_was(tmp_path):
    spec = load_spec(write(tmp_path, "[settings]\na = [1, 2, 3]\nb = [true, false]\n"))
    points = all_of(open_search(spec, same, [], CAP))
    assert len(points) == 6
    rest = all_of(open_search(spec, same, [row(one) for one in points[1:4]], CAP))
    assert rest == [points[0], *points[4:]]


def test_random_points_are_those_of_the_seed(tmp_path):
    points = all_of(open_search(spec_of(tmp_path), same, [], CAP))
    assert len(points) == 8 and points == all_of(open_search(spec_of(tmp_path), same, [], CAP))
    rest = all_of(open_search(spec_of(tmp_path), same, [row(one) for one in points[:5]], CAP))
    assert rest == points[5:]


def test_a_space_that_is_used_up_ends(tmp_path):
    spec = load_spec(write(tmp_path, "[search]\nmethod = 'random'\ntrials = 50\n[settings]\na = [1, 2, 3]\n"))
    assert len(all_of(open_search(spec, same, [], CAP))) == 3
    assert all_of(open_search(spec, same, [row({"a": one}) for one in (1, 2, 3)], CAP)) == []


def test_points_that_are_one_are_asked_once(tmp_path):
    spec = load_spec(write(tmp_path, "[settings]\na = [1, 2, 3]\nb = [true, false]\n"))
    points = all_of(open_search(spec, lambda point: {"a": point["a"]}, [], CAP))
    assert [point["a"] for point in points] == [1, 2, 3]


def test_optuna_learns_and_goes_on(tmp_path):
    pytest.importorskip("optuna")

    def score(point):
        return (point["b"] - 0.7) ** 2 + 0.1 * point["a"]

    points = all_of(open_search(spec_of(tmp_path, "optuna", 40), same, [], CAP), score)
    assert len(points) == 40 and len({text_of(point) for point in points}) == 40
    early, late = points[:12], points[-12:]
    assert sum(map(score, late)) < sum(map(score, early)), "later points are better ones"
    known = [row(point, score(point)) for point in points[:30]]
    search = open_search(spec_of(tmp_path, "optuna", 40), same, known, CAP)
    assert len(search.study.trials) == 30
    rest = all_of(search, score)
    assert len(rest) == 10 and not {text_of(point) for point in rest} & {text_of(one.point) for one in known}
    assert sum(map(score, rest)) / 10 < sum(map(score, early)) / 12, "it knew what was there"


def test_optuna_hears_of_stopped_failed_and_too_large_trials(tmp_path):
    pytest.importorskip("optuna")
    search = open_search(spec_of(tmp_path, "optuna", 4), same, [row({"a": 9, "b": 0.5})], CAP)
    assert search.study.trials == [], "a point of another space"
    told = [row({}, 2.0, "stopped"), row({}, None, "failed"), row({}, 1.0, size=1500)]
    for one in told:
        point = search.ask()
        one.point = point
        search.tell(point, one)
    assert [trial.state.name for trial in search.study.trials] == ["PRUNED", "FAIL", "COMPLETE"]
    assert search.study.trials[2].value == 1.5 == penalized(told[2], CAP)


def test_optuna_on_a_used_up_space_ends(tmp_path):
    pytest.importorskip("optuna")
    spec = load_spec(write(tmp_path, "[search]\nmethod = 'optuna'\ntrials = 50\n[settings]\na = [1, 2, 3]\n"))
    assert len(all_of(open_search(spec, same, [], CAP))) == 3


def test_without_optuna_one_line_says_what_to_install(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "optuna" else find(name))
    with pytest.raises(PgolfError, match="needs optuna") as caught:
        open_search(spec_of(tmp_path, "optuna"), same, [], CAP)
    assert "pgolf[sweep]" in caught.value.hint
