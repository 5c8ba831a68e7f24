"""kill -9 at random moments, often: build, package, train, tokenize, checkpoints and requant; what was lost.

    python benchmarks/kills.py --kills 200 --seed 1
    python benchmarks/kills.py --kills 20 --only checkpoint

After each kill the folder must hold the old result or the new one as a whole, or nothing that is taken for one; the same
operation must then work, give the same as without a kill, and leave nothing behind (tests/kills.py). The first loss ends it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parent.parent
sys.path[0:1] = [str(ROOT / "tests"), str(ROOT)]  # benchmarks/requant.py must not stand for tests/requant

from folders import fake_lock  # noqa: E402
from kills import kill_at_random, operations  # noqa: E402

from pgolf.data.sample import ensure_sample  # noqa: E402
from pgolf.recipe import Recipe  # noqa: E402


def stand_in(code: bytes) -> SimpleNamespace:
    """A build as `write_submission` sees it."""
    recipe = b"# Written by pgolf build\n"
    built, resolved = SimpleNamespace(code=code, dumps={}), SimpleNamespace(recipe=Recipe("toy"))
    return SimpleNamespace(lock=fake_lock(code, recipe), recipe_text=recipe.decode(), built=built, resolved=resolved)


def main() -> None:
    """A line of JSON for each operation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        model = ensure_sample(place / "sample", 512).tokenizer_path
        made, older = stand_in(b"new = 1\n" * 10_000), stand_in(b"old = 1\n" * 10_000)
        for operation in operations(place, made, older, model):
            if chosen.only in operation.name:
                begin = time.monotonic()
                counts = kill_at_random(operation, place, chosen.kills, chosen.seed)
                seconds = round(time.monotonic() - begin, 1)
                print(json.dumps({"operation": operation.name, **counts, "lost": 0, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
