"""Times `pgolf build --watch` on this machine: `python benchmarks/watch.py`. Prints a line for results.md.

It watches submissions/pr1512 with a plugin of a folder, which it changes: the code five times, then a comment five times.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
PLUGIN = ROOT / "tests/sample_plugins/square_penalty.py"
CHANGES = 5


def main():
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder, PLUGIN.name)
        text = PLUGIN.read_text(encoding="utf-8")
        plugin.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "pgolf.cli", "build", "submissions/pr1512", "--plugins", plugin.stem]
        command += ["--plugin-dir", folder, "-o", f"{folder}/out", "--watch", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT) as watch:
            first = json.loads(watch.stdout.readline())
            rows = []
            for number in range(2 * CHANGES):
                time.sleep(1)
                code = min(number + 1, CHANGES)
                added = "".join(f"\n\ndef _unused_{item}():\n    return {item}\n" for item in range(code))
                plugin.write_text(f"{text}{added}\n# {number}\n", encoding="utf-8")
                rows.append(json.loads(watch.stdout.readline()))
            watch.terminate()
    assert [row["reused"] for row in rows] == [False] * CHANGES + [True] * CHANGES, rows
    code, comment = (median(row["seconds"] for row in part) for part in (rows[:CHANGES], rows[CHANGES:]))
    print(
        f"| first build / after a change of code / of a comment | {first['seconds']:.2f} / {code:.2f} / {comment:.2f} s |"
    )


if __name__ == "__main__":
    main()
