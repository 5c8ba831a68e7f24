"""Several machines for one training: they find each other, start together, and end together, with the reason of who failed.

torchrun connects the ranks. What it leaves out is between the launchers, over one connection from every node to node 0, at
the port after the rendezvous': are all of one build and one folder; what the ranks of other nodes print; and whether a node is
gone, which the collectives of the others would only find out minutes later, or never.

    other -> 0    {"hello": facts}   {"sees": true}    {"line": text}...   {"end": problem}
    0 -> other    {"token": name}    {"go": true}                          {"end": problem}
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgolf.errors import PgolfError
from pgolf.files import write_atomically

WAIT_SECONDS = 600.0
"""For all nodes to come."""
BEAT_SECONDS, SILENT_SECONDS = 5.0, 60.0
CAUSE_SECONDS = 8.0
"""A failed node waits so long for the reason of another: its own may be that the other is gone."""
MOST_CHARACTERS = 20_000
CONSEQUENCE = re.compile(
    r"(?i)connection (?:closed|reset|refused)|broken pipe|\bnccl|processgroup|recvvalue|tcpstore|socket|gloo|rendezvous|"
    r"timed? ?out|status -\d+|\bsig|interrupt|ChildFailedError"
)
ENDPOINT = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):(?P<port>\d{1,5})")


@dataclass(frozen=True)
class Nodes:
    """This machine among those of a run.

    Attributes:
        host, port: where node 0's rendezvous listens.
    """

    count: int
    rank: int
    host: str
    port: int

    @property
    def endpoint(self) -> str:
        """For torchrun."""
        return f"{self.host}:{self.port}"


def read_nodes(count: int, rank: int | None, endpoint: str | None, nproc: int) -> Nodes | None:
    """From the command line; None for one machine.

    Raises:
        PgolfError: PG004 for what does not fit together.
    """
    if count == 1 and rank is None and endpoint is None:
        return None
    hint = "on every machine: --nnodes 2 --node-rank 0 (or 1) --rdzv-endpoint HOST:PORT of node 0"
    if count * nproc not in (1, 2, 4, 8):
        text = f"{count} nodes with {nproc} processes are {count * nproc} ranks, wanted 1, 2, 4 or 8"
        raise PgolfError("PG004", text, "--nnodes, --nproc", "a step has 8 micro-batches, which the ranks share evenly")
    if rank is None or endpoint is None:
        raise PgolfError("PG004", "several nodes need --node-rank and --rdzv-endpoint", "command line", hint)
    if not 0 <= rank < count:
        raise PgolfError("PG004", f"--node-rank {rank} is not below --nnodes {count}", "command line", hint)
    match = ENDPOINT.fullmatch(endpoint)
    if match is None or not 0 < int(match["port"]) < 65535:
        raise PgolfError("PG004", f"--rdzv-endpoint {endpoint!r} is no HOST:PORT", "command line", hint)
    return Nodes(count, rank, match["host"], int(match["port"]))


class Peer:
    """One connection; lines of JSON."""

    def __init__(self, connection: socket.socket, rank: int) -> None:
        connection.settimeout(SILENT_SECONDS)
        self.connection, self.rank = connection, rank
        self.reader = connection.makefile("r", encoding="utf-8", errors="replace")
        self.lock = threading.Lock()
        self.ended = False

    def send(self, **message: Any) -> None:
        """One message; a peer that is gone is found out by reading."""
        with self.lock, contextlib.suppress(OSError):
            self.connection.sendall((json.dumps(message) + "\n").encode())

    def read(self) -> dict[str, Any]:
        """The next message that is no sign of life.

        Raises:
            EOFError: the peer is gone, with how that showed.
        """
        while True:
            try:
                line = self.reader.readline(4 * MOST_CHARACTERS)
                found = json.loads(line) if line.endswith("\n") else None
            except TimeoutError:
                raise EOFError(f"is silent since {SILENT_SECONDS:.0f} s") from None
            except (OSError, ValueError):
                found = None
            if not isinstance(found, dict):
                raise EOFError("is gone: its connection was closed")
            if "beat" not in found:
                return found

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.reader.close()
        self.connection.close()


class Link:
    """The nodes of one run; as a context manager it hangs up at the end.

    Args:
        facts: of the run, and must be equal on all nodes: name -> value.
        folder: that all nodes share.
        on_line: gets what other nodes print, on node 0.

    Attributes:
        reason: why the run must end, "" while all is well.
    """

    def __init__(self, nodes: Nodes, facts: dict[str, Any], folder: Path, on_line: Callable[[str], object]) -> None:
        self.nodes, self.facts, self.folder, self.on_line = nodes, facts, folder, on_line
        self.peers: list[Peer] = []
        self.reason = ""
        self.lines: list[str] = []
        self.end_program: Callable[[], None] = lambda: None
        self.changed = threading.Condition()
        self.over = threading.Event()

    @property
    def leads(self) -> bool:
        """Is this node 0, whose rank 0 writes log and artifact?"""
        return self.nodes.rank == 0

    def __enter__(self) -> Link:
        try:
            self.lead() if self.leads else self.follow()
        except BaseException:
            self.hang_up()
            raise
        return self

    def __exit__(self, *rest: object) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        """Nothing that follows is a loss."""
        self.over.set()
        for peer in self.peers:
            peer.close()

    def lead(self) -> None:
        """Wait for all nodes and see that they fit; PG004 where one does not, or does not come."""
        self.folder.mkdir(parents=True, exist_ok=True)
        token = self.folder / f".node-{secrets.token_hex(8)}"
        write_atomically(token, b"")
        try:
            with self.listening() as server:
                while len(self.peers) < self.nodes.count - 1:
                    self.greet(server, token.name)
        finally:
            token.unlink(missing_ok=True)

    def listening(self) -> socket.socket:
        """A server at the port after the rendezvous'."""
        port = self.nodes.port + 1
        try:
            server = socket.create_server(("", port))
        except OSError as error:
            text = f"port {port} cannot be listened at: {error.strerror or error}"
            raise PgolfError(
                "PG004", text, "--rdzv-endpoint", "give another port; the one after it is used, too"
            ) from None
        server.settimeout(WAIT_SECONDS)
        return server

    def greet(self, server: socket.socket, token: str) -> None:
        """The next node that comes."""
        try:
            connection, address = server.accept()
        except TimeoutError:
            missing = self.nodes.count - 1 - len(self.peers)
            text = f"{missing} of {self.nodes.count} nodes did not come within {WAIT_SECONDS:.0f} s"
            raise PgolfError("PG004", text, "--nnodes", "start the same command on every machine") from None
        peer = Peer(connection, -1)
        with contextlib.suppress(EOFError):
            hello = peer.read().get("hello")
            if isinstance(hello, dict) and isinstance(hello.get("node"), int):
                peer.rank = hello["node"]
                peer.send(token=token)
                problem = self.judge(hello) or ("" if peer.read().get("sees") else self.unseen(peer.rank))
                self.peers.append(peer)
                if problem:
                    for one in self.peers:
                        one.send(end=problem)
                    raise PgolfError("PG004", problem, f"node {peer.rank} at {address[0]}")
                self.lines.append(f"node {peer.rank}: {hello.get('host')} at {address[0]}")
                return
        peer.close()  # somebody else's connection

    def judge(self, hello: dict[str, Any]) -> str:
        """What of another node does not fit, or ""."""
        taken = {0, *(peer.rank for peer in self.peers)}
        if hello["node"] in taken or not 0 < hello["node"] < self.nodes.count:
            return f"node {hello['node']} is there twice, or is not below {self.nodes.count}"
        for name, value in self.facts.items():
            if hello.get(name) != value:
                return f"node {hello['node']} has another {name}: {hello.get(name)}, and node 0 {value}"
        return ""

    def unseen(self, rank: int) -> str:
        """A folder of its own would leave the ranks of that node without the artifact."""
        return f"node {rank} does not see node 0's files in {self.folder}: the folder must be on a disk that all nodes share"

    def follow(self) -> None:
        """Find node 0; PG004 where it does not answer or refuses."""
        address, end = (self.nodes.host.strip("[]"), self.nodes.port + 1), time.monotonic() + WAIT_SECONDS
        while True:
            try:
                peer = Peer(socket.create_connection(address, 10), 0)
                break
            except OSError as error:
                if time.monotonic() > end:
                    text = f"node 0 does not answer at {address[0]}:{address[1]}: {error.strerror or error}"
                    raise PgolfError(
                        "PG004", text, "--rdzv-endpoint", "start node 0, and see that the port is open"
                    ) from None
                time.sleep(0.5)
        self.peers.append(peer)
        peer.send(hello={**self.facts, "node": self.nodes.rank, "host": socket.gethostname()})
        try:
            token = str(peer.read().get("token", ""))
            if token:
                peer.send(
                    sees=re.fullmatch(r"\.node-[0-9a-f]{16}", token) is not None and (self.folder / token).exists()
                )
        except EOFError as error:
            raise PgolfError("PG004", f"node 0 {error}", f"{address[0]}:{address[1]}") from None

    def start(self) -> None:
        """All begin when node 0 has made the folder ready; from here on every node watches the others."""
        if self.leads:
            for peer in self.peers:
                peer.send(go=True)
        else:
            try:
                message = self.peers[0].read()
            except EOFError as error:
                raise PgolfError("PG004", f"node 0 {error}", self.nodes.endpoint) from None
            if "go" not in message:
                raise PgolfError("PG004", str(message.get("end", "node 0 refuses")), self.nodes.endpoint)
        for peer in self.peers:
            threading.Thread(target=self.watch, args=(peer,), daemon=True).start()
        threading.Thread(target=self.beat, daemon=True).start()

    def beat(self) -> None:
        """Signs of life."""
        while not self.over.wait(BEAT_SECONDS):
            for peer in self.peers:
                peer.send(beat=1)

    def watch(self, peer: Peer) -> None:
        """Read what a peer says until it ends or is gone."""
        while not peer.ended:
            try:
                message = peer.read()
            except (EOFError, ValueError) as error:
                self.lost(peer, f"node {peer.rank} {error}" if isinstance(error, EOFError) else "")
                return
            if "line" in message:
                line = f"node {peer.rank} | {str(message['line'])[:MOST_CHARACTERS]}"
                self.lines.append(line)
                self.on_line(line)
            elif "end" in message:
                problem = str(message["end"])[:MOST_CHARACTERS]
                self.lost(
                    peer, problem and (problem if problem.startswith("node ") else f"node {peer.rank}: {problem}")
                )

    def lost(self, peer: Peer, reason: str) -> None:
        """A peer has ended; with a reason, this node ends as well."""
        with self.changed:
            peer.ended = True
            first = bool(reason) and not self.reason and not self.over.is_set()
            if first:
                self.reason = reason
            self.changed.notify_all()
        if first:
            for other in self.peers:
                other.send(end=reason)
            self.end_program()

    def started(self, end: Callable[[], None]) -> None:
        """The program runs; `end` ends it."""
        self.end_program = end
        if self.reason:
            end()

    def say(self, line: str) -> None:
        """Something that a rank of this node has printed."""
        if not self.leads:
            self.peers[0].send(line=line[:MOST_CHARACTERS])

    def cause(self, problem: str) -> str:
        """Why this node's program has failed: another node's reason, where its own is only that the other is gone."""
        end = time.monotonic() + CAUSE_SECONDS
        with self.changed:
            while CONSEQUENCE.search(problem) and not self.reason and time.monotonic() < end:
                self.changed.wait(0.2)
        return self.reason if self.reason and (CONSEQUENCE.search(problem) or not problem) else problem

    def finish(self, problem: str) -> str:
        """Say how this node's program ended, wait for the others, and return what is wrong with the run, or ""."""
        end = time.monotonic() + SILENT_SECONDS
        for peer in self.peers:
            peer.send(end=problem)
        with self.changed:
            while (
                not problem
                and not self.reason
                and not all(peer.ended for peer in self.peers)
                and time.monotonic() < end
            ):
                self.changed.wait(0.2)
        return problem or self.reason

    def keep_lines(self, path: Path) -> None:
        """Who was there, and what ranks of other nodes have printed."""
        if self.leads:
            head = f"node 0: {socket.gethostname()}"
            write_atomically(path, "".join(f"{line}\n" for line in (head, *self.lines)).encode(errors="replace"))
