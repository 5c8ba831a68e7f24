"""The files of a run as they are handed on: which they are, and a manifest with sizes and hashes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from pgolf.errors import PgolfError
from pgolf.lock import file_hash

MANIFEST = "pgolf-run.json"
FORMAT = 1
PATTERNS = (
    "train_gpt.py",
    "recipe.toml",
    "pgolf.lock",
    "submission.json",
    "README.md",
    "logs/*.log",
    "artifacts/curves.html",
    "artifacts/curves.png",
    "artifacts/seed*/final_model.*.ptz",
    "artifacts/seed*/logs/*.txt",
)
CHECKPOINTS = ("artifacts/seed*/final_model.pt", "artifacts/seed*/final_export.pt")
PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+=-]{0,199}")
SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_FILES, MOST_BYTES = 1000, 64 * 10**9


class File(NamedTuple):
    """Size and SHA-256."""

    bytes: int
    sha256: str


def run_files(folder: Path, checkpoints: bool = True) -> dict[str, File]:
    """name -> file of everything that belongs to the folder's runs; those that were set aside do not.

    Raises:
        PgolfError: PG001 where there is no log: nothing has run here.
    """
    names = set()
    for pattern in PATTERNS + CHECKPOINTS * checkpoints:
        for path in folder.glob(pattern):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and ".previous/" not in name and not path.name.startswith("."):
                names.add(name)
    if not any(name.startswith("logs/") for name in names):
        raise PgolfError("PG001", "there is no log of a run", str(folder / "logs"), "train first: pgolf train FOLDER")
    return {name: File((folder / name).stat().st_size, file_hash(folder / name)) for name in sorted(names)}


def dump_manifest(name: str, files: dict[str, File]) -> bytes:
    """The manifest of a run called `name`."""
    from pgolf import __version__

    listed = {key: file._asdict() for key, file in sorted(files.items())}
    return (
        json.dumps({"format": FORMAT, "pgolf": __version__, "name": name, "files": listed}, indent=1) + "\n"
    ).encode()


def read_manifest(content: bytes, where: str) -> dict[str, File]:
    """name -> file of another's manifest.

    Raises:
        PgolfError: PG001 for one that is no manifest; PG502 for names that would leave the folder, or clash in it.
    """
    try:
        document = json.loads(content)
        if document["format"] != FORMAT:
            raise PgolfError("PG001", f"the run is of format {document['format']!r}, this pgolf reads {FORMAT}", where)
        files = {name: read_file(entry) for name, entry in document["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise PgolfError(
            "PG001", f"{MANIFEST} is no manifest of a run", where, "upload it anew: pgolf upload"
        ) from None
    if not files or len(files) > MOST_FILES or sum(file.bytes for file in files.values()) > MOST_BYTES:
        text = f"{len(files)} files, wanted 1 to {MOST_FILES} with at most {MOST_BYTES:,} bytes together"
        raise PgolfError("PG502", text, where)
    check_names(list(files), where)
    return files


def read_file(entry: Any) -> File:
    """One entry; ValueError for what is none."""
    size, digest = entry["bytes"], entry["sha256"]
    if type(size) is not int or size < 0 or not isinstance(digest, str) or not SHA256.fullmatch(digest):
        raise ValueError("no size and hash")
    return File(size, digest)


def check_names(names: list[str], where: str) -> None:
    """PG502 for a name that is no plain path below a folder, also on other systems, or that stands for two things."""
    seen: dict[str, str] = {}
    folders = set()
    for name in names:
        parts = name.split("/")
        if len(name) > 500 or not all(PART.fullmatch(part) and not part.endswith((".", " ")) for part in parts):
            text = f"the run has a file {name[:80]!r}, which is no plain path below its folder"
            raise PgolfError("PG502", text, where, "do not use this run")
        folders |= {"/".join(parts[:count]).casefold() for count in range(1, len(parts))}
        if name.casefold() in seen:
            raise PgolfError("PG502", f"{name!r} and {seen[name.casefold()]!r} are one file on some systems", where)
        seen[name.casefold()] = name
    if both := folders & set(seen):
        raise PgolfError("PG502", f"{sorted(both)[0]!r} is a file and a folder", where)
