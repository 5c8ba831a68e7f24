"""Live against built: the entry module and the packed file, each in a process of its own, must agree bit for bit."""

import json
import os
import subprocess
import sys
from pathlib import Path

from pgolf.bundle.pipeline import build

HERE = Path(__file__).parent


def run_recorded(program, folder, data, seed=1337):
    """Run a program isolated from the test's process; returns what `record_run` wrote."""
    folder.mkdir(parents=True)
    out = folder / "record.json"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "SEED": str(seed),
        "DATA_PATH": str(data.data_path),
        "TOKENIZER_PATH": str(data.tokenizer_path),
        "RUN_ID": "run",
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "error",
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "record_run.py"), str(program), str(out)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert out.exists(), done.stdout[-2000:] + done.stderr[-4000:]
    found = json.loads(out.read_text())
    assert found["status"] in (0, None), done.stdout[-3000:]
    return found


def live_and_built(resolved, tmp_path, data):
    """(what the entry did, what the packed file did); a build that counts bytes from side files gets data with them."""
    if "SideFileBytes" in resolved.entry:
        data = data.side_files
    entry = tmp_path / "entry.py"
    entry.write_text(resolved.entry)
    packed = tmp_path / "train_gpt.py"
    packed.write_bytes(build(resolved.entry, resolved.find_source).code)
    return run_recorded(entry, tmp_path / "live", data), run_recorded(packed, tmp_path / "built", data)
