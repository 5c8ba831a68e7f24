"""A sweep over two Ray nodes on this machine, one of which is killed: python two_nodes.py FILE [options of pgolf sweep]."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from pgolf.sweep.cluster import ENVIRONMENT

os.environ |= ENVIRONMENT


def main(path, options):
    from ray.cluster_utils import Cluster

    from pgolf.sweep.cluster import Place
    from pgolf.sweep.store import Store
    from pgolf.sweep.sweep import Wishes, run_sweep

    values = dict(zip(options[::2], map(Path, options[1::2]), strict=True))
    wishes = Wishes(Path(path), values["-o"], values["--data"], values["--tokenizer"])
    memory = {"object_store_memory": 100 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **memory})
    node = cluster.add_node(num_cpus=1, **memory)
    cluster.wait_for_nodes()
    seen = {"nodes": 1 + len(cluster.worker_nodes), "finished_before": -1}

    def kill_when_one_has_finished():
        while not (wishes.folder / "sweep.sqlite").exists() or not Store(wishes.folder).rows():
            time.sleep(0.2)
        seen["before"] = {row.key: row.dump() for row in Store(wishes.folder).rows()}
        seen["finished_before"] = len(seen["before"])
        for process in node.live_processes():
            os.kill(process[1].pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_when_one_has_finished, daemon=True)
    killer.start()
    found = run_sweep(wishes, Place(cluster.address, cpus=1), lambda row, done: print(done, row.state, file=sys.stderr))
    after = {row.key: row.dump() for row in Store(wishes.folder).rows()}
    seen["kept"] = sum(after.get(key) == text for key, text in seen.pop("before").items())
    seen["states"] = [row.state for row in found.rows]
    seen["seconds"] = found.seconds
    cluster.shutdown()
    print(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
