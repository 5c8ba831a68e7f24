"""Fresh environments that see this one's libraries: what is installed into them is theirs alone."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path


class Fresh:
    """A virtual environment in a folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        site = next(folder.glob("lib/python*/site-packages"))
        # As a line of code: a plain path would not read the .pth files of that folder.
        (site / "libraries.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
        self.script("pip", "from pip._internal.cli.main import main; import sys; sys.exit(main())")
        self.script("pgolf", "from pgolf.cli.main import main; main(prog_name='pgolf')")

    def script(self, name: str, code: str) -> None:
        """A program that runs code with this environment's Python."""
        path = self.folder / "bin" / name
        path.write_text(f"#!{self.folder}/bin/python\n{code}\n")
        path.chmod(0o755)

    def run(self, command: str, cwd: Path, **env: str) -> str:
        """What a shell command prints; it must succeed. Nothing is fetched from an index."""
        offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "OMP_NUM_THREADS": "2"}
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        known = {**os.environ, **offline, "PATH": path, "VIRTUAL_ENV": str(self.folder), **env}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=cwd, env=known, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout
