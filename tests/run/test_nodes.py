"""Several machines for one run: threads and processes of this one stand for them."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from folders import PROGRAM, make_data
from test_launch import target_of

from pgolf.errors import PgolfError
from pgolf.run import launch, nodes
from pgolf.run.data import find_data
from pgolf.run.launch import RunOptions, command_line, run_seed
from pgolf.run.nodes import Link, Nodes, Peer, read_nodes
from pgolf.testing import MICRO
from pgolf.testing import make_data as make_corpus


def free_port():
    """Of two in a row that nobody has."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                other.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


@pytest.mark.parametrize(
    ("count", "rank", "endpoint", "nproc", "said"),
    [
        (2, None, "h:1", 1, "need --node-rank"),
        (2, 0, None, 1, "need --node-rank"),
        (2, 2, "h:1", 1, "is not below"),
        (3, 0, "h:1", 1, "3 nodes with 1 processes are 3 ranks"),
        (2, 0, "h:1", 8, "are 16 ranks"),
        (2, 0, "h", 4, "is no HOST:PORT"),
        (2, 0, "h:65535", 4, "is no HOST:PORT"),
        (2, 0, "a b:1", 4, "is no HOST:PORT"),
    ],
)
def test_what_does_not_fit_together(count, rank, endpoint, nproc, said):
    with pytest.raises(PgolfError, match=said) as caught:
        read_nodes(count, rank, endpoint, nproc)
    assert caught.value.code == "PG004" and caught.value.hint


def test_the_command_of_a_node(tmp_path):
    assert read_nodes(1, None, None, 8) is None
    found = read_nodes(2, 1, "[::1]:29500", 4)
    assert found == Nodes(2, 1, "[::1]", 29500)
    words = command_line(Path("a.py"), RunOptions(None, 4, nodes=found))
    assert words[3:] == ["--nproc-per-node=4", "--nnodes=2", "--node-rank=1", "--rdzv-endpoint=[::1]:29500", "a.py"]


def both(tmp_path, first, second, count=2):
    """What `first(link)` on node 0 and `second(link)` on node 1 return or raise; facts may be given instead of the default."""
    port, found = free_port(), {}

    def node(rank, body, facts, folder):
        try:
            with Link(
                Nodes(count, rank, "127.0.0.1", port), facts, folder, found.setdefault("said", []).append
            ) as link:
                found[rank] = body(link)
        except PgolfError as error:
            found[rank] = error.message

    bodies = [one if isinstance(one, tuple) else (one, {"script": "a"}, tmp_path) for one in (first, second)]
    threads = [threading.Thread(target=node, args=(rank, *body)) for rank, body in enumerate(bodies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    return found


def ends(problem, wait=0.0):
    def body(link):
        link.start()
        link.say("hello")
        time.sleep(wait)
        return link.finish(problem)

    return body


def test_nodes_that_end_well(tmp_path):
    found = both(tmp_path, ends(""), ends(""))
    assert (found[0], found[1], found["said"]) == ("", "", ["node 1 | hello"])
    assert list(tmp_path.iterdir()) == [], "the token is gone"


def test_the_reason_of_one_is_the_reason_of_both(tmp_path):
    ended = []

    def waits(link):
        link.started(lambda: ended.append(link.nodes.rank))
        link.start()
        end = time.monotonic() + 20
        while not ended and time.monotonic() < end:
            time.sleep(0.01)
        return link.finish(link.cause("RuntimeError: Connection closed by peer"))

    found = both(tmp_path, waits, ends("ValueError: no luck"))
    assert (found[0], found[1], ended) == ("node 1: ValueError: no luck", "ValueError: no luck", [0])
    ended.clear()
    found = both(tmp_path, ends("the training loss is nan"), waits)
    assert found[1] == "node 0: the training loss is nan" and ended == [1]


@pytest.mark.ci
def test_a_node_that_is_gone_or_silent(tmp_path, monkeypatch):
    def dies(link):
        link.start()

    found = both(tmp_path, ends(""), dies)
    assert found[0] == "node 1 is gone: its connection was closed"
    monkeypatch.setattr(nodes, "SILENT_SECONDS", 2.0)
    monkeypatch.setattr(nodes, "BEAT_SECONDS", 0.2)

    def silent(link):
        link.beat = lambda: None
        link.start()
        time.sleep(6)

    def beats(link):
        link.start()
        time.sleep(4)
        return link.reason

    assert both(tmp_path, beats, silent)[0] == "node 1 is silent since 2 s"


def test_its_own_reason_is_better_than_that_the_other_has_ended(tmp_path):
    def fails_later(link):
        link.start()
        time.sleep(0.3)
        return link.cause("ValueError: mine")

    found = both(tmp_path, ends("ProcessGroupGloo failed"), fails_later)
    assert found[1] == "ValueError: mine"


def test_nodes_that_do_not_fit(tmp_path):
    found = both(tmp_path, ends(""), (ends(""), {"script": "b"}, tmp_path))
    assert found[0] == found[1] == "node 1 has another script: b, and node 0 a"
    (tmp_path / "own").mkdir()
    found = both(tmp_path, ends(""), (ends(""), {"script": "a"}, tmp_path / "own"))
    assert found[0] == found[1] and "must be on a disk that all nodes share" in found[0]


def test_nodes_that_do_not_come(tmp_path, monkeypatch):
    monkeypatch.setattr(nodes, "WAIT_SECONDS", 0.3)
    port = free_port()
    with (
        pytest.raises(PgolfError, match="1 of 2 nodes did not come within 0 s"),
        Link(Nodes(2, 0, "127.0.0.1", port), {}, tmp_path, print),
    ):
        pass
    with (
        pytest.raises(PgolfError, match="node 0 does not answer"),
        Link(Nodes(2, 1, "127.0.0.1", port), {}, tmp_path, print),
    ):
        pass
    with (
        socket.create_server(("", port + 1)),
        pytest.raises(PgolfError, match="cannot be listened at"),
        Link(Nodes(2, 0, "127.0.0.1", port), {}, tmp_path, print),
    ):
        pass


def test_strangers_are_hung_up_on(tmp_path):
    """Somebody else's connection to the port is no node."""
    left, right = socket.socketpair()
    peer = Peer(left, 1)
    right.sendall(b"GET / HTTP/1.1\r\n")
    with pytest.raises(EOFError):
        peer.read()
    peer.close()
    right.close()


def test_two_nodes_run_a_program(tmp_path, monkeypatch):
    """Node 0 keeps the log; what the other prints is beside it; both know the result."""
    code = (
        'import os\nif os.environ["NODE"] == "1":\n    print("only here", flush=True)\n    raise SystemExit\n' + PROGRAM
    )
    target = target_of(tmp_path / "toy", code)
    data = find_data(make_data(tmp_path / "data"), None, {}, False)
    monkeypatch.setattr(
        launch, "command_line",
        lambda script, options: ["env", f"NODE={options.nodes.rank}", sys.executable, str(script)],
    )  # fmt: skip
    port, found, said = free_port(), {}, []

    def node(rank):
        options = RunOptions(data, nodes=Nodes(2, rank, "127.0.0.1", port))
        found[rank] = run_seed(target, 7, options, said.append if rank == 0 else str)

    threads = [threading.Thread(target=node, args=(rank,)) for rank in (1, 0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [found[rank].problem for rank in (0, 1)] == ["", ""]
    assert found[0].record.headline == found[1].record.headline is not None
    assert "only here" not in found[0].log.read_text() and "node 1 | only here" in said
    lines = (tmp_path / "toy/logs/train_seed7.nodes.log").read_text().splitlines()
    assert [line.split(":")[0] for line in lines] == ["node 0", "node 1", "node 1 | only here"]


def start_node(rank, port, folder, data, *words):
    command = [sys.executable, "-m", "pgolf.cli", "train", folder, "--data", data.data_path, "--tokenizer", data.tokenizer_path,
               "--nnodes", 2, "--node-rank", rank, "--rdzv-endpoint", f"127.0.0.1:{port}", "--json", *words]  # fmt: skip
    return subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def micro_folder(tmp_path):
    """A build of micro size, and its corpus."""
    (tmp_path / "corpus").mkdir()
    data = make_corpus(tmp_path / "corpus")
    words = [word for name, value in MICRO.items() for word in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "pgolf.cli", "build", "--plugins", "step_clock", *words, "-o", tmp_path / "toy"]
    subprocess.run([*map(str, command)], check=True, capture_output=True)
    return tmp_path / "toy", data


@pytest.mark.slow
def test_two_processes_that_stand_for_nodes_train_over_gloo(micro_folder):
    """The same score as two ranks of one machine have."""
    folder, data = micro_folder
    port = free_port()
    running = [start_node(rank, port, folder, data) for rank in (1, 0)]
    done = [(one.communicate(timeout=300), one.returncode) for one in running]
    assert [status for _, status in done] == [0, 0], done
    found = [json.loads(out)["runs"][0] for (out, _), _ in done]
    assert found[0]["val_bpb"] == found[1]["val_bpb"] > 0
    assert "world_size:2" in (folder / "logs/train_seed1337.log").read_text()
    command = [sys.executable, "-m", "pgolf.cli", "train", folder, "--data", data.data_path, "--tokenizer",
               data.tokenizer_path, "--nproc", 2, "--json"]  # fmt: skip
    alone = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    assert json.loads(alone.stdout)["runs"][0]["val_bpb"] == found[0]["val_bpb"]


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_the_death_of_a_node_ends_the_other_with_its_reason(micro_folder, killed):
    folder, data = micro_folder
    port = free_port()
    running = [start_node(rank, port, folder, data, "--iterations", 100_000) for rank in (0, 1)]
    for line in running[0].stderr:
        if line.startswith("step:3/"):
            break
    begin = time.monotonic()
    os.kill(running[killed].pid, signal.SIGKILL)
    other = running[1 - killed]
    out, _ = other.communicate(timeout=120)
    seconds = time.monotonic() - begin
    running[killed].communicate(timeout=30)
    run = json.loads(out)["runs"][0]
    assert other.returncode == 1 and run["problem"] == f"node {killed} is gone: its connection was closed"
    print(f"ended after {seconds:.1f} s")
    assert seconds < 60
