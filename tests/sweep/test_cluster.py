"""Trials on Ray: what it is asked for, what is kept of it; and real sweeps on it, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sweeps import sweep, write

from pgolf.errors import PgolfError
from pgolf.sweep import cluster
from pgolf.sweep.cluster import Place
from pgolf.testing import MICRO, make_data


def test_stopped_and_lost_trials_have_their_last_mark(tmp_path):
    def run(job, keeper, place, cpus):
        for trial, problem in (("a", ""), ("b", "it lost its machine")):
            keeper.ask(trial)
            for clock in (1.0, 3.0, 1.0, 3.0, 9.0):  # started again on another machine after its second mark
                keeper.result(trial, {"clock": clock, "val_bpb": 5 - clock / 10})
            keeper.ended(trial, problem)

    found, _ = sweep(write(tmp_path), tmp_path / "out", run)
    assert [(row.state, row.clock, row.val_bpb) for row in found.rows] == [("stopped", 9, 4.1), ("failed", 9, 4.1)]
    assert found.rows[0].marks == [[1, 4.9], [3, 4.7], [9, 4.1]]


def test_logs_of_another_machine_arrive(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there/train_seed1.log").write_text("step:1/2\n")
    packed = cluster.pack_logs(tmp_path / "there")
    cluster.unpack_logs(packed, tmp_path / "here/logs")
    assert (tmp_path / "here/logs/train_seed1.log").read_text() == "step:1/2\n"


def test_what_no_machine_has_is_said_at_once():
    from types import SimpleNamespace

    from pgolf.errors import PgolfError

    nodes = [{"Alive": True, "Resources": {"CPU": 4, "GPU": 2}}, {"Alive": False, "Resources": {"CPU": 64, "GPU": 8}}]
    ray = SimpleNamespace(nodes=lambda: nodes)
    assert cluster.resources(ray, Place(), 2, 2) == {"cpu": 2, "gpu": 2}
    assert cluster.resources(ray, Place(cpus=3, gpus=0), 2, 2) == {"cpu": 3, "gpu": 0}
    with pytest.raises(PgolfError, match="takes 8 CPUs and 8 GPUs, and the largest machine has 4 and 2"):
        cluster.resources(ray, Place(), 8, 2)
    nodes[0]["Resources"] = {"CPU": 4}
    assert cluster.resources(ray, Place(), 1, 2) == {"cpu": 2, "gpu": 0}


def test_ray_is_not_imported_by_the_command():
    code = "import pgolf.sweep.sweep, pgolf.sweep.cluster, pgolf.cli.sweep, sys\n"
    code += "assert not {'ray', 'optuna', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


NEEDS_RAY = pytest.mark.skipif(
    any(cluster.importlib.util.find_spec(name) is None for name in ("ray", "pyarrow", "optuna")),
    reason="needs the extra sweep",
)


def micro_sweep(tmp_path, text):
    """A sweep whose trials take as long as PyTorch takes to start, and its options."""
    settings = "\n".join(
        f"{name} = {value}" for name, value in MICRO.items() if name not in ("num_layers", "val_loss_every")
    )
    (tmp_path / "recipe.toml").write_text(f"name = 'micro'\n[settings]\n{settings}\n")
    (tmp_path / "corpus").mkdir()
    data = make_data(tmp_path / "corpus")
    write(tmp_path, "recipe = 'recipe.toml'\n" + text)
    return ["--data", data.data_path, "--tokenizer", data.tokenizer_path, "-o", tmp_path / "out"]


def pgolf_process(*words, **options):
    command = [sys.executable, "-m", "pgolf.cli", "sweep", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=540, **options)


@NEEDS_RAY
@pytest.mark.slow
def test_a_sweep_on_ray(tmp_path):
    """Optuna, stopping by marks, a killed driver, and going on."""
    text = "[search]\nmethod = 'optuna'\ntrials = 6\n[settings]\nnum_layers = [2, 3, 4]\n"
    text += (
        "matrix_lr = {low = 0.001, high = 0.1, log = true}\n[stop]\nfirst = 1\nfactor = 2\nclock = 'steps'\nevery = 1\n"
    )
    words = [tmp_path / "sweep.toml", *micro_sweep(tmp_path, text), "--cpus", "1", "--json"]
    command = [sys.executable, "-m", "pgolf.cli", "sweep", *map(str, words)]
    first = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    said = [first.stderr.readline() for _ in range(2)]
    first.kill()
    first.wait()
    first.stderr.close()
    assert all(line.split(":")[0] in ("1", "2") for line in said), said
    done = pgolf_process(*words)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kept"] >= 2 and found["kept"] + found["ran"] == 6 and len(found["trials"]) == 6
    assert {row["state"] for row in found["trials"]} <= {"finished", "stopped"} and found["best"]["steps"] == 4
    again = json.loads(pgolf_process(*words).stdout)
    assert (again["kept"], again["ran"]) == (6, 0)


@NEEDS_RAY
@pytest.mark.slow
def test_every_finished_trial_is_kept_when_a_node_dies(tmp_path):
    """Two nodes; the one that the driver is not on is killed while it trains: its trial runs again on the other."""
    text = "[settings]\nnum_layers = [2, 3, 4]\nmatrix_lr = [0.01, 0.02]\n"
    options = micro_sweep(tmp_path, text)
    script = Path(__file__).with_name("two_nodes.py")
    words = [sys.executable, script, tmp_path / "sweep.toml", *options]
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, timeout=560, env=os.environ)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["finished_before"] >= 1 and found["kept"] == found["finished_before"]
    assert found["states"] == ["finished"] * 6 and found["nodes"] == 2


@NEEDS_RAY
@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:99999999"])
def test_no_cluster_at_the_address_is_one_line(address):
    with pytest.raises(PgolfError, match=f"no Ray cluster answers at {address}") as caught, cluster.connected(address):
        pass
    assert "\n" not in caught.value.message and "ray start --head" in caught.value.hint
