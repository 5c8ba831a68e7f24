"""`python -m pgolf.cli` is `pgolf`."""

import subprocess
import sys

from pgolf import __version__


def test_the_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "pgolf.cli", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"pgolf, version {__version__}\n"
    wrong = subprocess.run([sys.executable, "-m", "pgolf.cli", "nothing"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and "pgolf --help" in wrong.stderr and "Traceback" not in wrong.stderr
