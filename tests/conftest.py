"""Tests run on one thread: bit equality holds at a fixed thread count."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)
