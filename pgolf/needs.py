"""What a run needs beyond torch, numpy and sentencepiece: collected from plugins, looked for on this machine."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Iterable

from pgolf.component import Need, Plugin


def collect_needs(plugins: Iterable[Plugin], unpacking: Iterable[str] = ()) -> tuple[Need, ...]:
    """The needs of plugins, and of a file that imports the packages `unpacking` to unpack itself; each once."""
    found: dict[tuple[str, str], Need] = {}
    for need in [need for plugin in plugins for need in plugin.needs]:
        found.setdefault((need.kind, need.name), need)
    for name in unpacking:
        found.setdefault(("python", name), Need("python", name, "unpacks the built file"))
    return tuple(found[key] for key in sorted(found))


def is_present(need: Need) -> bool:
    """Is there such a package, program or device on this machine? Whether it works is for `prepare` to find out."""
    if need.kind == "gpu":
        return _has_device(need.name)
    if need.kind == "program":
        return shutil.which(need.name) is not None
    name = need.name.replace("-", "_")
    return name.isidentifier() and importlib.util.find_spec(name) is not None


def _has_device(name: str) -> bool:
    """Have all CUDA devices at least this compute capability, and is there one?"""
    query = ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"]
    try:
        printed = subprocess.run(query, capture_output=True, text=True, timeout=60, check=True).stdout
        found = [int(float(line) * 10 + 0.5) for line in printed.split()]
    except (OSError, ValueError, subprocess.SubprocessError):
        return False
    return bool(found) and min(found) >= (0 if name == "cuda" else int(name.removeprefix("sm_")))


def missing_needs(needs: Iterable[Need], smoke: bool) -> list[Need]:
    """Those that are not here; a smoke run needs no device, because every plugin runs on a CPU."""
    return [need for need in needs if not (smoke and need.kind == "gpu") and not is_present(need)]


def how_to_install(needs: Iterable[Need]) -> str:
    """One command or remark for each, e.g. `pip install brotli; apt-get install lrzip`."""
    return "; ".join(need.install for need in needs)
