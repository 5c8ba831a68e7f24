"""Python's garbage collector, put off."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

# What counts as old is hardly ever looked through by itself, so a process of many builds (tests, notebooks, sweeps) would keep
# the garbage of all: tens of megabytes each. One command has fewer pauses than this.
PAUSES_BETWEEN_COLLECTIONS = 6
_pauses = count(1)


@contextmanager
def paused_collector() -> Iterator[None]:
    """Look for no garbage for a while.

    Imports, syntax trees and scopes make many objects that live to the end; to look for garbage among them again and again is a
    tenth of the import of PyTorch and a fifth of a build.
    """
    enabled = gc.isenabled()
    if enabled and not next(_pauses) % PAUSES_BETWEEN_COLLECTIONS:
        gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if not gc.get_freeze_count():
                # What was made counts as old from here on; as new, all of it would be looked through at once.
                gc.freeze()
                gc.unfreeze()
            gc.enable()


@contextmanager
def frozen_objects() -> Iterator[None]:
    """Take all objects there are out of the garbage collector's sight for a while."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
