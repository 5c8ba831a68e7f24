"""Python's garbage collector, put off."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """Look for no garbage for a while.

    Imports, syntax trees and scopes make many objects that live to the end; to look for garbage among them again and again is a
    tenth of the import of PyTorch and a fifth of a build.
    """
    enabled = gc.isenabled()
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
