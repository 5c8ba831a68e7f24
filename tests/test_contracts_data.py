"""Loaders, byte counters, fields and transforms: what their contracts promise, and that plugins' components keep it."""

import pytest
from contract_promises import check_first_party, check_promises, check_refusals, protocols

from pgolf.contracts import data

UNUSED = {"BatchShape"}
"""No plugin provides these at its defaults."""


def test_every_protocol_says_what_it_asks_for():
    check_promises(data)


@pytest.mark.parametrize("name", sorted(protocols(data)))
def test_the_components_of_plugins_fit(name):
    assert (check_first_party(protocols(data)[name]) > 0) is not (name in UNUSED)


@pytest.mark.parametrize("name", sorted(protocols(data)))
def test_what_does_not_fit_is_refused(name):
    check_refusals(protocols(data)[name])
