"""Hostile programs at random, live against every stage of the build; what goes wrong is made small and written down.

    PYTHONPATH=tests python benchmarks/hunt.py [COUNT] [SEED] [FOLDER] [PACK]

FOLDER gets a file for each fault (without it the seeds are printed only), PACK is how programs are packed ("plain").
Prints a count last; exit status 1 where anything differs.
"""

import sys
import time
from collections import Counter
from pathlib import Path

from hostile_reduce import reduced
from hostile_stages import outcome, tried


def report(seed: int, entry: str, sources: dict[str, str], found: object) -> str:
    """A fault as small as it gets."""
    smaller = reduced(entry, sources, found)
    again = outcome(entry, smaller)
    return f"# seed {seed}: {found.kind} at {found.stage}\n{smaller['code_']}\n{entry}\n'''\n{again.detail}\n'''\n"


def main() -> int:
    """Try them all."""
    count, seed, folder, pack = [*sys.argv[1:], *("1000", "0", "", "plain")[len(sys.argv) - 1 :]]
    kinds, refused, start = Counter(), Counter(), time.perf_counter()
    for place in range(int(seed), int(seed) + int(count)):
        entry, sources, found = tried(place, pack)
        kinds[found.kind] += 1
        refused.update(found.stage.split() if found.kind == "refused" else ())
        if found.is_fault:
            print(f"seed {place}: {found.kind} at {found.stage}", flush=True)
            if folder:
                Path(folder, f"{place}.txt").write_text(report(place, entry, sources, found), encoding="utf-8")
    kinds = ", ".join(f"{kind} {number:,}" for kind, number in kinds.most_common())
    print(f"{int(count):,} programs in {time.perf_counter() - start:.0f} s: {kinds}; refused by {dict(refused)}")
    return int("differs" in kinds or "broken" in kinds)


if __name__ == "__main__":
    sys.exit(main())
