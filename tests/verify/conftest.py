"""A folder as pgolf packages it, for the checks."""

import pytest
from folders import make_data, make_folder


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "toy")


@pytest.fixture
def bare(tmp_path):
    """The same without logs and artifacts: code alone."""
    return make_folder(tmp_path / "toy", trained=False)


@pytest.fixture
def data(tmp_path):
    """Validation and training shards of the stand-in program."""
    return make_data(tmp_path / "data")
