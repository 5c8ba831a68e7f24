"""`pgolf data fetch`: the published FineWeb shards, verified file by file.

What is trusted: the SHA-256 that the repository's manifest or the server gives where there is one, and the shard format
itself (header, length, ids below the vocabulary) always. What arrived is then recorded in manifest.json beside the
shards, so a later run proves without a network that nothing has changed since.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgolf.data.hub import Hub
from pgolf.data.manifest import UNFINISHED, Manifest, read_manifest, write_manifest
from pgolf.data.text import open_tokenizer
from pgolf.data.writer import file_sha256
from pgolf.errors import PgolfError
from pgolf.runtime.shards import load_shard


@dataclass(frozen=True)
class Variant:
    """What was published: a data set of a repository, its vocabulary, and whether byte side files belong to it."""

    repository: str
    dataset: str
    vocab_size: int
    side_files: bool = False

    @property
    def tokenizer(self) -> str:
        """The model file, where the repository's manifest does not say."""
        name = self.dataset.removeprefix("fineweb10B_sp").removeprefix(str(self.vocab_size))
        return f"tokenizers/fineweb_{self.vocab_size}_bpe{name}.model"


VARIANTS = {
    "sp1024": Variant("willdepueoai/parameter-golf", "fineweb10B_sp1024", 1024),
    "sp4096": Variant("kevclark/parameter-golf", "fineweb10B_sp4096", 4096),
    "sp8192": Variant("kevclark/parameter-golf", "fineweb10B_sp8192", 8192),
    "sp8192_caseops": Variant(
        "romeerp/parameter-golf-caseops-v1",
        "fineweb10B_sp8192_lossless_caps_caseops_v1_reserved",
        8192,
        side_files=True,
    ),
}
# Folder inside the repositories under which everything lies, itself with a folder `datasets`.
ROOT = "datasets"
Note = Callable[[str], object]


@dataclass(frozen=True)
class Wanted:
    """One file: its path below ROOT in the repository, and its place on this machine."""

    remote: str
    local: Path


def fetch(variant: str, train_shards: int, directory: Path, endpoint: str | None, note: Note) -> Manifest:
    """Download what is missing or damaged; returns the manifest, which gains a file as soon as it is verified.

    Until the last one is there the manifest says so, and no command takes the folder for a data set. Calling again goes on.

    Args:
        variant: a key of VARIANTS.
        train_shards: how many, from the first.
        directory: data folder; gets `datasets/fineweb10B_...` and `tokenizers/`.
        endpoint: URL of a mirror, or None.
        note: receives a line for each file.

    Raises:
        PgolfError: PG001 without network or files; PG004 for more shards than there are; PG502 for a damaged file.
    """
    chosen = VARIANTS[variant]
    folder = directory / "datasets" / chosen.dataset
    manifest, staging = read_manifest(folder) or {}, directory / f".fetch-{variant}"
    if is_complete(folder, manifest, train_shards):
        shutil.rmtree(staging, ignore_errors=True)  # of a run that was killed after its last file
        note(f"intact: {len(manifest['files'])} files in {folder}")
        return manifest
    hub = Hub(chosen.repository, endpoint, staging, note)
    published = read_published(hub)
    wanted = plan_files(chosen, train_shards, directory, published)
    manifest = {**manifest, "kind": "fetch", "repository": hub.repository, "commit": hub.commit, "variant": variant}
    command = f"pgolf data fetch --variant {variant} --train-shards {train_shards} -o {shlex.quote(str(directory))}"
    write_manifest(folder, {**manifest, UNFINISHED: command})
    for file in wanted:
        key = Path(os.path.relpath(file.local, folder)).as_posix()
        files = manifest.setdefault("files", {})
        if not is_intact(file.local, files.get(key)):
            files[key] = fetch_file(hub, file, chosen.vocab_size, published)
            write_manifest(folder, {**manifest, UNFINISHED: command})
            note(f"verified: {file.local} ({files[key]['bytes']:,} bytes)")
    tokens = [record.get("tokens", 0) for name, record in manifest["files"].items() if "_train_" in name]
    manifest["train"] = {"shards": len(tokens), "tokens": sum(tokens)}
    manifest["complete"] = max(train_shards, manifest.get("complete", 0))
    manifest.pop(UNFINISHED, None)
    write_manifest(folder, manifest)
    shutil.rmtree(hub.staging, ignore_errors=True)
    return {"format": 1, **manifest}


def is_complete(folder: Path, manifest: Manifest, train_shards: int) -> bool:
    """Did an earlier run get at least these shards, and is every one still what it was?"""
    files = manifest.get("files", {})
    whole = UNFINISHED not in manifest and int(manifest.get("complete", -1)) >= train_shards
    return whole and all(is_intact(folder / name, record) for name, record in files.items())


def is_intact(path: Path, record: dict[str, Any] | None) -> bool:
    """Is the file there as recorded?"""
    if record is None or not path.is_file() or path.stat().st_size != record["bytes"]:
        return False
    return bool(file_sha256(path) == record["sha256"])


def read_published(hub: Hub) -> dict[str, Any]:
    """The repository's manifest: `datasets` and `tokenizers`, lists of objects with `name`."""
    name = f"{ROOT}/manifest.json"
    hub.look_up(name)
    path = hub.download(name)
    try:
        published = json.loads(path.read_bytes())
    except ValueError as error:
        raise PgolfError(
            "PG001", f"the repository's manifest is not JSON: {error}", f"{hub.repository}/{name}"
        ) from None
    finally:
        path.unlink(missing_ok=True)  # variants share the name, so a leftover would describe the wrong one
    if not isinstance(published, dict):
        raise PgolfError("PG001", "the repository's manifest is not an object", f"{hub.repository}/{name}")
    return published


def plan_files(variant: Variant, train_shards: int, directory: Path, published: dict[str, Any]) -> list[Wanted]:
    """Tokenizer, validation shards and their side files, train shards, in this order: what scoring needs comes first."""
    dataset = variant.dataset
    entry = named(published, "datasets", dataset)
    stats = entry.get("stats") or {}
    available = int(stats.get("files_train", train_shards))
    if train_shards > available:
        raise PgolfError("PG004", f"--train-shards {train_shards}: the repository has {available} of {dataset}")
    model = named(published, "tokenizers", entry.get("tokenizer_name")).get("model_path")
    files = [model or variant.tokenizer]
    for split in ("val", "val_bytes") if variant.side_files else ("val",):
        files += [
            f"datasets/{dataset}/fineweb_{split}_{index:06d}.bin" for index in range(int(stats.get("files_val", 1)))
        ]
    files += [f"datasets/{dataset}/fineweb_train_{index:06d}.bin" for index in range(train_shards)]
    if any(".." in Path(file).parts or Path(file).is_absolute() for file in files):
        raise PgolfError("PG001", f"the repository's manifest names a file outside the data folder: {files[0]}")
    return [Wanted(file, directory / file) for file in files]


def named(published: dict[str, Any], kind: str, name: object) -> dict[str, Any]:
    """The object of that name in one of the manifest's lists, or an empty one."""
    entries = published.get(kind) or []
    return next((entry for entry in entries if isinstance(entry, dict) and entry.get("name") == name), {})


def fetch_file(hub: Hub, file: Wanted, vocab_size: int, published: dict[str, Any]) -> dict[str, Any]:
    """Download one file to the staging folder, verify it there, move it into place; returns its record."""
    remote = hub.look_up(f"{ROOT}/{file.remote}")
    expected = published_sha256(published, file.remote) or remote.sha256
    if expected and file.local.is_file() and file_sha256(file.local) == expected:
        return verified_record(file.local, vocab_size, expected)
    staged = hub.download(remote.name)
    try:
        record = verified_record(staged, vocab_size, expected)
        file.local.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(file.local)
    except OSError as error:
        raise PgolfError("PG001", f"cannot write: {error.strerror or error}", str(file.local)) from error
    finally:
        staged.unlink(missing_ok=True)  # or the next run would take the damaged file for a finished download
    return record


def published_sha256(published: dict[str, Any], remote: str) -> str:
    """The manifest's checksum of a file, where it lists any: `files: {path: {"sha256": ...}}`."""
    files = published.get("files")
    record = files.get(remote) if isinstance(files, dict) else None
    return str(record.get("sha256", "")) if isinstance(record, dict) else ""


def verified_record(path: Path, vocab_size: int, expected: str) -> dict[str, Any]:
    """Size, SHA-256 and, for a shard, tokens.

    Raises:
        PgolfError: PG502 when the checksum or the shard's format is not what it should be.
    """
    sha256 = file_sha256(path)
    if expected and sha256 != expected:
        hint = "run the command again; if it persists, the source is damaged"
        raise PgolfError("PG502", f"SHA-256 is {sha256}, wanted {expected}", str(path), hint)
    record: dict[str, Any] = {"bytes": path.stat().st_size, "sha256": sha256}
    if path.suffix == ".bin":
        try:
            record["tokens"] = len(load_shard(path, 65536 if "_bytes_" in path.name else vocab_size))
        except ValueError as error:
            raise PgolfError("PG502", str(error), hint="the source is damaged, or not of this variant") from None
    elif path.suffix == ".model":
        size = len(open_tokenizer(str(path))[0])
        if size != vocab_size:
            raise PgolfError("PG503", f"the tokenizer has {size} pieces, wanted {vocab_size}", str(path))
    return record
