"""`pgolf upload`: a run's files to the Hugging Face hub, a commit at a time, the manifest last.

A run without its manifest is not whole, and `pgolf fetch-run` does not take it. A command that was stopped goes on: what the
hub has by its hash is not sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.run.hub_errors import asked, bars_on_terminals
from pgolf.run.run_files import MANIFEST, File, dump_manifest, run_files

if TYPE_CHECKING:
    from huggingface_hub import HfApi

SMALL_BYTES = 4 * 2**20
"""Files up to this size go in one commit together, larger ones each in its own."""
Note = Callable[[str], object]


@dataclass(frozen=True)
class Upload:
    """What is sent where.

    Attributes:
        repository: OWNER/NAME.
        path: folder in it, "" for its root.
        create: make the repository if it is not there.
        endpoint: URL of the hub, None for the client's own.
    """

    folder: Path
    repository: str
    path: str
    repo_type: str = "model"
    create: bool = False
    private: bool = True
    checkpoints: bool = True
    endpoint: str | None = None

    def remote(self, name: str) -> str:
        """A file's name in the repository."""
        return f"{self.path}/{name}" if self.path else name


@dataclass(frozen=True)
class Uploaded:
    """What came of it: names of files that were sent, and of those that were there."""

    sent: tuple[str, ...]
    kept: tuple[str, ...]
    bytes_sent: int
    url: str


def upload(wishes: Upload, note: Note) -> Uploaded:
    """Send what is missing.

    Raises:
        PgolfError: PG001 without a run, repository or network; PG004 for a name or token that the hub does not accept.
    """
    from huggingface_hub import HfApi

    files = run_files(wishes.folder, wishes.checkpoints)
    bars_on_terminals()
    api = HfApi(endpoint=wishes.endpoint)
    place = f"{api.endpoint}/{wishes.repository}"
    open_repository(api, wishes, place, note)
    manifest = dump_manifest(wishes.folder.resolve().name, files)
    known = present(api, wishes, [*files, MANIFEST], note)
    missing = [name for name, file in files.items() if not is_there(wishes.folder / name, file, known.get(name))]
    sent = []
    for batch in batches(missing, files):
        label = batch[0] if len(batch) == 1 else f"{len(batch)} files"
        note(f"sending {label}, {sum(files[name].bytes for name in batch):,} bytes")
        send(api, wishes, [(name, wishes.folder / name) for name in batch], place, note)
        sent += batch
    whole = known.get(MANIFEST)
    if sent or whole is None or whole.blob_id != blob_id(manifest):
        send(api, wishes, [(MANIFEST, manifest)], place, note)
    kept = tuple(name for name in files if name not in sent)
    return Uploaded(tuple(sent), kept, sum(files[name].bytes for name in sent), f"{place}/tree/main/{wishes.path}")


def open_repository(api: HfApi, wishes: Upload, place: str, note: Note) -> None:
    """See that it is there, or make it."""
    if wishes.create:
        options: dict[str, Any] = {"repo_type": wishes.repo_type, "private": wishes.private, "exist_ok": True}
        asked(place, lambda: api.create_repo(wishes.repository, **options), note, writing=True)
    else:
        asked(place, lambda: api.repo_info(wishes.repository, repo_type=wishes.repo_type), note, writing=True)


def present(api: HfApi, wishes: Upload, names: list[str], note: Note) -> dict[str, Any]:
    """name -> what the hub has under it."""
    paths = [wishes.remote(name) for name in names]
    found = asked(
        wishes.repository, lambda: api.get_paths_info(wishes.repository, paths, repo_type=wishes.repo_type), note, True
    )
    by_path = {one.path: one for one in found if hasattr(one, "blob_id")}
    return {name: by_path[path] for name, path in zip(names, paths, strict=True) if path in by_path}


def is_there(path: Path, file: File, remote: Any) -> bool:
    """Large files are known by SHA-256, others by the hash that git gives them."""
    if remote is None or remote.size != file.bytes:
        return False
    if remote.lfs is not None:
        return bool(remote.lfs.sha256 == file.sha256)
    return bool(remote.blob_id == blob_id(path.read_bytes()))


def blob_id(content: bytes) -> str:
    """git's name of a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def batches(names: list[str], files: dict[str, File]) -> Iterator[list[str]]:
    """Small files together, first; then the others one by one, the smallest first."""
    small = [name for name in names if files[name].bytes <= SMALL_BYTES]
    if small:
        yield small
    for name in sorted(set(names) - set(small), key=lambda name: (files[name].bytes, name)):
        yield [name]


def send(api: HfApi, wishes: Upload, batch: list[tuple[str, Path | bytes]], place: str, note: Note) -> None:
    """One commit."""
    from huggingface_hub import CommitOperationAdd

    def commit() -> None:
        operations = [CommitOperationAdd(wishes.remote(name), content) for name, content in batch]
        title = f"pgolf upload: {batch[0][0] if len(batch) == 1 else f'{len(batch)} files'}"
        api.create_commit(wishes.repository, operations, commit_message=title, repo_type=wishes.repo_type)

    asked(place, commit, note, writing=True)
