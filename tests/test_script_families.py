"""Scripts of the families that the contest has seen: which ones the loader runs, and that none of them fails falsely."""

import pytest
from probe_server import Server
from script_families import FAMILIES

from pgolf.probe.probing import Prober
from pgolf.probe.workshop import Script
from pgolf.verify.code_program import read_program

QUICK = ("packed, zlib and base64", "Triton without")


@pytest.fixture(scope="module")
def server():
    found = Server()
    yield found
    found.close()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in FAMILIES]
)
def test_family(tmp_path, server, name):
    text, runs = FAMILIES[name]
    source = read_program(text.encode(), lambda other: b"").unpacked.text
    only = ("flip", "ledger", "bytes", "poison", "absence")
    result = Prober(Script("train_gpt.py", source), tmp_path / "work", server, 3, only).run()
    statuses = {rule: verdict.status for rule, verdict in result.verdicts.items()}
    assert (result.loaded == "") == runs, result.loaded
    assert {*statuses.values()} == ({"PASS"} if runs else {"SKIP"}), [
        (rule, verdict.message) for rule, verdict in result.verdicts.items()
    ]
