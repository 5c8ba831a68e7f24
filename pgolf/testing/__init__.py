"""For the tests of plugins: tiny models, contexts, sessions and data, and all that every plugin must satisfy as one function.

    from pgolf.testing import check_plugin

    def test_contract(tmp_path):
        check_plugin("my_trick", tmp_path)

`CHECKS` holds the same promises one by one, for `pytest.mark.parametrize`; each takes a `PluginCase`. Everything runs on
the CPU in float32 on one thread, in seconds. Needs no pytest: what is broken is an AssertionError.
"""

from pgolf.runtime.ledger import Ledger
from pgolf.testing.checks import CHECKS, PluginCase, check_plugin
from pgolf.testing.models import (
    TINY,
    TinyModel,
    make_model,
    resolve_tiny,
    scramble,
    tiny_context,
    tiny_session,
    tiny_tokens,
)
from pgolf.testing.runs import MICRO, Data, Finished, live_and_built, make_data, run_program, run_recorded

__all__ = [
    "CHECKS",
    "MICRO",
    "TINY",
    "Data",
    "Finished",
    "Ledger",
    "PluginCase",
    "TinyModel",
    "check_plugin",
    "live_and_built",
    "make_data",
    "make_model",
    "resolve_tiny",
    "run_program",
    "run_recorded",
    "scramble",
    "tiny_context",
    "tiny_session",
    "tiny_tokens",
]
