"""Components that train: what their contracts promise, and that the first party's components keep it."""

import pytest
from contract_promises import check_first_party, check_promises, check_refusals, protocols

from pgolf.contracts import optimizer

OTHERS = {"Checkpoints", "PhaseStart"}
"""Not of a hook: other components, or the runtime, call these."""
UNUSED = {"GradientTap", "MatrixRate"}
"""No plugin provides these at its defaults."""


def test_every_protocol_says_what_it_asks_for():
    check_promises(optimizer, OTHERS)


@pytest.mark.parametrize("name", sorted(set(protocols(optimizer)) - OTHERS))
def test_the_components_of_plugins_fit(name):
    assert (check_first_party(protocols(optimizer)[name]) > 0) is not (name in UNUSED)


@pytest.mark.parametrize("name", sorted(set(protocols(optimizer)) - OTHERS))
def test_what_does_not_fit_is_refused(name):
    check_refusals(protocols(optimizer)[name])
