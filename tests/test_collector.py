"""Putting the garbage collector off."""

import gc
import itertools
import weakref

import pytest

from pgolf.collector import PAUSES_BETWEEN_COLLECTIONS, frozen_objects, paused_collector


@pytest.fixture(autouse=True)
def collector(monkeypatch):
    """Pauses counted from one, and the collector as it was after each test."""
    monkeypatch.setattr("pgolf.collector._pauses", itertools.count(1))
    enabled = gc.isenabled()
    # A library may have left objects frozen in this process; the collector is then left as it is.
    gc.unfreeze()
    yield
    (gc.enable if enabled else gc.disable)()


def test_nothing_is_collected_within_nor_right_after():
    seen = []
    # Otherwise what the tests before this one left may be due just before the pause.
    gc.collect()
    gc.enable()
    gc.callbacks.append(lambda phase, info: seen.append((phase, info["generation"])))
    try:
        with paused_collector():
            assert not gc.isenabled()
            made = [[number] for number in range(100_000)]
        assert gc.isenabled() and len(made) == 100_000
    finally:
        gc.callbacks.pop()
    assert not seen


def test_garbage_of_a_pause_is_found_later():
    class Node:
        pass

    found = []
    with paused_collector():
        node = Node()
        node.itself = node
        gc.callbacks.append(lambda phase, info: found.append(info["collected"]))
        del node
    try:
        gc.collect()
    finally:
        gc.callbacks.pop()
    assert sum(found) > 0


def test_a_collector_that_is_off_stays_off_and_what_is_frozen_stays_frozen():
    gc.disable()
    with paused_collector():
        pass
    assert not gc.isenabled()
    gc.enable()
    gc.freeze()
    try:
        before = gc.get_freeze_count()
        with paused_collector():
            pass
        assert gc.get_freeze_count() == before and gc.isenabled()
    finally:
        gc.unfreeze()


def test_frozen_objects_are_seen_again_after_an_error():
    before = gc.get_freeze_count()
    with pytest.raises(KeyboardInterrupt), frozen_objects():
        assert gc.get_freeze_count() > before
        raise KeyboardInterrupt
    assert gc.get_freeze_count() == 0


def test_many_pauses_do_not_keep_the_garbage_of_all():
    class Node:
        pass

    gc.enable()
    with paused_collector():
        node = Node()
        node.itself = node
        gone = weakref.ref(node)
        del node
    for _ in range(PAUSES_BETWEEN_COLLECTIONS):
        with paused_collector():
            pass
    assert gone() is None
