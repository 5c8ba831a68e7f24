"""Whether the package zstandard is there."""

import importlib.util

import pytest

needs_zstandard = pytest.mark.skipif(
    importlib.util.find_spec("zstandard") is None, reason="needs the package zstandard: pip install zstandard"
)
