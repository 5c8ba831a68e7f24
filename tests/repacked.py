"""Runs a script and what `pgolf pack` makes of it, each in a process of its own, in folders of their own."""

import os
import subprocess
import sys

from pgolf.repack.repack import shrink

PADDING = "\n".join(f"padding_{number} = {number * 7919 % 100003}" for number in range(250))
"""Enough text that packing pays."""


def run(path, *arguments):
    """(exit status, what it printed, the last line of what it complained about)."""
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
    command = [sys.executable, path.name, *arguments]
    done = subprocess.run(command, cwd=path.parent, env=env, capture_output=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout, done.stderr.strip().rpartition("\n")[2]


def run_both(folder, source, choice="auto", *, arguments=()):
    """(what the script does, what the packed script does, the result of packing)."""
    data = source if isinstance(source, bytes) else source.encode()
    result = shrink(data, choice)
    outcomes = []
    for name, code in (("original", data), ("packed", result.packed.code)):
        path = folder / name / "train_gpt.py"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(code)
        outcomes.append(run(path, *arguments))
    return *outcomes, result


def packed_size(folder):
    """Bytes of the packed file of the last `run_both`."""
    return (folder / "packed" / "train_gpt.py").stat().st_size
