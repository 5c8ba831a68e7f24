"""The data: shards whole and as their manifest says, ids in the vocabulary, and made with this tokenizer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from pgolf.data.manifest import read_manifest
from pgolf.data.writer import file_sha256
from pgolf.preflight.finding import Finding, caught, good, problem, unknown
from pgolf.run.data import TRAIN_GLOB, VAL_GLOB, DataPaths, check_data
from pgolf.runtime.shards import load_shard, shard_files

TRIED_TOKENS, TRIED_DOCUMENTS = 40_000, 60
MOST_EQUAL, LEAST_EQUAL = 0.99, 0.5
"""Shares of documents that a tokenizer makes the same ids of: its own gives all, another hardly any."""
Note = Callable[[str], object]


def check_all(paths: DataPaths, settings: Mapping[str, Any], side_files: bool, note: Note) -> list[Finding]:
    """Everything, in order of cost; a damaged shard ends it."""
    found = caught("shards", lambda: check_shards(paths, side_files))
    if any(one.state == "problem" for one in found):
        return found
    found += caught("hashes", lambda: check_hashes(paths, note))
    found += caught("ids", lambda: check_ids(paths, int(settings["vocab_size"])))
    return found + caught("tokenizer", lambda: check_tokenizer(paths, int(settings["vocab_size"])))


def check_shards(paths: DataPaths, side_files: bool) -> list[Finding]:
    """Headers and lengths of all files, and what the manifest says of documents in both splits."""
    check_data(paths, training=True, side_files=side_files)
    counts = {glob: len(shard_files(paths.data_path / glob)) for glob in (TRAIN_GLOB, VAL_GLOB)}
    return [good("shards", f"{counts[TRAIN_GLOB]} of training, {counts[VAL_GLOB]} of validation, {paths.data_path}")]


def all_shards(paths: DataPaths) -> list[Path]:
    """Of both splits."""
    return [*shard_files(paths.data_path / TRAIN_GLOB), *shard_files(paths.data_path / VAL_GLOB)]


def check_hashes(paths: DataPaths, note: Note) -> list[Finding]:
    """Every file that the manifest lists has its size and hash; `damaged_files` in several threads."""
    manifest = read_manifest(paths.data_path)
    if manifest is None or not manifest.get("files"):
        text = "no manifest.json with hashes is beside the shards: their content cannot be checked"
        return [unknown("hashes", text, "pgolf data fetch and data tokenize write one")]
    files: dict[str, dict[str, Any]] = manifest["files"]
    note(f"hashing {len(files)} files, {sum(wanted['bytes'] for wanted in files.values()) >> 20:,} MiB")

    def look(item: tuple[str, dict[str, Any]]) -> str:
        path = paths.data_path / item[0]
        if not path.is_file():
            return f"{item[0]} is missing"
        if path.stat().st_size != item[1]["bytes"]:
            return f"{item[0]} has {path.stat().st_size:,} bytes, wanted {item[1]['bytes']:,}"
        return "" if file_sha256(path) == item[1]["sha256"] else f"{item[0]} has another SHA-256 than its manifest"

    with ThreadPoolExecutor() as threads:
        damaged = [text for text in threads.map(look, sorted(files.items())) if text]
    here = {path.name for path in all_shards(paths)}
    damaged += [f"{name} is not in the manifest" for name in sorted(here - {Path(name).name for name in files})]
    hint = "pgolf data fetch gets what is damaged again"
    return [problem("hashes", text, hint) for text in damaged] or [good("hashes", f"{len(files)} files as listed")]


def check_ids(paths: DataPaths, vocab_size: int) -> list[Finding]:
    """No id is beyond the embedding, in any shard."""
    files = all_shards(paths)
    with ThreadPoolExecutor() as threads:
        tokens = sum(threads.map(lambda path: len(load_shard(path, vocab_size)), files))
    return [good("ids", f"{tokens:,} tokens below {vocab_size}")]


def check_tokenizer(paths: DataPaths, vocab_size: int) -> list[Finding]:
    """It has the vocabulary, is the one of the manifest, and makes the ids of documents again from their text."""
    import sentencepiece

    path = paths.tokenizer_path
    try:
        tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(path))
    except (OSError, RuntimeError, ValueError) as error:
        return [problem("tokenizer", f"{path} is no SentencePiece model: {' '.join(str(error).split())[:120]}")]
    if tokenizer.vocab_size() != vocab_size:
        text = f"{path.name} has {tokenizer.vocab_size()} pieces, the build {vocab_size}"
        return [problem("tokenizer", text, "give the tokenizer that the shards were made with, with --tokenizer")]
    documents = validation_documents(paths.data_path, tokenizer.bos_id())
    equal = [tokenizer.encode(tokenizer.decode(ids)) == ids for ids in documents]
    return [judge_tokenizer(path.name, sum(equal), len(equal))]


def validation_documents(folder: Path, bos: int) -> list[list[int]]:
    """The ids of the first whole documents of the validation split, without BOS."""
    stream: np.ndarray = np.fromfile(shard_files(folder / VAL_GLOB)[0], "<u2", TRIED_TOKENS, offset=1024)
    starts = np.flatnonzero(stream == bos).tolist()
    pairs = list(itertools.pairwise(starts))[:TRIED_DOCUMENTS]
    return [stream[begin + 1 : end].tolist() for begin, end in pairs]


def judge_tokenizer(name: str, equal: int, tried: int) -> Finding:
    """Of `tried` documents so many are the same."""
    if not tried:
        return unknown(
            "tokenizer", f"{name}: no whole document in the first {TRIED_TOKENS:,} validation tokens to try it on"
        )
    text = f"{name} makes {equal} of {tried} validation documents again"
    if equal / tried >= MOST_EQUAL:
        return good("tokenizer", text)
    if equal / tried < LEAST_EQUAL:
        return problem("tokenizer", text, "the shards were made with another one: give it with --tokenizer")
    return unknown("tokenizer", text, "its text may be normalised in a way that decoding does not undo")
