"""Is this installation able to do what pgolf does? What is missing, what it is for, and how to get it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pgolf.component import Need
from pgolf.manager import Registry
from pgolf.needs import collect_needs
from pgolf.preflight.finding import Finding, good, problem, skipped, unknown
from pgolf.preflight.machine import check_clock, check_disk, check_packages, read_gpus

PYTHONS = ((3, 11), (3, 14))
EXTRAS = {
    "matplotlib": ("PNG of curves", "pip install 'pgolf[plot]'"),
    "flash_attn": ("faster attention on a GPU", "pip install 'pgolf[gpu]'"),
    "zstandard": ("the plugin zstd", "pip install zstandard"),
}
PROGRAMS = {
    "git": ("names in submission.json, and pgolf submit", "apt-get install git"),
    "bwrap": ("pgolf verify --run, which runs nothing without it", "apt-get install bubblewrap"),
    "nvidia-smi": ("training at full size", "a machine with NVIDIA's driver"),
}


def examine(registry: Registry, folder: Path) -> list[Finding]:
    """Everything, in order."""
    return [
        *check_python(sys.version_info[:2]),
        *check_pins(importlib.metadata.requires("pgolf") or []),
        *check_packages([]),
        *check_plugins(registry),
        *check_extras(),
        *check_programs(shutil.which),
        *check_needs(registry),
        *gpu_lines(),
        *check_disk(folder, 0),
        *check_clock(),
    ]


def check_python(version: tuple[int, ...]) -> list[Finding]:
    """Syntax trees print differently from one minor version to the next, so only tried ones are taken."""
    shown = ".".join(map(str, version))
    if not PYTHONS[0] <= tuple(version) < PYTHONS[1]:
        return [problem("python", f"Python {shown}, wanted 3.11 to 3.13", "make a venv of one of these")]
    return [good("python", f"Python {shown}, {sys.executable}")]


def check_pins(requirements: Sequence[str]) -> list[Finding]:
    """What is installed against what pgolf asks for, by exact pins and least versions; extras are left out."""
    findings, seen = [], []
    for text in requirements:
        if "extra ==" in text:
            continue
        name = text.split(";")[0].strip()
        for mark in ("==", ">="):
            package, found, wanted = name.partition(mark)
            if found:
                findings += judge_version(package.strip(), mark, wanted.strip())
                seen.append(package.strip())
                break
    bad = [one for one in findings if one.state != "ok"]
    return bad or [good("versions", f"{len(seen)} requirements are met")]


def judge_version(package: str, mark: str, wanted: str) -> list[Finding]:
    """One requirement."""
    try:
        here = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return [problem("versions", f"{package} is not installed", f"pip install '{package}{mark}{wanted}'")]
    numbers = [[int(part) for part in text.split("+")[0].split(".") if part.isdecimal()] for text in (here, wanted)]
    met = here == wanted if mark == "==" else numbers[0] >= numbers[1]
    if met:
        return [good("versions", f"{package} {here}")]
    return [
        problem("versions", f"{package} is {here}, wanted {mark}{wanted}", f"pip install '{package}{mark}{wanted}'")
    ]


def check_plugins(registry: Registry) -> list[Finding]:
    """All that are found can be loaded."""
    broken = [problem("plugins", f"{one.message} ({one.where})", one.hint) for one in registry.problems]
    return broken or [good("plugins", f"{len(registry.plugins)} can be loaded")]


def check_extras() -> list[Finding]:
    """Packages that some things need."""
    return [
        good("extras", f"{name} is here: {use}")
        if importlib.util.find_spec(name) is not None
        else skipped("extras", f"{name} is not here: no {use}; {install}")
        for name, (use, install) in EXTRAS.items()
    ]


def check_programs(which: Callable[[str], str | None]) -> list[Finding]:
    """Programs that some commands start."""
    return [
        good("programs", f"{name} is here: {use}")
        if which(name)
        else skipped("programs", f"{name} is not here: {use}; {install}")
        for name, (use, install) in PROGRAMS.items()
    ]


def check_needs(registry: Registry) -> list[Finding]:
    """Which plugins cannot run here."""
    from pgolf.needs import is_present

    missing: list[Need] = [
        need
        for need in collect_needs(loaded.plugin for loaded in registry.plugins.values())
        if need.kind != "gpu" and not is_present(need)
    ]
    users = {
        need.name: sorted(
            name for name, loaded in registry.plugins.items() if need.name in {one.name for one in loaded.plugin.needs}
        )
        for need in missing
    }
    return [
        skipped("needs", f"{need.name} is not here: {', '.join(users[need.name])} cannot run; {need.install}")
        for need in missing
    ]


def gpu_lines() -> list[Finding]:
    """What there is."""
    gpus = read_gpus()
    if not gpus:
        return [skipped("gpus", "none: builds, proofs and smoke runs work, full training does not")]
    names = sorted({gpu.name for gpu in gpus})
    if len(names) > 1:
        return [unknown("gpus", f"not alike: {', '.join(names)}")]
    return [good("gpus", f"{len(gpus)} x {names[0]}, driver {gpus[0].driver}")]
