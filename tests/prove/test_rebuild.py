"""The process that builds a lock again prints the hash of what it made."""

import subprocess
import sys

from models import registry

from pgolf.recipe import Recipe
from pgolf.submission import make


def test_it_makes_the_bytes_of_the_lock(tmp_path):
    made = make(Recipe("test"), registry(), smoke=True)
    (tmp_path / "wanted.lock").write_text(made.lock.dump())
    command = [sys.executable, "-m", "pgolf.prove.rebuild", "wanted.lock"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == made.built.sha256 == made.lock.code_sha256
