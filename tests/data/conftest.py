"""One sample for all tests of data: it takes seconds to make."""

import pytest

from pgolf.data.sample import ensure_sample


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    return ensure_sample(tmp_path_factory.mktemp("sample"))
