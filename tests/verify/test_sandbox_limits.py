"""Limits of time, memory, disk and processes, measured and set."""

import os
import subprocess
import sys

from pgolf.verify import sandbox_limits
from pgolf.verify.sandbox_limits import Limits, own_cgroup


def test_a_cgroup_is_made_with_limits_and_removed(tmp_path, monkeypatch):
    """On a folder that stands for the kernel's, which fills in a new group by itself."""
    root = tmp_path / "cgroup"
    root.mkdir()
    (root / "cgroup.subtree_control").write_text("cpu memory pids\n")
    monkeypatch.setattr(sandbox_limits.Path, "read_text", fake_read(sandbox_limits.Path.read_text))
    with own_cgroup(Limits(1.0, 4096, processes=7), root) as group:
        assert group.parent == root
        assert [(group / name).read_text() for name in ("memory.max", "pids.max")] == ["4096", "7"]
        for path in group.iterdir():
            path.unlink()
    (root / "cgroup.subtree_control").write_text("cpu\n")
    with own_cgroup(Limits(1.0, 4096), root) as group:
        assert group is None


def fake_read(original):
    return lambda self: "0::/\n" if str(self) == "/proc/self/cgroup" else original(self)


def test_sizes_on_disk_count_each_file_and_no_link(tmp_path):
    (tmp_path / "a").write_bytes(bytes(3 * 4096))
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/b").write_bytes(b"x")
    (tmp_path / "link").symlink_to("/usr")
    size, count = sandbox_limits.folder_size(tmp_path, 10)
    assert count == 4 and 3 * 4096 < size < 20 * 4096
    assert sandbox_limits.folder_size(tmp_path, 4)[1] == 4 and sandbox_limits.folder_size(tmp_path, 2)[1] == 3
    assert sandbox_limits.folder_size(tmp_path / "missing", 10) == (0, 0)


def test_what_lies_there_is_held_against_each_limit(tmp_path):
    work, sink = tmp_path / "work", tmp_path / "output"
    work.mkdir()
    (work / "a").write_bytes(bytes(8192))
    sink.write_bytes(bytes(100))

    def left(deleted=0, **changes):
        limits = Limits(**{"seconds": 1.0, "memory": 0, "output": 100, "files": 1, "disk": 2**20, **changes})
        with sink.open("rb") as file:
            return sandbox_limits.excess_left(work, file, limits, {(0, 0): deleted})

    assert left() == ""
    assert "printed more than 99 bytes" in left(output=99)
    assert "made more than 0 files" in left(files=0)
    assert "wrote more than 4,096 bytes" in left(disk=4096)
    assert "wrote more than 1,048,576 bytes" in left(deleted=2**20), "a file that has no name any more counts"


def test_a_process_with_its_children_and_their_memory():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        try:
            found = sandbox_limits.descendants(os.getpid())
            assert found[0] == os.getpid() and child.pid in found
            assert sandbox_limits.memory_of(os.getpid()) > 2**20
        finally:
            child.kill()
    assert sandbox_limits.memory_of(2**30) == 0 and sandbox_limits.descendants(2**30) == [2**30]


def test_an_open_file_without_a_name_is_seen(tmp_path):
    with (tmp_path / "gone").open("wb") as file:
        file.write(bytes(65536))
        file.flush()
        (tmp_path / "gone").unlink()
        info = os.fstat(file.fileno())
        assert sandbox_limits.deleted_files([os.getpid()])[info.st_dev, info.st_ino] >= 65536
    assert (info.st_dev, info.st_ino) not in sandbox_limits.deleted_files([os.getpid(), 2**30])


def test_this_machine_has_memory():
    assert sandbox_limits.physical_memory() > 2**28
