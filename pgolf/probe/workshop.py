"""A script made small, with the folders, data and tokenizer that it runs with, and the sandbox that runs it."""

from __future__ import annotations

import json
import re
import shutil
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pgolf.probe.older_strings import runnable
from pgolf.probe.piece_file import Pieces, make_pieces, model_file
from pgolf.probe.shrinking import Sizes, Small, shrink
from pgolf.probe.text_streams import TRAIN_TOKENS, Stream, make_stream, text_bytes, write_shard
from pgolf.probe.trials import Trial, read_trial

INSIDE = Path(__file__).with_name("inside")
START = """
import sys, types
for name, path in (("pgolf", []), ("pgolf.probe", []), ("pgolf.probe.inside", [sys.argv[1]])):
    module = types.ModuleType(name)
    module.__path__ = path
    sys.modules[name] = module
from pgolf.probe.inside.driver import main
main(sys.argv[2])
"""
BUDGET = 240.0
"""Seconds of the processor after which no further execution of a job begins: what is left is not judged."""
WAITS = 3
"""How often these, and those of one execution, may go by on the clock, as in the driver."""
VALIDATION_TOKENS = 1537
VOCABULARY = 320
SMALL_VOCABULARY = 32
ONE_RANK = {
    **{"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1"},
    **{"MASTER_PORT": "29500", "SEED": "1337", "RUN_ID": "probe", "OMP_NUM_THREADS": "1", "DATA_MODE": "local"},
}


class Execute(Protocol):
    """Runs `python ARGUMENTS` in a sandbox with one writable folder; returns "" or the limit that it went over."""

    def __call__(self, arguments: Sequence[str], work: Path, seconds: float, readonly: Sequence[Path]) -> str: ...


@dataclass(frozen=True)
class Script:
    """A program to probe.

    Attributes:
        name: of its file.
        text: its source, unpacked.
        files: what lies beside it, by name.
        environment: what is set for it; nothing of it is made small where `ready`.
        vocabulary: tokens that it is for, 0 where it has a hyperparameter for that.
    """

    name: str
    text: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    vocabulary: int = 0
    ready: bool = False


@dataclass(frozen=True)
class Planned:
    """One execution.

    Attributes:
        name: of it.
        stream: its validation text.
        hide: whether training shards vanish after the artifact.
        contrary: the number of the comparison of totals that comes out the other way; 0 for none.
    """

    name: str
    stream: Stream
    hide: bool = False
    contrary: int = 0


@dataclass(frozen=True)
class Given:
    """Real text: two streams and the file of their tokenizer."""

    official: Stream
    train: Stream
    tokenizer: bytes


class Workshop:
    """Runs one script at one size.

    Args:
        script: what to run.
        sizes: how small.
        work: a folder for this workshop alone.
        execute: the sandbox.
        seconds: of the processor, most of one execution.
        seed: of streams and of positions.
        tokens: length of the validation stream.
        given: validation and training streams and a tokenizer's file, in place of made-up ones.

    Raises:
        SyntaxError: when this Python does not read the script.
    """

    def __init__(
        self,
        script: Script,
        sizes: Sizes,
        work: Path,
        execute: Execute,
        seconds: float,
        seed: int,
        tokens: int = VALIDATION_TOKENS,
        given: Given | None = None,
    ):
        self.script, self.work, self.execute, self.seconds = script, work, execute, seconds
        text = runnable(script.text)
        self.small = Small(text) if script.ready else shrink(text, sizes)
        self.vocabulary = script.vocabulary or self.small.vocabulary or 1024
        self.pieces: Pieces = make_pieces(self.vocabulary)
        self.seed = seed
        self.random = np.random.default_rng(seed)
        self.tokenizer = given.tokenizer if given else model_file(self.pieces)
        self.official = given.official if given else make_stream(self.pieces, tokens, seed)
        self.train = given.train if given else make_stream(self.pieces, TRAIN_TOKENS, seed + 1, self.official)
        self.seen: dict[str, Trial] = {}

    def draw_for(self, probe: str) -> None:
        """Draw anew for a probe: alone, it draws the same as among all others, so that it can be repeated."""
        self.random = np.random.default_rng((self.seed, zlib.crc32(probe.encode())))

    def run(self, planned: Sequence[Planned]) -> dict[str, Trial]:
        """Execute what was not executed yet, all in one sandbox."""
        waiting = [one for one in planned if one.name not in self.seen]
        if waiting:
            self.work.mkdir(parents=True, exist_ok=True)
            folders = {one.name: self._folder(one) for one in waiting}
            job = self._job(waiting, folders)
            path = self.work / "job.json"
            path.write_text(json.dumps(job))
            limit = WAITS * (BUDGET + self.seconds) + 60.0
            excess = self.execute(["-I", "-c", START, str(INSIDE), str(path)], self.work, limit, [INSIDE])
            for name, folder in folders.items():
                trial = read_trial(name, folder)
                if excess and trial.error:
                    trial.error = f"{trial.error} ({excess})"
                self.seen[name] = trial
                shutil.rmtree(folder, ignore_errors=True)
        return {one.name: self.seen[one.name] for one in planned}

    def bytes_of(self, stream: Stream) -> list[int]:
        """Bytes of text of each token."""
        return self.pieces.byte_count(stream.tokens.tolist())

    def _folder(self, planned: Planned) -> Path:
        folder = self.work / planned.name
        data = folder / "data" / "datasets" / f"fineweb10B_sp{self.vocabulary}"
        data.mkdir(parents=True)
        tokenizer = folder / "data" / "tokenizers" / f"fineweb_{self.vocabulary}_bpe.model"
        tokenizer.parent.mkdir()
        tokenizer.write_bytes(self.tokenizer)
        write_shard(data / "fineweb_train_000000.bin", self.train.tokens)
        write_shard(data / "fineweb_val_000000.bin", planned.stream.tokens)
        if "val_bytes" in self.small.text:
            write_shard(data / "fineweb_val_bytes_000000.bin", np.array(self.bytes_of(planned.stream), np.int64))
        np.save(folder / "stream.npy", planned.stream.tokens)
        for name, content in self.script.files.items():
            path = folder / name
            if path.resolve().is_relative_to(folder.resolve()):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        return folder

    def _job(self, planned: Sequence[Planned], folders: Mapping[str, Path]) -> dict[str, Any]:
        text = self.work / "script.txt"
        text.write_text(self.small.text)
        trials = []
        for one in planned:
            folder = folders[one.name]
            data = next(folder.glob("data/datasets/*"))
            tokenizer = next(folder.glob("data/tokenizers/*"))
            places = {"DATA_PATH": data, "DATA_DIR": folder / "data", "TOKENIZER_PATH": tokenizer}
            trials.append(
                {
                    "folder": str(folder),
                    "data": str(data),
                    "stream": str(folder / "stream.npy"),
                    "hide": one.hide,
                    "contrary": one.contrary,
                    "environment": {key: str(path) for key, path in places.items()},
                }
            )
        return {
            "script": str(text),
            "name": self.script.name,
            "helpers": [name for name in self.script.files if name.endswith(".py")],
            "environment": {**ONE_RANK, **self.small.environment, **self.script.environment},
            "vocabulary": self.vocabulary,
            "tokenizer": str(next(folders[planned[0].name].glob("data/tokenizers/*"))),
            "seconds": self.seconds,
            "budget": BUDGET,
            "alone": planned[0].name.startswith("base"),
            "trials": trials,
        }


def reason(trial: Trial) -> str:
    """Why a trial cannot be used, in a few words that can be printed."""
    return re.sub(r"\s+", " ", trial.error.encode(errors="replace").decode())[:200]


__all__ = ["SMALL_VOCABULARY", "VOCABULARY", "Planned", "Script", "Workshop", "reason", "text_bytes"]
