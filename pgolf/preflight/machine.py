"""The machine: packages, programs, GPUs, disk, clock, and whether the ranks find each other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.component import Need
from pgolf.needs import how_to_install, is_present
from pgolf.preflight.finding import Finding, good, problem, skipped, unknown

if TYPE_CHECKING:
    from pgolf.runtime.program import Program

PACKAGES = ("torch", "numpy", "sentencepiece")
TEN_BYTES = b"ten bytes!"
IMPORT = """
import importlib, importlib.metadata, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name.replace("-", "_"))
        try:
            found[name] = ["", importlib.metadata.version(name)]
        except importlib.metadata.PackageNotFoundError:
            found[name] = ["", "of no known version"]
    except Exception as error:
        found[name] = [f"{type(error).__name__}: {error}", ""]
print(json.dumps(found))
"""
QUERY = "name,memory.total,memory.used,compute_cap,driver_version"
BUSY_MIB = 1024
"""A GPU of which others hold more than this is not free."""
CLOCK_SECONDS, CLOCK_SLACK, CLOCK_TRIES = 0.2, 0.02, 5
RANK_SECONDS = 120.0


@dataclass(frozen=True)
class Gpu:
    """A line of nvidia-smi; memory in MiB."""

    name: str
    total: int
    used: int
    capability: str
    driver: str


def check_packages(needs: Sequence[Need]) -> list[Finding]:
    """Every package is imported in a process of its own, as the run will import it."""
    wanted = [*PACKAGES, *(need.name for need in needs if need.kind == "python")]
    command = [sys.executable, "-c", IMPORT, *dict.fromkeys(wanted)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    except subprocess.CalledProcessError as error:
        return [problem("packages", f"importing {', '.join(wanted)} ended Python with status {error.returncode}")]
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        return [unknown("packages", f"importing {', '.join(wanted)} gave no answer")]
    here = ", ".join(f"{name} {version}" for name, (error, version) in found.items() if not error)
    python = ".".join(map(str, sys.version_info[:3]))
    install = {need.name: need.install for need in needs}
    findings = [
        problem(
            "packages",
            f"{name} cannot be imported: {' '.join(error.split())[:200]}",
            install.get(name, f"pip install {name}"),
        )
        for name, (error, _) in found.items()
        if error
    ]
    return findings or [good("packages", f"Python {python}, {here}")]


def check_programs(needs: Sequence[Need], program: Program) -> list[Finding]:
    """Programs are there, and the build's own coder brings ten bytes back."""
    from pgolf.runtime.ledger import Ledger

    missing = [need for need in needs if need.kind == "program" and not is_present(need)]
    if missing:
        return [
            problem("programs", f"{need.name} is not here ({need.why})", how_to_install([need])) for need in missing
        ]
    coder = program.entropy_coder
    try:
        packed = coder.compress(TEN_BYTES, Ledger())
        back = coder.decompress(packed, 1 << 20)
    except (ImportError, OSError, ValueError) as error:
        return [problem("programs", f"the coder {coder.name} fails on ten bytes: {' '.join(str(error).split())[:200]}")]
    if back != TEN_BYTES:
        return [problem("programs", f"the coder {coder.name} does not bring ten bytes back")]
    named = [need.name for need in needs if need.kind == "program"]
    return [good("programs", f"{', '.join(named) or 'none needed'}; {coder.name} brings ten bytes back")]


def read_gpus() -> list[Gpu]:
    """What nvidia-smi lists; nothing where there is none."""
    command = ["nvidia-smi", f"--query-gpu={QUERY}", "--format=csv,noheader,nounits"]
    try:
        printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return parse_gpus(printed)


def parse_gpus(printed: str) -> list[Gpu]:
    """Lines of `name, total, used, capability, driver`; what does not read so is left out."""
    found = []
    for line in printed.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 5 and parts[1].isdecimal() and parts[2].isdecimal():
            found.append(Gpu(parts[0], int(parts[1]), int(parts[2]), parts[3], parts[4]))
    return found


def check_gpus(gpus: Sequence[Gpu], nproc: int, needs: Sequence[Need], wanted: str) -> list[Finding]:
    """As many as ranks, alike, free, and able; `wanted` is the name of those the contest times on."""
    if not gpus:
        return [
            skipped(
                "gpus", "none here: all that follows is at smoke size, and says nothing of a pod's memory and speed"
            )
        ]
    findings = []
    if len(gpus) < nproc:
        findings.append(
            problem("gpus", f"{len(gpus)} GPUs for {nproc} processes", f"give --nproc {len(gpus)} or fewer")
        )
    names = sorted({gpu.name for gpu in gpus[:nproc]})
    if len(names) > 1:
        findings.append(problem("gpus", f"they are not alike: {', '.join(names)}", "the slowest sets the pace"))
    busy = [f"GPU {number}: {gpu.used} MiB" for number, gpu in enumerate(gpus[:nproc]) if gpu.used > BUSY_MIB]
    if busy:
        findings.append(problem("gpus", f"others use them, {'; '.join(busy)}", "end what nvidia-smi lists"))
    unmet = [need for need in needs if need.kind == "gpu" and not is_present(need)]
    findings += [problem("gpus", f"{need.name} is wanted ({need.why}), here is {gpus[0].capability}") for need in unmet]
    seen = f"{len(gpus)} x {gpus[0].name}, {gpus[0].total} MiB, driver {gpus[0].driver}"
    if not findings and wanted not in gpus[0].name:
        findings.append(unknown("gpus", f"{seen}: the contest's times hold on {wanted}"))
    return findings or [good("gpus", seen)]


def check_disk(folder: Path, parameters: int, seeds: int = 1) -> list[Finding]:
    """Room for weights, statistics and artifact of each seed, and of the run that is set aside for each."""
    wanted = 2**30 + 2 * seeds * 8 * parameters
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < wanted:
        return [problem("disk", f"{free >> 20:,} MiB are free at {folder}, wanted {wanted >> 20:,}", "make room")]
    if not os.access(folder, os.W_OK):
        return [problem("disk", f"{folder} cannot be written")]
    return [good("disk", f"{free >> 20:,} MiB free, {wanted >> 20:,} wanted")]


def check_clock() -> list[Finding]:
    """The clock that training is timed with goes as fast as the system's, and neither jumps; the best of a few tries.

    On a busy machine a process may be put aside between two readings.
    """
    tries: list[tuple[float, float]] = []
    while len(tries) < CLOCK_TRIES:
        begin, system = time.perf_counter(), time.time()
        time.sleep(CLOCK_SECONDS)
        tries.append((time.perf_counter() - begin, time.time() - system))
        if abs(tries[-1][0] - tries[-1][1]) < CLOCK_SLACK:
            break
    return judge_clock(*min(tries, key=lambda pair: abs(pair[0] - pair[1])))


def judge_clock(passed: float, by_system: float) -> list[Finding]:
    """Seconds by both clocks over one stretch."""
    if passed <= 0 or abs(passed - by_system) > CLOCK_SLACK:
        text = f"{passed:.3f} s by the clock of training, {by_system:.3f} s by the system's"
        return [problem("clock", text, "let the time service settle, or take another machine")]
    return [good("clock", f"{passed:.3f} s by both clocks")]


def check_ranks(nproc: int, gpus: int) -> list[Finding]:
    """torchrun starts the ranks, and they sum a tensor over NCCL, or gloo without GPUs."""
    if nproc == 1:
        return [skipped("ranks", "one process: nothing is exchanged")]
    script = Path(__file__).with_name("ranks.py")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={nproc}"]
    env = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    return judge_ranks([*launcher, str(script)], env, "NCCL" if gpus else "gloo", RANK_SECONDS)


def judge_ranks(command: Sequence[str], env: Mapping[str, str], backend: str, seconds: float) -> list[Finding]:
    """Run it, with a limit; ranks that do not find each other wait for ever."""
    from pgolf.run.launch import error_line

    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=dict(env), check=False)
    except subprocess.TimeoutExpired:
        hint = "NCCL_DEBUG=INFO shows where they wait; NCCL_P2P_DISABLE=1 tells whether it is the links"
        return [problem("ranks", f"no sum over {backend} within {seconds:.0f} s", hint)]
    said = [line for line in done.stdout.splitlines() if line.startswith("ranks:")]
    if done.returncode or not said:
        return [
            problem("ranks", error_line((done.stdout + done.stderr).splitlines())[:300], "NCCL_DEBUG=INFO says more")
        ]
    return [good("ranks", f"{backend}, {said[-1].removeprefix('ranks:').strip()}")]


def as_numbers(gpus: Sequence[Gpu]) -> list[dict[str, Any]]:
    """For `--json`."""
    return [gpu.__dict__ for gpu in gpus]
