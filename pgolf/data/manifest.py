"""manifest.json beside the shards: what they were made of, counts, and the SHA-256 of every file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pgolf.data.writer import MANIFEST as NAME
from pgolf.data.writer import file_sha256
from pgolf.errors import PgolfError
from pgolf.files import write_atomically

FORMAT = 1
UNFINISHED = "unfinished"
"""Set while files are published one by one, to what ends it: a command. Such a folder is not to be used."""
Manifest = dict[str, Any]


def describe_files(folder: Path, paths: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of each file, keyed by its path seen from `folder`, so that a data folder can be moved whole."""
    return {
        Path(os.path.relpath(path, folder)).as_posix(): {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for path in paths
    }


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it last: a folder with a manifest is complete, unless the manifest itself says `UNFINISHED`."""
    text = json.dumps({"format": FORMAT, **manifest}, indent=2) + "\n"
    write_atomically(folder / NAME, text.encode())


def read_manifest(folder: Path) -> Manifest | None:
    """The folder's manifest, or None where there is none.

    Raises:
        PgolfError: PG001 when it is no JSON object of a known format.
    """
    path = folder / NAME
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise PgolfError("PG001", f"cannot be read as JSON: {error}", str(path), "remove it to start afresh") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise PgolfError("PG001", f"not a manifest of format {FORMAT}", str(path), "remove it to start afresh")
    return manifest


def damaged_files(folder: Path, manifest: Manifest) -> list[str]:
    """One `NAME: seen, wanted` for every listed file that is missing or changed; empty when the data set is intact."""
    problems = []
    for name, wanted in sorted(manifest.get("files", {}).items()):
        path = folder / name
        if not path.is_file():
            problems.append(f"{name}: missing")
        elif path.stat().st_size != wanted["bytes"]:
            problems.append(f"{name}: {path.stat().st_size} bytes, wanted {wanted['bytes']}")
        elif file_sha256(path) != wanted["sha256"]:
            problems.append(f"{name}: SHA-256 {file_sha256(path)}, wanted {wanted['sha256']}")
    return problems


def refuse_unfinished(folder: Path) -> None:
    """PG001 for a folder whose download was broken off."""
    manifest = read_manifest(folder) or {}
    if UNFINISHED in manifest:
        here = len(manifest.get("files", {}))
        text = f"not all of this data set has been downloaded: {here} files are here and verified"
        raise PgolfError("PG001", text, str(folder), f"go on with `{manifest[UNFINISHED]}`")
