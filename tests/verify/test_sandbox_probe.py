"""What the attempts of the self-test say where there is no sandbox."""

import pytest

from pgolf.verify.sandbox import Sandbox, self_tested


def test_without_a_sandbox_the_report_says_what_is_open():
    found = self_tested("none")[0]
    assert {"files", "mounts", "network", "processes"} <= set(found.open)
    assert found.evidence()["network_blocked"] is False
    assert Sandbox("network namespace", ("network",), ("files",)).evidence()["network_blocked"] is True


@pytest.mark.skipif(self_tested("network namespace")[0] is None, reason="needs unshare and user namespaces")
def test_a_network_namespace_is_good_for_the_network_alone():
    found = self_tested("network namespace")[0]
    assert "network" in found.held and "files" in found.open
