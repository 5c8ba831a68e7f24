"""The machine: each check says what is wrong, and says nothing where nothing is."""

import shutil
import sys
from types import SimpleNamespace

import pytest

from pgolf.component import Need
from pgolf.preflight import machine
from pgolf.preflight.machine import (
    Gpu,
    check_clock,
    check_disk,
    check_gpus,
    check_packages,
    check_programs,
    check_ranks,
    judge_clock,
    judge_ranks,
    parse_gpus,
)

H100 = Gpu("NVIDIA H100 80GB HBM3", 81559, 4, "9.0", "570.1")


def states(found):
    return [one.state for one in found]


def program_with(compress, decompress=lambda data, limit: data):
    return SimpleNamespace(
        entropy_coder=SimpleNamespace(name="toy", compress=lambda data, ledger: compress(data), decompress=decompress)
    )


@pytest.mark.ci
def test_packages_are_imported_elsewhere():
    (found,) = check_packages([])
    assert found.state == "ok" and "torch 2" in found.text and "sentencepiece" in found.text
    (found,) = check_packages(
        [
            Need(
                "python",
                "no-such-package",
                "a joke",
            )
        ]
    )
    assert found.state == "problem" and "no-such-package cannot be imported: ModuleNotFoundError" in found.text
    assert "no-such-package" in found.hint


def test_a_package_that_ends_python_is_a_problem(tmp_path, monkeypatch):
    (tmp_path / "ends_python.py").write_text("import os\nos._exit(9)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (found,) = check_packages([Need("python", "ends-python", "a joke")])
    assert found.state == "problem" and "status 9" in found.text


def test_programs_run_on_ten_bytes():
    assert states(check_programs([], program_with(bytes))) == ["ok"]
    missing = Need("program", "no-such-program", "packs the artifact")
    (found,) = check_programs([missing], program_with(bytes))
    assert found.state == "problem" and "no-such-program is not here (packs the artifact)" in found.text and found.hint
    (found,) = check_programs([], program_with(lambda data: data[1:]))
    assert found.state == "problem" and "does not bring ten bytes back" in found.text

    def fail(data):
        raise OSError("toy cannot be started")

    assert "fails on ten bytes: toy cannot be started" in check_programs([], program_with(fail))[0].text


def test_gpus():
    assert parse_gpus("NVIDIA H100 80GB HBM3, 81559, 4, 9.0, 570.1\nNo devices were found\n") == [H100]
    assert states(check_gpus([], 8, (), "H100")) == ["skipped"]
    assert states(check_gpus([H100] * 8, 8, (), "H100")) == ["ok"]
    assert "2 GPUs for 8 processes" in check_gpus([H100] * 2, 8, (), "H100")[0].text
    other = Gpu("NVIDIA A100", 81559, 4, "8.0", "570.1")
    assert "not alike" in check_gpus([H100, other], 2, (), "H100")[0].text
    busy = Gpu("NVIDIA H100 80GB HBM3", 81559, 40_000, "9.0", "570.1")
    assert "GPU 1: 40000 MiB" in check_gpus([H100, busy], 2, (), "H100")[0].text
    (found,) = check_gpus([other], 1, (), "H100")
    assert found.state == "unknown" and "the contest's times hold on H100" in found.text
    (found,) = check_gpus([H100], 1, [Need("gpu", "sm_90", "kernels")], "H100")
    assert found.state == "problem" and "sm_90 is wanted (kernels)" in found.text


def test_disk(tmp_path, monkeypatch):
    assert states(check_disk(tmp_path / "not" / "there", 1000)) == ["ok"]
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10 << 20))
    (found,) = check_disk(tmp_path, 10**8)
    assert found.state == "problem" and "10 MiB are free" in found.text


def test_clock():
    assert states(check_clock()) == ["ok"]
    assert states(judge_clock(0.2, 0.3)) == ["problem"] and states(judge_clock(0.0, 0.0)) == ["problem"]


def test_ranks_have_a_limit_and_say_what_went_wrong():
    def judge(code, seconds=60.0):
        (found,) = judge_ranks([sys.executable, "-c", code], {}, "gloo", seconds)
        return found

    assert "ended" not in judge("print('ranks: 2 of 2, 64 MiB summed in 1.0 ms')").text
    assert judge("print('ranks: 2 of 2')").state == "ok"
    assert "no sum over gloo within 1 s" in judge("import time; time.sleep(30)", 1.0).text
    assert judge("raise RuntimeError('NCCL error')").text == "RuntimeError: NCCL error"
    assert judge("pass").state == "problem"
    assert states(check_ranks(1, 0)) == ["skipped"]


@pytest.mark.slow
def test_two_ranks_find_each_other():
    (found,) = check_ranks(2, 0)
    assert found.state == "ok" and found.text.startswith("gloo, 2 of 2, 64 MiB summed in")


def test_no_gpu_is_no_error(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert machine.read_gpus() == []
