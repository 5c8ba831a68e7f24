"""A file below a folder is opened without following any link, and without waiting."""

import os
from pathlib import Path

import pytest

from pgolf.verify.folder_open import open_inside


def test_a_file_and_one_in_a_folder(tmp_path):
    (tmp_path / "inner").mkdir()
    for name in ("a", "inner/b"):
        (tmp_path / name).write_bytes(name.encode())
        with open_inside(tmp_path, Path(name)) as file:
            assert file.read() == name.encode()


@pytest.mark.parametrize("name", ["link", "folder/a"])
def test_no_link_is_followed(tmp_path, name):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a").write_bytes(b"secret")
    (tmp_path / "link").symlink_to("real/a")
    (tmp_path / "folder").symlink_to("real")
    with pytest.raises(OSError):
        open_inside(tmp_path, Path(name))


def test_a_pipe_does_not_wait(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    open_inside(tmp_path, Path("pipe")).close()


def open_handles():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_missing_file_is_an_error_and_leaves_nothing_open(tmp_path):
    before = open_handles()
    for name in ("missing", "missing/a", "a/b/c"):
        with pytest.raises(FileNotFoundError):
            open_inside(tmp_path, Path(name))
    assert open_handles() == before


def test_the_folder_itself_may_be_reached_by_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a").write_bytes(b"x")
    (tmp_path / "root").symlink_to("real")
    with open_inside(tmp_path / "root", Path("a")) as file:
        assert file.read() == b"x"
