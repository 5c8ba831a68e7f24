"""Files and folders that are either whole or absent: made under another name, on the disk, and then renamed.

The other name is `.NAME.PID.part`. A run that is killed leaves it behind, no command takes it for anything, and the next
run that writes NAME removes it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from pgolf.errors import PgolfError

AT_FDCWD, RENAME_EXCHANGE = -100, 2
"""Of Linux's renameat2."""
NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


def write_atomically(path: Path, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Write a neighbour of `path`, with `content` or by `content(file)`, and rename it once it is on the disk.

    Raises:
        PgolfError: PG001 when it cannot be written; nothing of it stays, and what was there before does.
    """
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path)
        unfinished = unfinished_name(path)
        try:
            with unfinished.open("wb") as file:
                file.write(content) if isinstance(content, bytes) else content(file)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        sync_folder(path.parent)


@contextlib.contextmanager
def whole_folder(folder: Path, replaces: Callable[[str], bool]) -> Iterator[Path]:
    """A new folder to fill; when the block ends well, it takes the place of `folder` by one rename.

    Args:
        folder: may be there; if it is a link, the folder that it leads to is replaced.
        replaces: is an entry of this name in `folder` a part of what is made anew? All others are kept.

    Raises:
        PgolfError: PG001 when it cannot be written or renamed; `folder` is then what it was before.
    """
    folder = folder.resolve()
    unfinished = unfinished_name(folder)
    with write_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        unfinished.mkdir()
    try:
        yield unfinished
        with write_errors(folder):
            keep_others(folder, unfinished, replaces)
            sync_folder(unfinished)
            take_place(unfinished, folder)
            sync_folder(folder.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def keep_others(folder: Path, unfinished: Path, replaces: Callable[[str], bool]) -> None:
    """Give the new folder a second name of everything in the old one that is not replaced; copies where links cannot be."""

    def second_name(source: str, target: str) -> None:
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError:
            shutil.copy2(source, target, follow_symlinks=False)

    def skip(where: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(where) == folder and replaces(name)]

    if folder.is_dir():
        shutil.copytree(folder, unfinished, True, skip, second_name, dirs_exist_ok=True)


def take_place(unfinished: Path, folder: Path) -> None:
    """One rename; of a folder that holds something, an exchange, after which `unfinished` is the old one."""
    if not folder.exists() or not any(folder.iterdir()):
        unfinished.replace(folder)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    exchange = getattr(libc, "renameat2", None)
    if exchange is None or exchange(AT_FDCWD, os.fsencode(unfinished), AT_FDCWD, os.fsencode(folder), RENAME_EXCHANGE):
        number = ctypes.get_errno() if exchange is not None else errno.ENOSYS
        if number not in NO_EXCHANGE:
            raise OSError(number, os.strerror(number), str(folder))
        # Without an exchange there is a moment with the old folder under its other name alone: it comes back from there.
        folder.replace(aside_name(folder))
        unfinished.replace(folder)
        shutil.rmtree(aside_name(folder), ignore_errors=True)


def remove_leftovers(path: Path) -> None:
    """Remove what killed runs have left of `path`; a folder that was set aside and not replaced gets its name back."""
    aside = aside_name(path)
    if aside.is_dir() and not path.exists():
        aside.replace(path)
    shutil.rmtree(aside, ignore_errors=True)
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(\d{{1,10}})\.part")
    with os.scandir(path.parent) as entries:
        matches = [(entry, match) for entry in entries if (match := pattern.fullmatch(entry.name))]
    for entry, match in matches:
        if int(match[1]) == os.getpid() or not is_alive(int(match[1])):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry, ignore_errors=True)
            else:
                Path(entry).unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    """Is there a process of this number?"""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def unfinished_name(path: Path) -> Path:
    """The neighbour that is written."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def aside_name(path: Path) -> Path:
    """Where an old folder is for a moment."""
    return path.with_name(f".{path.name}.aside")


def sync_folder(path: Path) -> None:
    """See to it that the names in a folder are on the disk; file systems that cannot do so are left out."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
    finally:
        os.close(handle)


@contextlib.contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """What the system refuses is PG001 with the file that it names, or `path`."""
    try:
        yield
    except OSError as error:
        raise write_error(error, str(path)) from error


def write_error(error: OSError, where: str) -> PgolfError:
    """PG001 for a full disk, a read-only or another user's folder, and the like."""
    hints = {
        errno.ENOSPC: "make room: the disk, or its table of files, is full",
        errno.EDQUOT: "make room: your quota is used up",
        errno.EROFS: "give a folder on a disk that can be written",
        errno.EACCES: "give a folder that you may write",
        errno.EPERM: "give a folder that you may write",
    }
    named = str(error.filename) if error.filename is not None else where
    text = f"cannot write: {error.strerror or error}"
    return PgolfError("PG001", text, named, hints.get(error.errno or 0, ""))
