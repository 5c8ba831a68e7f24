"""Processor seconds of whole `pgolf build` commands, of this tree and of another one in turn, so that load tells for both.

    python benchmarks/build_seconds.py OTHER_TREE [RECIPE ...]

OTHER_TREE is a checkout of pgolf. Prints the least user seconds of each and their ratio, a line for results.md each recipe.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
TURNS = 3
COMMAND = "import sys; sys.path[0] = {tree!r}; from pgolf.cli.main import main; sys.argv[0] = 'pgolf'; main()"


def seconds(tree, recipe):
    """User seconds of one build by the pgolf of a tree, whose plugins are found beside it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pgolf_plugins").symlink_to(tree / "plugins")
        environment = {**os.environ, "PYTHONPATH": f"{tree}:{folder}"}
        command = [sys.executable, "-c", COMMAND.format(tree=str(tree)), "build", recipe, "-o", f"{folder}/out"]
        subprocess.run(command, cwd=tree / "submissions", env=environment, capture_output=True, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main():
    other, recipes = Path(sys.argv[1]).resolve(), sys.argv[2:] or ["pr1855", "pr1512", "baseline"]
    for recipe in recipes:
        rows = [(seconds(other, recipe), seconds(ROOT, recipe)) for _ in range(TURNS)]
        before, now = (min(row[place] for row in rows) for place in (0, 1))
        print(f"| `pgolf build {recipe}` | {before:.2f} s | {now:.2f} s | {now / before:.2f} |", flush=True)


if __name__ == "__main__":
    main()
