"""Run in a mount namespace: every operation on a disk with little room, or few files left, then again with enough.

    unshare --map-root-user --mount sh -c 'mount -t tmpfs -o size=2m,nr_inodes=300 none DISK && python full_disks.py DISK PLACE'

PLACE holds the tokenizer `model`. Prints {operation: [refused, done]} for both kinds of shortage; ends by an error where
something is lost, left behind, or refused otherwise than as `PgolfError`.
"""

import contextlib
import json
import shutil
import sys
from pathlib import Path

from kills import Operation, operations
from test_kills import stand_in

from pgolf.errors import PgolfError

PAGE = 4096


def fill(disk: Path, kind: str, left: int) -> Path:
    """Takes all room but `left` pages, or all files but `left`."""
    filler = disk / "filler"
    filler.mkdir()
    if kind == "room":
        with contextlib.suppress(OSError), (filler / "x").open("wb", buffering=0) as file:
            while file.write(bytes(PAGE)):
                pass
        with (filler / "x").open("r+b") as file:
            file.truncate(max(0, (filler / "x").stat().st_size - left * PAGE))
        return filler
    count = 0
    with contextlib.suppress(OSError):
        while True:
            (filler / str(count)).touch()
            count += 1
    for number in range(min(left, count)):
        (filler / str(number)).unlink()
    return filler


def refused(operation: Operation, folder: Path) -> bool:
    """Does it end by an error of a user's? A run of a program whose disk is full ends by a problem of that run."""
    try:
        operation.run(folder, 1)
    except PgolfError as error:
        assert error.code == "PG001" and "\n" not in error.message, error
        return True
    except AssertionError:
        assert operation.name == "train"
        return True
    return False


def try_all(operation: Operation, disk: Path, kind: str) -> list[int]:
    """[refused, done] with less and less in the way; what is there before stays until what is new takes its place."""
    counts = [0, 0]
    reference = disk / "reference"
    operation.prepare(reference)
    operation.run(reference, 1)
    wanted = operation.result(reference)
    shutil.rmtree(reference)
    for left in (0, 1, 2, 3, 4, 6, 8, 11, 15, 20, 27, 40, 60):
        folder = disk / "folder"
        operation.prepare(folder)
        operation.run(folder, 0)
        filler = fill(disk, kind, left)
        failed = refused(operation, folder)
        counts[not failed] += 1
        shutil.rmtree(filler)
        if failed and operation.name == "train":
            # The log of a run that failed is kept, and says so.
            for log in folder.glob("logs/*.log"):
                log.unlink()
        operation.check(folder, True)
        assert not [*folder.rglob("*.part")] or operation.name == "train"
        operation.run(folder, 1)
        assert operation.result(folder) == wanted, (operation.name, kind, left)
        shutil.rmtree(folder)
    return counts


def main() -> None:
    """See the module."""
    disk, place = Path(sys.argv[1]), Path(sys.argv[2])
    made, older = stand_in(b"new = 1\n" * 10_000), stand_in(b"old = 1\n" * 10_000)
    found = operations(place, made, older, place / "model")
    print(
        json.dumps({f"{item.name}, {kind}": try_all(item, disk, kind) for item in found for kind in ("room", "files")})
    )


if __name__ == "__main__":
    main()
