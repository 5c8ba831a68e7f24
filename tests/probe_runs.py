"""One execution of a few lines with all stand-ins, for tests of what they stand for."""

import pytest
from probe_server import Server

from pgolf.probe.shrinking import Sizes
from pgolf.probe.workshop import Planned, Script, Workshop


@pytest.fixture(scope="module")
def run_lines(tmp_path_factory):
    server = Server()

    def run(text, hide=False):
        shop = Workshop(Script("train_gpt.py", text), Sizes(), tmp_path_factory.mktemp("run") / "work", server, 60.0, 1)
        return shop.run([Planned("base", shop.official, hide)])["base"]

    yield run
    server.close()
