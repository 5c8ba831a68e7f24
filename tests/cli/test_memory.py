"""What decided a build, and whether it is still the same."""

import os

from pgolf.cli.memory import Kept, read_again
from pgolf.cli.memory import hashes as hashes_of
from pgolf.cli.watch import stamp


def test_modules_are_read_again_only_where_they_changed(tmp_path):
    paths = {name: tmp_path / f"{name}.py" for name in "abc"}
    for name, path in paths.items():
        path.write_text(f"{name} = 1\n")
    kept = Kept("", (), {name: (path, "", "") for name, path in paths.items()}, None)
    first = read_again({}, kept)
    paths["b"].write_text("b = 2\n")
    paths["c"].write_text("c = (\n")
    second = read_again(first, kept)
    assert read_again({}, None) == {} and set(second) == {"a", "b"} and set(first) == {"a", "b", "c"}
    assert second["a"] is first["a"] and second["b"] is not first["b"] and second["b"].text == "b = 2\n"


def test_only_other_content_counts(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    before = stamp([path, tmp_path / "none"], {})
    os.utime(path, (1, 1))
    after = stamp([path], before)
    assert before != after and before[path][2] == after[path][2]
    assert stamp([path], after)[path] is after[path]


def test_a_tree_is_the_same_without_comments_and_docstrings(tmp_path):
    path = tmp_path / "a.py"
    hashes = []
    for text in (
        '"""A."""\ndef f(): return 1\n',
        '"""B."""\n# c\n\ndef f():\n    return 1\n',
        '"""A."""\ndef f(): return 2\n',
    ):
        path.write_text(text)
        hashes.append(hashes_of(path, {})[2])
    assert hashes[0] == hashes[1] != hashes[2]
    path.write_text("def (")
    assert hashes_of(path, {})[2] not in hashes
    assert hashes_of(tmp_path / "none", {}) == (tmp_path / "none", "unreadable", "unreadable")
    digest = hashes_of(path, {})[1]
    assert hashes_of(path, {path: (digest, "known")})[2] == "known" != hashes_of(path, {path: ("other", "known")})[2]
