"""Files and folders that are whole or absent, whatever happens to the process or the disk."""

import errno
import os
import subprocess
import sys

import pytest

from pgolf import files
from pgolf.errors import PgolfError
from pgolf.files import remove_leftovers, take_place, whole_folder, write_atomically


def content(folder):
    """name -> text of everything in a folder."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def replaced(name):
    return name.startswith("data_")


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")

    def fail(file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(PgolfError, match="cannot write: No space left") as caught:
        write_atomically(path, fail)
    assert caught.value.code == "PG001" and "make room" in caught.value.hint
    assert content(tmp_path) == {"a": "old"}


def test_a_killed_write_leaves_the_old_file_and_the_next_one_cleans_up(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    script = "import os, sys; from pathlib import Path; from pgolf.files import write_atomically\n"
    script += (
        "write_atomically(Path(sys.argv[1]), lambda file: (file.write(b'half'), file.flush(), os.kill(os.getpid(), 9)))"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == -9
    assert sorted(content(tmp_path).values()) == ["half", "old"]
    write_atomically(path, b"new")
    assert content(tmp_path) == {"a": "new"}


def test_what_a_living_process_writes_is_left_alone(tmp_path):
    (tmp_path / f".a.{os.getppid()}.part").write_text("still written")
    (tmp_path / ".a.999999999.part").write_text("of nobody")
    (tmp_path / ".b.999999999.part").write_text("another's")
    remove_leftovers(tmp_path / "a")
    assert sorted(content(tmp_path).values()) == ["another's", "still written"]


@pytest.mark.parametrize("exchange", [True, False])
def test_a_folder_is_replaced_and_what_is_not_of_it_stays(exchange, tmp_path, monkeypatch):
    folder = tmp_path / "set"
    for name in ("data_1", "data_2", "mine", "deep/data_3"):
        write_atomically(folder / name, b"old")
    (folder / "link").symlink_to("mine")
    if not exchange:
        monkeypatch.setattr(files.ctypes, "CDLL", lambda *names, **options: None)
    with whole_folder(folder, replaced) as new:
        (new / "data_1").write_text("new")
        assert (folder / "data_1").read_text() == "old"
    assert content(folder) == {"data_1": "new", "mine": "old", "deep/data_3": "old", "link": "old"}
    assert (folder / "link").is_symlink() and [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_folder_that_fails_stays_as_it_was(tmp_path):
    write_atomically(tmp_path / "set/data_1", b"old")
    with pytest.raises(ValueError, match="no"), whole_folder(tmp_path / "set", replaced) as new:
        (new / "data_1").write_text("half")
        raise ValueError("no")
    assert content(tmp_path) == {"set/data_1": "old"}


def test_a_linked_folder_is_replaced_where_it_lies(tmp_path):
    (tmp_path / "disk/set").mkdir(parents=True)
    (tmp_path / "set").symlink_to("disk/set")
    with whole_folder(tmp_path / "set", replaced) as new:
        (new / "data_1").write_text("new")
    assert (tmp_path / "set").is_symlink() and content(tmp_path / "disk") == {"set/data_1": "new"}


def test_a_folder_that_was_only_set_aside_comes_back(tmp_path):
    """Killed between the two renames of a system that cannot exchange."""
    write_atomically(tmp_path / ".set.aside/data_1", b"old")
    remove_leftovers(tmp_path / "set")
    assert content(tmp_path) == {"set/data_1": "old"}


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "set").write_text("a file")
    (tmp_path / "new").mkdir()
    with pytest.raises(OSError):
        take_place(tmp_path / "new", tmp_path / "set")
    with pytest.raises(PgolfError, match="cannot write"):
        write_atomically(tmp_path / "set/below", b"x")
