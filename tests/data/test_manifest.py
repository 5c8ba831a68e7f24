"""manifest.json: what a data set was made of, and whether it is still that."""

import pytest

from pgolf.data.manifest import damaged_files, describe_files, read_manifest, write_manifest
from pgolf.errors import PgolfError


def test_a_manifest_notices_missing_shorter_and_changed_files(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    paths = [folder / "a", folder / "b", folder / "c", tmp_path / "d"]
    for path in paths:
        path.write_bytes(b"12345")
    write_manifest(folder, {"kind": "test", "files": describe_files(folder, paths)})
    manifest = read_manifest(folder)
    assert damaged_files(folder, manifest) == []
    paths[0].unlink()
    paths[1].write_bytes(b"1234")
    paths[3].write_bytes(b"12346")
    outside, missing, shorter = damaged_files(folder, manifest)
    assert outside.startswith("../d: SHA-256 ")
    assert missing == "a: missing"
    assert shorter == "b: 4 bytes, wanted 5"


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 99}'])
def test_a_strange_manifest_is_refused(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(PgolfError) as caught:
        read_manifest(tmp_path)
    assert caught.value.code == "PG001"
    assert caught.value.where == str(tmp_path / "manifest.json")
