"""Choices of how a plane is modelled."""

from functools import cache

import numpy as np
import pytest

from pgolf.runtime import plane_choices
from pgolf.runtime.code_contexts import first_counts
from pgolf.runtime.code_planes import Plane
from pgolf.runtime.plane_choices import LARGE, choose, code_plane, possible
from pgolf.runtime.rans import AdaptiveTables, RansDecoder, RansEncoder


def fresh_tables():
    return AdaptiveTables(first_counts(1))


def plane_of(codes):
    return Plane(codes.shape, -1, -1)


def chosen(codes):
    return choose(RansEncoder(fresh_tables()), codes, plane_of(codes), [], ())


def related_columns(seed=1, rows=512):
    """Every column is about the one before it."""
    generator = np.random.default_rng(seed)
    steps = generator.normal(size=(1, rows, 24)) * 2
    return np.rint(steps.cumsum(2)).clip(-127, 127).astype(np.int8)


@cache
def chosen_for_related_columns():
    """To choose takes seconds: once for all tests."""
    return chosen(related_columns())


def test_regression_is_chosen_where_columns_tell_of_each_other():
    alone = np.rint(np.random.default_rng(1).normal(size=(1, 512, 24)) * 5).astype(np.int8)
    assert chosen_for_related_columns()[0] & 2
    assert not chosen(alone)[0] & 2


def test_a_choice_is_no_dearer_than_none():
    codes = related_columns()
    choice = chosen_for_related_columns()
    bits = []
    for flags in (0, choice[0]):
        trial = RansEncoder(fresh_tables())
        code_plane(trial, codes, plane_of(codes), [], [flags, *choice[1:]], ())
        bits.append(trial.bits)
    assert bits[1] < bits[0]


def test_a_few_matrices_of_many_choose_for_all(monkeypatch):
    codes = np.concatenate([related_columns(seed, 96) for seed in range(11)])
    seen = []
    learn = AdaptiveTables.learn
    monkeypatch.setattr(AdaptiveTables, "learn", lambda self, places: (seen.append(len(places)), learn(self, places)))
    few = chosen(codes)
    assert sum(seen) % (6 * 96 * 24) == 0 and seen, "every second of 11 is coded in every trial"
    monkeypatch.setattr(plane_choices, "SAMPLES", 11)
    all_of_them = chosen(codes)
    assert len(few) == 12 and few[0] & 2 and all_of_them[0] & 2 and few[1:] == all_of_them[1:]


@pytest.mark.parametrize("rows", [1024, 1025])
def test_tables_begin_anew_with_large_planes(rows):
    """What came before is no like it, and costs more than to learn it again; a small plane has too little to learn from."""
    codes = np.rint(np.random.default_rng(1).normal(size=(1, rows, 64)) * 5).astype(np.int8)
    coder = RansEncoder(fresh_tables())
    coder.tables.learn(np.random.default_rng(0).integers(0, 96 * 4 * 256, 10**6))
    code_plane(coder, codes, plane_of(codes), [], [0, 25.0], ())
    assert coder.tables.seen == codes.size + (0 if codes.size > LARGE else 10**6)


def test_a_trial_on_some_matrices_has_the_tables_of_all():
    """A plane that is large as a whole begins anew in its trials as well."""
    codes = np.concatenate([related_columns(seed, 384) for seed in range(8)])
    assert codes.size > LARGE > codes[::2].size
    coder = RansEncoder(fresh_tables())
    code_plane(coder, codes[::2], plane_of(codes), [], [0, *[100.0] * 4], (), 2)
    assert coder.tables.seen == codes[::2].size


@pytest.mark.ci
def test_rows_of_equal_sums_are_seen():
    codes = np.random.default_rng(1).normal(size=(1, 1024, 64))
    codes = np.rint(codes * 24 / np.sqrt(np.square(codes).sum(2, keepdims=True))).astype(np.int8)
    assert chosen(codes)[0] & 8
    assert not chosen(np.rint(np.random.default_rng(1).normal(size=(1, 1024, 64)) * 3).astype(np.int8))[0] & 8


@pytest.mark.parametrize("flags", [0, 1, 2, 3, 8, 10])
def test_the_decoder_fills_the_plane_with_any_choice(flags):
    codes = related_columns()
    sizes = chosen_for_related_columns()[1:]
    coder, empty = RansEncoder(fresh_tables()), np.zeros_like(codes)
    code_plane(coder, codes.copy(), plane_of(codes), [], [flags, *sizes], ())
    decoder = RansDecoder(fresh_tables(), *coder.finish())
    code_plane(decoder, empty, plane_of(codes), [], [flags, *sizes], ())
    assert decoder.read == len(decoder.words)
    assert np.array_equal(empty, codes)


def test_what_means_nothing_or_is_slow_is_not_tried():
    wide = Plane((1, 8, 2000), -1, -1)
    assert not possible(2, 0, wide) and possible(2, 1, wide), "regression over 2,000 columns is slow, over 8 it is not"
    assert not possible(4, 0, wide) and possible(4, 0, wide._replace(steps=0)), "without steps they tell nothing"
    assert not possible(1, 0, Plane((1, 2000, 8), -1, -1)), "many rows are not transposed"
    assert possible(8, 2, wide) and not possible(8, 1, wide), "rows have equal sums, columns hardly ever"


def test_a_small_plane_takes_no_search():
    assert chosen(np.ones((1, 64, 64), np.int8))[0] == 0 == chosen(np.zeros((1, 0, 3), np.int8))[0]
