"""Choices of how a plane is modelled."""

import numpy as np
import pytest

from pgolf.runtime import plane_choices
from pgolf.runtime.code_contexts import first_counts
from pgolf.runtime.code_planes import Plane
from pgolf.runtime.plane_choices import choose, code_plane, possible
from pgolf.runtime.rans import AdaptiveTables, Estimator, RansDecoder, RansEncoder


def fresh_tables():
    return AdaptiveTables(first_counts(1))


def plane_of(codes):
    return Plane(codes.shape, -1, -1, 0)


def chosen(codes):
    return choose(Estimator(fresh_tables()), 0, plane_of(codes), [codes], ())


def related_columns(seed=1):
    """Every column is about the one before it."""
    generator = np.random.default_rng(seed)
    steps = generator.normal(size=(1, 512, 24)) * 2
    return np.rint(steps.cumsum(2)).clip(-127, 127).astype(np.int8)


def test_regression_is_chosen_where_columns_tell_of_each_other():
    alone = np.rint(np.random.default_rng(1).normal(size=(1, 512, 24)) * 5).astype(np.int8)
    assert chosen(related_columns())[0] & 2
    assert not chosen(alone)[0] & 2


def test_a_choice_is_no_dearer_than_none():
    codes = related_columns()
    choice = chosen(codes)
    bits = []
    for flags in (0, choice[0]):
        trial = Estimator(fresh_tables())
        code_plane(trial, 0, plane_of(codes), [codes], [flags, *choice[1:]], ())
        bits.append(trial.bits)
    assert bits[1] < bits[0]


def test_a_few_matrices_of_many_choose_for_all(monkeypatch):
    codes = np.concatenate([related_columns(seed) for seed in range(11)])
    seen = []
    monkeypatch.setattr(Estimator, "keep", lambda self, places: seen.append(len(places)))
    monkeypatch.setattr(Estimator, "bits", property(lambda self: 0, lambda self, bits: None), raising=False)
    chosen(codes)
    assert sum(seen) % (6 * 512 * 24) == 0 and seen, "every second of 11 is coded in every trial"
    monkeypatch.undo()
    few = chosen(codes)
    monkeypatch.setattr(plane_choices, "SAMPLES", 11)
    assert few == chosen(codes) and len(few) == 12 and few[0] & 2


@pytest.mark.parametrize("flags", [0, 1, 2, 3, 10, 16])
def test_the_decoder_fills_the_plane_with_any_choice(flags):
    codes = related_columns()
    sizes = chosen(codes)[1:]
    coder, empty = RansEncoder(fresh_tables()), np.zeros_like(codes)
    code_plane(coder, 0, plane_of(codes), [codes.copy()], [flags, *sizes], ())
    decoder = RansDecoder(fresh_tables(), *coder.finish())
    code_plane(decoder, 0, plane_of(codes), [empty], [flags, *sizes], ())
    decoder.finish()
    assert np.array_equal(empty, codes)


def test_what_means_nothing_or_is_slow_is_not_tried():
    wide = Plane((1, 8, 2000), -1, -1, 0)
    assert not possible(2, 0, wide) and possible(2, 1, wide), "regression over 2,000 columns is slow, over 8 it is not"
    assert not possible(8, 0, wide) and possible(8, 2, wide), "a ridge is of a regression"
    assert not possible(4, 0, wide) and possible(4, 0, wide._replace(steps=0)), "without steps they tell nothing"
    assert not possible(1, 0, Plane((1, 2000, 8), -1, -1, 0)), "many rows are not transposed"
    assert not possible(16, 0, Plane((1, 8, 8), -1, -1, 0)), "a small plane takes no search"
