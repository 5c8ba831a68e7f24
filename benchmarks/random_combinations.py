"""Live equals built for random combinations of plugins with random settings, at micro size on the CPU.

    PYTHONPATH=tests python benchmarks/random_combinations.py [COUNT] [SEED] [JOBS] [FIRST]

Prints a line for each combination and a count last; exit status 1 where any differs or fails. FIRST goes on from that one.
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
    count, seed, jobs, first = (int(value) for value in [*sys.argv[1:], *("60", "0", "2", "0")[len(sys.argv) - 1 :]])
    outcomes = []
    with tempfile.TemporaryDirectory() as root, ThreadPoolExecutor(jobs) as pool:
        (Path(root) / "data").mkdir()
        data = make_corpus(Path(root) / "data")
        chosen = combinations(count, seed)
        waiting = [
            pool.submit(compare, place, names, settings, Path(root), data)
            for place, (names, settings) in enumerate(chosen[first:], first)
        ]
        for place, (future, (names, settings)) in enumerate(zip(waiting, chosen[first:], strict=True), first):
            outcomes.append(future.result())
            print(f"{place:3d} {outcomes[-1]}: {' '.join(names)} {settings}", flush=True)
    equal = outcomes.count("equal")
    taking_part = {name for names, _ in chosen[first:] for name in names}
    print(f"{equal} of {len(outcomes)} equal; {len(taking_part)} plugins took part")
    return 0 if equal == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
