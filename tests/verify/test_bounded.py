"""Whatever a folder holds, the reader answers in time and memory, keeps what it judged, and says what it did not."""

import json
import subprocess
import sys
import time

import pytest
from folders import make_folder

from pgolf.manager import Registry
from pgolf.verify import bounded
from pgolf.verify.bounded import verify_bounded
from pgolf.verify.checks_code import check_unpack
from pgolf.verify.checks_lock import check_rebuild
from pgolf.verify.folder import RunPlan, View
from pgolf.verify.registry import CHECKS, passed
from pgolf.verify.report import verify


@pytest.fixture
def folder(tmp_path):
    made = make_folder(tmp_path / "toy")
    (made / "pgolf.lock").unlink()
    return made


def make(folder):
    return View(folder, Registry)


def replace(monkeypatch, function, id="code.unpack"):
    """One check in the middle does something bad."""
    item = CHECKS[id]
    assert item.function in (check_unpack, check_rebuild)

    def instead(view):
        return function(view)

    instead.__module__ = item.function.__module__
    monkeypatch.setitem(CHECKS, id, type(item)(item.id, item.severity, "s", "t", instead))


def judged(folders, at_once=1):
    return [{row["id"]: row for row in report["checks"]} for report, _ in verify_bounded(folders, make, at_once)]


def test_the_same_report_as_in_one_process(folder):
    ((report, numbers),) = verify_bounded([folder], make, 1, drawn=True)
    assert report == verify(make(folder)) and numbers.seeds and report["checks"][-1]["status"] == "PASS"


def busy(view):
    while True:
        pass


def greedy(view):
    return passed(str(len([bytearray(2**24) for _ in range(40)])))


def rude(view):
    import os
    import signal

    os.kill(os.getpid(), signal.SIGUSR1)


def sleepy(view):
    time.sleep(60)


@pytest.mark.ci
@pytest.mark.parametrize("bad", [busy, greedy, rude, sleepy])
def test_limits(folder, monkeypatch, bad):
    monkeypatch.setattr(bounded, "CPU_SECONDS", 1)
    monkeypatch.setattr(bounded, "WALL_SECONDS", 3.0)
    replace(monkeypatch, bad)
    start = time.monotonic()
    (rows,) = judged([folder])
    assert time.monotonic() - start < 12
    assert rows["pkg.files"]["status"] == "PASS" and rows["code.unpack"]["status"] == "SKIP"
    assert rows["pkg.limits"]["status"] == "FAIL" and rows["pkg.limits"]["message"]
    others = {row["status"] for row in rows.values()}
    assert bad is greedy or rows["val.bytes"]["status"] == "SKIP", others


@pytest.mark.ci
def test_one_bad_folder_among_good_ones(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(bounded, "CPU_SECONDS", 1)
    replace(monkeypatch, lambda view: busy(view) if view.root.name == "bad" else passed("x"))
    bad = make_folder(tmp_path / "bad")
    (bad / "pgolf.lock").unlink()
    for at_once in (1, 3):
        rows = judged([folder, bad, folder, folder], at_once)
        assert [row["pkg.limits"]["status"] for row in rows] == ["PASS", "FAIL", "PASS", "PASS"]


@pytest.mark.ci
def test_every_folder_has_the_seconds_and_the_memory_of_one(folder, monkeypatch):
    """Though one child reads several."""
    monkeypatch.setattr(bounded, "CPU_SECONDS", 2)

    def work(view):
        end, kept = time.process_time() + 0.8, bytearray(300 * 2**20)
        while time.process_time() < end:
            pass
        return passed(str(len(kept)))

    replace(monkeypatch, work)
    rows = judged([folder] * 4)
    assert {row["pkg.limits"]["status"] for row in rows} == {"PASS"}


def test_building_and_running_are_left_to_a_second_child(tmp_path):
    # In a process of its own: a copy of this one, which has threads of PyTorch and of pytest, may wait for them forever.
    words = ["verify", str(make_folder(tmp_path / "toy")), "--repack", "--json"]
    command = [sys.executable, "-c", f"from pgolf.cli.main import main; main({words})"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    report = json.loads(done.stdout)
    rows = {row["id"]: row for row in report["checks"]}
    assert rows["lock.rebuild"]["status"] in ("FAIL", "SKIP") and "not judged" not in rows["lock.rebuild"]["message"]
    assert "packed again" in rows["size.accounts"]["message"]
    assert [row["id"] for row in report["checks"]] == [check.id for check in bounded.all_checks()]


def rebuilt(folder, plan=None):
    """(the two rows that building again concerns, seconds of it)."""
    start = time.monotonic()
    ((report, _),) = verify_bounded([folder], lambda folder: View(folder, Registry, plan or RunPlan()), 1)
    rows = {row["id"]: row for row in report["checks"]}
    return rows["lock.rebuild"], rows["pkg.limits"], time.monotonic() - start


@pytest.mark.ci
@pytest.mark.parametrize("bad", [busy, sleepy])
def test_building_has_what_reading_left_of_the_answer(tmp_path, monkeypatch, bad):
    monkeypatch.setattr(bounded, "ANSWER_SECONDS", 1)
    monkeypatch.setattr(bounded, "WALL_SECONDS", 45.0)
    replace(monkeypatch, bad, "lock.rebuild")
    rebuild, limits, seconds = rebuilt(make_folder(tmp_path / "toy"))
    assert seconds < 12 and rebuild["status"] == "SKIP" and limits["status"] == "WARN"
    for row in rebuild, limits:
        assert "more than" in row["message"] and "--rebuild-limit 60" in row["message"]


def test_reading_leaves_less_for_building(tmp_path):
    job = bounded.Job(tmp_path, RunPlan(), later=["lock.rebuild"], second=True, spent=4.5)
    assert (job.seconds, job.wall) == (14.5, 58.0)
    job.spent = 30.0
    assert job.seconds == 1.0
    for plan, later, seconds in (
        (RunPlan(rebuild_limit=90.0), "lock.rebuild", 90.0),
        (RunPlan(repack=True), "size.accounts", bounded.PACK_SECONDS),
        (RunPlan(True), "run.score", bounded.FOREVER),
    ):
        assert bounded.Job(tmp_path, plan, later=[later], second=True).seconds == seconds


def test_building_has_a_limit_on_memory_but_where_time_was_given(tmp_path, monkeypatch):
    replace(monkeypatch, greedy, "lock.rebuild")
    folder = make_folder(tmp_path / "toy")
    rebuild, limits, _ = rebuilt(folder)
    assert rebuild["status"] == "SKIP" and "memory" in rebuild["message"], rebuild
    rebuild, limits, _ = rebuilt(folder, RunPlan(rebuild_limit=60.0))
    assert (rebuild["status"], limits["status"]) == ("PASS", "PASS")


LIBRARY = "data = bytearray(700 * 2**20)\n"
BUILDS = """
import sys
sys.path.insert(0, sys.argv[1])
from pgolf.verify.bounded import Job, limit_build
from pgolf.verify.folder import RunPlan
job = Job(None, RunPlan(), later=sys.argv[2:])
limit_build(job)
import torch
kept = bytearray(200 * 2**20)
print("builds", len(torch.data))
bytearray(500 * 2**20)
"""


def test_what_pytorch_takes_itself_is_not_limited(tmp_path):
    """With CUDA its libraries have more data than a build may take; what is built has as much as with any other."""
    (tmp_path / "torch.py").write_text(LIBRARY)
    command = [sys.executable, "-c", BUILDS, str(tmp_path)]
    done = subprocess.run([*command, "lock.rebuild"], capture_output=True, text=True)
    assert done.stdout.startswith("builds") and "MemoryError" in done.stderr, done.stderr
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "" and "MemoryError" in done.stderr, "nothing is loaded for checks that need none of it"
