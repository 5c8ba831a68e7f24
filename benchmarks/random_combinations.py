"""Live equals built for random combinations of plugins with random settings, at micro size on the CPU.

    PYTHONPATH=tests python benchmarks/random_combinations.py [COUNT] [SEED] [JOBS]

Prints a line for each combination and a count last; exit status 1 where any differs or fails.
"""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from combinations import combinations
from equality import live_and_built
from micro import make_corpus, micro


def compare(place: int, names: tuple[str, ...], settings: dict[str, object], root: Path, data: object) -> str:
    """What came of one combination: "equal", or what went wrong."""
    try:
        folder = root / str(place)
        folder.mkdir()
        live, built = live_and_built(micro(*names, **settings), folder, data)
    except AssertionError as error:
        return "failed: " + str(error)[-600:]
    differing = [key for key in live if live[key] != built[key]]
    return f"DIFFERS in {', '.join(differing)}" if differing else "equal"


def main() -> int:
    """Run them all."""
    count, seed, jobs = (int(value) for value in [*sys.argv[1:], *("60", "0", "2")[len(sys.argv) - 1 :]])
    outcomes = []
    with tempfile.TemporaryDirectory() as root, ThreadPoolExecutor(jobs) as pool:
        (Path(root) / "data").mkdir()
        data = make_corpus(Path(root) / "data")
        chosen = combinations(count, seed)
        waiting = [
            pool.submit(compare, place, names, settings, Path(root), data)
            for place, (names, settings) in enumerate(chosen)
        ]
        for place, (future, (names, settings)) in enumerate(zip(waiting, chosen, strict=True)):
            outcomes.append(future.result())
            print(f"{place:3d} {outcomes[-1]}: {' '.join(names)} {settings}", flush=True)
    equal = outcomes.count("equal")
    print(f"{equal} of {count} equal; {len({name for names, _ in chosen for name in names})} plugins took part")
    return 0 if equal == count else 1


if __name__ == "__main__":
    sys.exit(main())
