"""Tests run on one thread: bit equality holds at a fixed thread count."""

import fcntl
import os
import time

import pytest
import torch
from micro import make_corpus

HOSTILE_SEED = 3024


def pytest_addoption(parser):
    parser.addoption("--hostile", type=int, default=24, help="how many hostile programs to draw (tests/bundle)")
    parser.addoption("--hostile-seed", type=int, default=HOSTILE_SEED, help="the seed of the first of them")
    parser.addoption("--update-golden", action="store_true", help="record what the builds of tests/golden give now")
    parser.addoption("--stop-at", type=float, help="skip tests that begin later than this (seconds since 1970)")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What is marked `ci` is slow, too, before tests are chosen by their marks."""
    for item in items:
        if item.get_closest_marker("ci"):
            item.add_marker("slow")


def pytest_runtest_setup(item):
    """A slow machine runs what fits and says what did not, rather than being stopped in the middle."""
    end = item.config.getoption("--stop-at")
    if end is not None and time.time() > end:
        pytest.skip(f"the time for tests is over: {item.nodeid}")


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def micro_data(tmp_path_factory):
    """A tiny corpus with its tokenizer."""
    return make_corpus(tmp_path_factory.mktemp("micro"))


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """The embedded sample, made once for all processes that run tests: it takes ten seconds. It is not to be changed."""
    from pgolf.data.sample import ensure_sample

    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (base / "sample.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return ensure_sample(base / "sample")


def pytest_terminal_summary(terminalreporter):
    """How many random examples the property tests ran."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "teardown":
                for text in [value for name, value in report.user_properties if name == "examples"]:
                    terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {text}")
