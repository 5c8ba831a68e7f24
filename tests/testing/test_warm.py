"""A copy of a warm process is what a new process would be."""

import os
import subprocess
import sys
import time

import pytest

from pgolf.testing.warm import Job, WarmPython, run_jobs, run_ranks, warm_python

SHOWS = """
import json, os, sys, threading, warnings
print(json.dumps({
    "argv": sys.argv, "folder": os.getcwd(), "environment": {**os.environ, "LC_CTYPE": ""}, "beside": sys.path[:2],
    "name": __name__, "threads": threading.active_count(), "own": sorted(set(sys.modules) & {"pgolf", "pytest"}),
}))
"""


@pytest.fixture
def program(tmp_path):
    """Writes a program and gives a job that runs it."""

    def write(text, *arguments, name="program.py", **variables):
        (tmp_path / name).write_text(text)
        return Job([str(tmp_path / name), *arguments], tmp_path, {"PATH": os.environ["PATH"], **variables})

    return write


def test_a_program_sees_what_it_would_see_in_a_process_of_its_own(program, tmp_path):
    job = program(SHOWS, "score", "-x", PYTHONPATH=str(tmp_path / "more"), RUN_ID="7")
    own = subprocess.run(
        [sys.executable, *job.arguments],
        cwd=job.folder,
        env=job.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    (done,) = run_jobs([job])
    assert done == (0, own.stdout, ""), done
    (again,) = run_jobs([program(SHOWS)])
    assert "RUN_ID" not in again.stdout and "more" not in again.stdout, "nothing stays for the next"


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("raise SystemExit('one line')", 1, "one line\n"),
        ("raise SystemExit", 0, ""),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
        ("import warnings; warnings.warn('old')", 1, "UserWarning: old\n"),
        ("import atexit; atexit.register(print, 'at the end')", 0, ""),
        (
            "import threading, time; threading.Thread(target=lambda: (time.sleep(0.2), print('at the end'))).start()",
            0,
            "",
        ),
    ],
)
def test_status_and_output_are_those_of_a_process(text, status, said, program):
    (done,) = run_jobs([program(text, PYTHONWARNINGS="error")])
    assert done.status == status and done.stderr.endswith(said)
    assert done.stdout == ("at the end\n" if "at the end" in text else "")


def test_what_a_program_changes_and_starts_ends_with_it(program, tmp_path):
    text = "import subprocess, torch; torch.Tensor.backward = None; subprocess.Popen(['sleep', '1000'])"
    (done,) = run_jobs([program(text + "; print(torch.initial_seed())")])
    (again,) = run_jobs([program("import torch; print(torch.initial_seed(), torch.Tensor.backward is None)")])
    assert again.stdout == done.stdout.strip() + " False\n"
    assert not [line for line in processes() if "sleep 1000" in line]


def processes():
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()


def test_one_that_hangs_is_ended(program):
    begin = time.monotonic()
    jobs = [program("import time; time.sleep(600)"), program("print(1)", name="other.py")]
    assert [done.status for done in run_jobs(jobs, seconds=1.5)] == [-9, 0]
    assert time.monotonic() - begin < 60


def test_hash_seeds_differ(program):
    job = program("print(hash('a'))")
    assert run_jobs([job], hash_seed=0) == run_jobs([job], hash_seed=0) != run_jobs([job], hash_seed=1)


RANK = """
import os, sys, torch
import torch.distributed as dist
dist.init_process_group("gloo")
number = torch.tensor(float(dist.get_rank() + 1))
dist.all_reduce(number)
print(sys.argv[1], number.item())
{}
dist.destroy_process_group()
"""


def test_ranks_are_one_group(program):
    done = run_ranks(program(RANK.format(""), "rank {rank}"), 2)
    assert done.status == 0 and sorted(done.stdout.splitlines()) == ["rank 0 3.0", "rank 1 3.0"]


def test_a_rank_that_fails_ends_the_others(program):
    text = RANK.format("if dist.get_rank(): sys.exit('rank 1 gives up')\nimport time; time.sleep(600)")
    done = run_ranks(program(text, "{rank}"), 2)
    assert done.status == 1 and "rank 1 gives up" in done.stderr


@pytest.mark.ci
def test_it_ends_with_who_started_it(program):
    warm = WarmPython(0)
    assert warm.run([program("print(2)")])[0].stdout == "2\n"
    warm.close()
    assert warm.process.returncode == 0
    assert warm_python(0) is warm_python(0)
