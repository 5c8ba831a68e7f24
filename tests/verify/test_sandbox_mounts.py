"""What of the file system a program gets to see."""

from pathlib import Path

from pgolf.verify import sandbox_mounts


def test_paths_below_others_are_bound_once():
    paths = [Path(name) for name in ("/usr/lib/x", "/opt/a", "/opt/a/b", "/opt/ab", "/srv")]
    assert list(map(str, sandbox_mounts.outermost(paths))) == ["/opt/a", "/opt/ab", "/srv"]


def arguments(monkeypatch, user, tmp_path):
    monkeypatch.setattr(sandbox_mounts.os, "geteuid", lambda: user)
    return sandbox_mounts.bubblewrap(["python", "-c", "1"], tmp_path / "work", [tmp_path / "data"], 4096, 7)


def test_only_the_work_folder_of_the_disk_can_be_written(monkeypatch, tmp_path):
    found = arguments(monkeypatch, 1000, tmp_path)
    writable = [found[at + 1] for at, word in enumerate(found) if word == "--bind"]
    assert writable == [str(tmp_path / "work")] and found[-3:] == ["python", "-c", "1"]
    shown = [found[at + 1] for at, word in enumerate(found) if word in ("--ro-bind", "--ro-bind-try")]
    assert str(tmp_path / "data") in shown and "/usr" in shown and "/etc" not in shown and "/" not in shown
    for place in ("/tmp", "/dev/shm"):
        at = found.index(place)
        assert found[at - 5 : at] == ["--perms", "1777", "--size", "4096", "--tmpfs"]


def test_every_namespace_is_new_and_the_filter_is_handed_on(monkeypatch, tmp_path):
    found = arguments(monkeypatch, 1000, tmp_path)
    assert {
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--die-with-parent",
        "--new-session",
    } <= set(found)
    assert found[found.index("--seccomp") + 1] == "7"
    assert found.index("--remount-ro") > found.index("--bind"), "the root is closed last"


def test_root_keeps_only_what_it_needs_to_become_another_user(monkeypatch, tmp_path):
    root, user = arguments(monkeypatch, 0, tmp_path), arguments(monkeypatch, 1000, tmp_path)
    added = [root[at + 1] for at, word in enumerate(root) if word == "--cap-add"]
    assert added == ["CAP_SETUID", "CAP_SETGID"] and "--cap-add" not in user
    assert "--unshare-user" in user and user[user.index("--uid") + 1] == str(sandbox_mounts.NOBODY)
    for found in (root, user):
        assert found[found.index("--cap-drop") + 1] == "ALL"


def test_the_environment_is_that_of_this_python(monkeypatch, tmp_path):
    (tmp_path / "libraries").mkdir()
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{tmp_path / 'libraries'}:relative:/nowhere/at/all")
    found = sandbox_mounts.environment_paths()
    assert tmp_path / "libraries" in found and Path("/nowhere/at/all") not in found and Path("relative") not in found
    assert all(path.is_absolute() and path.exists() for path in found)
