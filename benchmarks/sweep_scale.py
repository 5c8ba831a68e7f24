"""What a sweep costs beside its trainings, without Ray: rows kept a second, points asked a second, the report of many trials.

python benchmarks/sweep_scale.py [TRIALS...]        default 10 1000 10000
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from pathlib import Path

from pgolf.sweep.search import open_search
from pgolf.sweep.spec import load_spec
from pgolf.sweep.store import Row, Store
from pgolf.sweep.sweep_page import page

TOML = """
[search]
method = "{method}"
trials = {trials}
[settings]
matrix_lr = {{ low = 0.001, high = 0.1, log = true }}
num_layers = [9, 10, 11]
embed_lr = {{ low = 0.01, high = 1.0, log = true }}
[plugins]
average = ["", "swa", "ema"]
"""
CAP = 16_000_000


def main(trials: int) -> dict[str, float]:
    """Seconds and bytes for one number of trials."""
    found: dict[str, float] = {"trials": trials}
    with tempfile.TemporaryDirectory() as folder:
        path, chance = Path(folder, "sweep.toml"), random.Random(1)
        for method in ("random", "optuna"):
            path.write_text(TOML.format(method=method, trials=trials + 20))
            search = open_search(load_spec(path), lambda point: point, (), CAP)
            rows = []
            begin = time.perf_counter()
            for number in range(trials):
                if method == "optuna" and number >= 20:
                    break  # the sampler's cost grows with what it knows: measured below, at the whole number
                point = search.ask()
                score = 1.0 + chance.random()
                rows.append(
                    Row(f"k{number}", "f", point, "finished", val_bpb=score, bytes_total=15_000_000, ended=number)
                )
                search.tell(point, rows[-1])
            found[f"{method}_ms_per_point"] = round(1000 * (time.perf_counter() - begin) / len(rows), 2)
            if method == "random":
                every = rows
        begin = time.perf_counter()
        search = open_search(load_spec(path), lambda point: point, every, CAP)
        found["optuna_reload_seconds"] = round(time.perf_counter() - begin, 2)
        begin = time.perf_counter()
        for _ in range(5):
            point = search.ask()
            search.tell(point, Row("x", "f", point, "finished", val_bpb=1.0, bytes_total=1))
        found["optuna_ms_per_point_when_all_are_known"] = round(200 * (time.perf_counter() - begin), 1)
        store = Store(Path(folder))
        begin = time.perf_counter()
        for row in every[:200]:
            store.put(row)
        found["rows_kept_per_second"] = round(len(every[:200]) / (time.perf_counter() - begin), 1)
        about = {"name": "s", "method": "random", "axes": ["matrix_lr", "num_layers", "plugins.average"], "cap": CAP}
        begin = time.perf_counter()
        size = len(page(every, about, 0))
        found["report_seconds"], found["report_bytes"] = round(time.perf_counter() - begin, 2), size
    return found


if __name__ == "__main__":
    for one in map(int, sys.argv[1:] or ("10", "1000", "10000")):
        print(json.dumps(main(one)), flush=True)
