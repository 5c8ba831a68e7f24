"""Layouts and coders: what their contracts promise, and that the first party's components keep it."""

import pytest
from contract_promises import check_first_party, check_promises, check_refusals, protocols

from pgolf.contracts import compressor


def test_every_protocol_says_what_it_asks_for():
    check_promises(compressor)


@pytest.mark.parametrize("name", sorted(protocols(compressor)))
def test_the_components_of_plugins_fit(name):
    assert check_first_party(protocols(compressor)[name]) > 0


@pytest.mark.parametrize("name", sorted(protocols(compressor)))
def test_what_does_not_fit_is_refused(name):
    check_refusals(protocols(compressor)[name])
