"""Words are completed in a shell, as docs/running.md says."""

import os
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent.parent.parent / "docs" / "running.md"


def complete(words, number):
    env = {**os.environ, "COMP_WORDS": words, "COMP_CWORD": str(number), "_PGOLF_COMPLETE": "bash_complete"}
    code = "from pgolf.cli.main import main; main(prog_name='pgolf')"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_and_options():
    assert complete("pgolf pre", 1) == ["preflight"]
    assert complete("pgolf train --check", 2) == ["--checkpoint-every"]
    for shell in ("bash", "zsh", "fish"):
        assert f"_PGOLF_COMPLETE={shell}_source pgolf" in DOCS.read_text()
