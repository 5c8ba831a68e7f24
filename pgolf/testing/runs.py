"""Whole runs at micro size in processes of their own, live and built, over a corpus that takes a second to make."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import sentencepiece

from pgolf.bundle.pipeline import build
from pgolf.data.writer import write_shard
from pgolf.resolve import Resolved
from pgolf.testing.warm import CHANCE, Ended, Job, run_jobs, run_ranks

RECORDER = Path(__file__).parent / "record_run.py"
MICRO: dict[str, Any] = {
    "vocab_size": 300,
    "model_dim": 64,
    "num_layers": 4,
    "train_seq_len": 32,
    "train_batch_tokens": 256,
    "val_batch_size": 1024,
    "iterations": 4,
    "max_wallclock_seconds": 0,
    "warmup_steps": 1,
    "val_loss_every": 0,
    "train_log_every": 1,
}


class Data(NamedTuple):
    """Shards and their tokenizer.

    Attributes:
        side_files: the same with byte side files beside the shards, or None where they are that already.
    """

    data_path: Path
    tokenizer_path: Path
    side_files: Data | None = None


class Finished(NamedTuple):
    """A program that has ended: exit status, output of both streams, lines of the log, the folder it ran in."""

    status: int
    output: str
    lines: list[str]
    folder: Path


def make_data(root: Path) -> Data:
    """Shards of two thousand short documents and a tokenizer of 300 pieces, also with byte side files."""
    text = [f"number {n} and its square {n * n} stand beside {n % 7} and {n % 13}" for n in range(2000)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text),
        model_prefix=str(root / "tok"),
        vocab_size=300,
        model_type="bpe",
        byte_fallback=True,
        add_dummy_prefix=False,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(root / "tok.model"))
    with_bytes = root / "side_files"
    with_bytes.mkdir()
    ids: list[int] = []
    for name, lines in (("train", text[:1500]), ("val", text[1500:1560])):
        ids = [token for line in lines for token in [1, *tokenizer.encode(line)]]
        write_shard(root / f"fineweb_{name}_000000.bin", numpy.array(ids))
        write_shard(with_bytes / f"fineweb_{name}_000000.bin", numpy.array(ids))
    # No token but BOS is a control one, so what a token stands for does not depend on the one before it.
    sizes = [0 if token == 1 else len(tokenizer.id_to_piece(token).replace("\u2581", " ")) for token in ids]
    write_shard(with_bytes / "fineweb_val_bytes_000000.bin", numpy.array(sizes))
    return Data(root, root / "tok.model", Data(with_bytes, root / "tok.model"))


def environment(data: Data, plugin_dirs: Sequence[Path] = (), **variables: str) -> dict[str, str]:
    """Of a run that sees nothing of this process but its paths."""
    paths = [*(str(folder) for folder in plugin_dirs), os.environ.get("PYTHONPATH", "")]
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "DATA_PATH": str(data.data_path),
        "TOKENIZER_PATH": str(data.tokenizer_path),
        "RUN_ID": "run",
        "OMP_NUM_THREADS": "1",
        **variables,
    }


def run_program(
    program: Path,
    folder: Path,
    data: Data,
    *arguments: str,
    ranks: int = 1,
    launcher: bool = False,
    **variables: str,
) -> Finished:
    """Run a program file in `folder`, on the CPU, on one or several ranks; `variables` are of the environment.

    With `launcher`, torchrun starts the ranks: slower, and for what it does when one fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command, env = [str(program), *arguments], environment(data, (), **variables)
    for _ in range(5):
        if launcher:
            start = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
            found = subprocess.run([*start, *command], cwd=folder, env=env, capture_output=True, text=True, check=False)
            done = Ended(found.returncode, found.stdout, found.stderr)
        elif ranks == 1:
            (done,) = run_jobs([Job(command, folder, env)])
        else:
            done = run_ranks(Job(command, folder, env), ranks)
        if not any(text in done.stderr for text in CHANCE):
            break
    log = folder / "logs" / "run.txt"
    lines = log.read_text().splitlines() if log.exists() else []
    return Finished(done.status, done.stdout + done.stderr, lines, folder)


def run_recorded(
    program: Path, folder: Path, data: Data, seed: int = 1337, plugin_dirs: Sequence[Path] = (), hash_seed: int = 0
) -> dict[str, Any]:
    """Run a program in a new folder; returns what equality is judged by.

    Keys: "losses" of every backward pass as exact text, "state" (hash of the trained tensors), "artifact" (its hash),
    "final" (the log's exact scores), "receipts" (plugin -> text).
    """
    folder.mkdir(parents=True)
    out = folder / "record.json"
    variables = {"SEED": str(seed), "PYTHONWARNINGS": "error"}
    job = Job([str(RECORDER), str(program), str(out)], folder, environment(data, plugin_dirs, **variables))
    (done,) = run_jobs([job], hash_seed)
    assert out.exists(), done.stdout[-2000:] + done.stderr[-4000:]
    found: dict[str, Any] = json.loads(out.read_text())
    assert found["status"] in (0, None), done.stdout[-3000:]
    return found


def live_and_built(
    resolved: Resolved, folder: Path, data: Data, plugin_dirs: Sequence[Path] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what the entry did, what the packed file did); a build that counts bytes from side files gets data with them."""
    if "SideFileBytes" in resolved.entry and data.side_files is not None:
        data = data.side_files
    entry, packed = folder / "entry.py", folder / "train_gpt.py"
    entry.write_text(resolved.entry)
    packed.write_bytes(build(resolved.entry, resolved.find_source).code)
    live = run_recorded(entry, folder / "live", data, plugin_dirs=plugin_dirs)
    # Under another hash seed: what depends on the order of a set is then found out.
    return live, run_recorded(packed, folder / "built", data, plugin_dirs=plugin_dirs, hash_seed=1)
