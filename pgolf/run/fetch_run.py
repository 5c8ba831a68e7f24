"""`pgolf fetch-run`: a run from the Hugging Face hub, verified file by file, into a folder that is whole or absent.

Downloads are in `.NAME.fetch` beside the folder; the same command goes on with what is there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pgolf.errors import PgolfError
from pgolf.files import sync_folder, write_errors
from pgolf.lock import file_hash
from pgolf.run.hub_errors import asked, bars_on_terminals
from pgolf.run.run_files import MANIFEST, File, read_manifest

Note = Callable[[str], object]


@dataclass(frozen=True)
class Wanted:
    """A run in a repository.

    Attributes:
        repository: OWNER/NAME.
        path: its folder there, "" for the root.
        revision: branch or commit; files are all of the commit that it is when the command begins.
    """

    repository: str
    path: str
    folder: Path
    repo_type: str = "model"
    revision: str = "main"
    endpoint: str | None = None


def split_source(source: str) -> tuple[str, str]:
    """OWNER/NAME and the folder in it, of OWNER/NAME/FOLDER; PG004 for anything else."""
    parts = source.strip("/").split("/")
    if len(parts) < 2 or not all(parts) or ".." in parts:
        raise PgolfError("PG004", f"{source!r} names no run", "command line", "write OWNER/NAME or OWNER/NAME/FOLDER")
    return "/".join(parts[:2]), "/".join(parts[2:])


def fetch_run(wanted: Wanted, note: Note) -> dict[str, File]:
    """Download what is missing; returns the files.

    Raises:
        PgolfError: PG001 without run, repository or network; PG004 where the folder holds something else; PG502 for a run
            that is damaged, or whose names would leave the folder.
    """
    from huggingface_hub import HfApi

    folder = wanted.folder.resolve()
    staging = folder.with_name(f".{folder.name}.fetch")
    bars_on_terminals()
    api = HfApi(endpoint=wanted.endpoint)
    place = f"{api.endpoint}/{wanted.repository}/{wanted.path}".rstrip("/")
    info = asked(
        place, lambda: api.repo_info(wanted.repository, repo_type=wanted.repo_type, revision=wanted.revision), note
    )
    commit = str(info.sha)
    with write_errors(folder):
        staging.mkdir(parents=True, exist_ok=True)
        manifest = download(wanted, MANIFEST, commit, staging, place, note)
        files = read_manifest(manifest.read_bytes(), f"{place}/{MANIFEST}")
        if folder.exists() and any(folder.iterdir()):
            check_same(folder, files)
            note(f"intact: {len(files)} files in {folder}")
        else:
            for name, file in files.items():
                fetch_file(wanted, name, file, commit, staging, place, note)
            finish(staging, folder, wanted.path, files)
        shutil.rmtree(staging, ignore_errors=True)
    return files


def local_of(staging: Path, path: str, name: str) -> Path:
    """Where the client puts a file of the repository."""
    return staging / path / name if path else staging / name


def download(wanted: Wanted, name: str, commit: str, staging: Path, place: str, note: Note) -> Path:
    """One file; a connection that breaks is taken up again where it broke."""
    from huggingface_hub import hf_hub_download

    remote = f"{wanted.path}/{name}" if wanted.path else name
    found = asked(
        f"{place}/{name}",
        lambda: hf_hub_download(
            wanted.repository,
            remote,
            repo_type=wanted.repo_type,
            revision=commit,
            endpoint=wanted.endpoint,
            local_dir=staging,
        ),
        note,
    )
    return Path(found)


def fetch_file(wanted: Wanted, name: str, file: File, commit: str, staging: Path, place: str, note: Note) -> None:
    """One file of the manifest, verified; a damaged one is removed, so that it is downloaded anew."""
    local = local_of(staging, wanted.path, name)
    if is_intact(local, file):
        return
    local.unlink(missing_ok=True)
    path = download(wanted, name, commit, staging, place, note)
    if not is_intact(path, file):
        path.unlink(missing_ok=True)
        shutil.rmtree(staging / ".cache", ignore_errors=True)
        text = f"{name} is not the file of the manifest: another size or SHA-256"
        raise PgolfError("PG502", text, f"{place}/{name}", "run it again; if it stays, the upload is damaged")
    note(f"verified: {name} ({file.bytes:,} bytes)")


def is_intact(path: Path, file: File) -> bool:
    """Is it there as listed, and no link to something else?"""
    if path.is_symlink() or not path.is_file() or path.stat().st_size != file.bytes:
        return False
    return file_hash(path) == file.sha256


def check_same(folder: Path, files: dict[str, File]) -> None:
    """PG004 where the folder is not this run already."""
    for name, file in files.items():
        if not is_intact(folder / name, file):
            text = f"the folder is not empty, and its {name} is not that of the run"
            raise PgolfError("PG004", text, str(folder), "give another folder with -o")


def finish(staging: Path, folder: Path, path: str, files: dict[str, File]) -> None:
    """Give what was downloaded, and nothing else, the folder's name by one rename."""
    whole = staging / ".whole"
    shutil.rmtree(whole, ignore_errors=True)
    for name in (*files, MANIFEST):
        target = whole / name
        target.parent.mkdir(parents=True, exist_ok=True)
        local_of(staging, path, name).replace(target)
    sync_folder(whole)
    if folder.exists():
        folder.rmdir()
    whole.replace(folder)
    sync_folder(folder.parent)
