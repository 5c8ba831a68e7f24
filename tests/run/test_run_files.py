"""Which files a run has, and manifests that are refused."""

import json

import pytest
from folders import make_folder

from pgolf.errors import PgolfError
from pgolf.run.run_files import dump_manifest, read_manifest, run_files

DIGEST = "0" * 64


def test_the_files_of_a_run(tmp_path):
    folder = make_folder(tmp_path / "toy", seeds=(1, 2))
    for name in ("artifacts/seed1/final_model.pt", "artifacts/seed1.previous/final_model.int8.ptz", "logs/.hidden.log",
                 "artifacts/seed1/checkpoints/step_00000001/rank0.pt", "smoke/train_gpt.py"):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    files = run_files(folder)
    assert set(files) >= {"train_gpt.py", "pgolf.lock", "logs/train_seed2.log", "artifacts/seed1/final_model.pt"}
    assert not [name for name in files if "previous" in name or "rank0" in name or "smoke" in name]
    assert "artifacts/seed1/final_model.pt" not in run_files(folder, checkpoints=False)
    assert files == read_manifest(dump_manifest("toy", files), "here")


def test_a_folder_without_a_run(tmp_path):
    with pytest.raises(PgolfError, match="there is no log of a run"):
        run_files(make_folder(tmp_path / "toy", trained=False))


@pytest.mark.parametrize(
    "name",
    ["../a", "/etc/passwd", "a/../../b", "a//b", "a\\b", "C:/x", "~/x", ".git/config", "a/.ssh", "a\nb", "a\0b", "", "a/",
     "x" * 300, "a./b", "a/b ", "-rf", "a/con:1"],
)  # fmt: skip
def test_names_that_leave_the_folder(name):
    manifest = json.dumps(
        {"format": 1, "files": {"ok.txt": {"bytes": 1, "sha256": DIGEST}, name: {"bytes": 1, "sha256": DIGEST}}}
    )
    with pytest.raises(PgolfError, match="no plain path below its folder") as caught:
        read_manifest(manifest.encode(), "there")
    assert caught.value.code == "PG502" and "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("names", "said"), [(("a/B", "a/b"), "one file on some"), (("a", "A/b"), "a file and a folder")]
)
def test_names_that_clash(names, said):
    files = {name: {"bytes": 1, "sha256": DIGEST} for name in names}
    with pytest.raises(PgolfError, match=said):
        read_manifest(json.dumps({"format": 1, "files": files}).encode(), "there")


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"format": 1}', '{"format": 1, "files": []}', '{"format": 1, "files": {"a": {"bytes": 1}}}',
     '{"format": 2, "files": {}}', "[" * 100_000,
     *(json.dumps({"format": 1, "files": {"a": {"bytes": size, "sha256": digest}}})
       for size, digest in ((-1, DIGEST), (True, DIGEST), (1, "g" * 64), (1.5, DIGEST)))],
)  # fmt: skip
def test_what_is_no_manifest(content):
    with pytest.raises(PgolfError) as caught:
        read_manifest(content.encode(), "there")
    assert caught.value.code == "PG001"


def test_too_many_and_too_large():
    many = {f"a{n}": {"bytes": 1, "sha256": DIGEST} for n in range(1001)}
    for files in ({}, many, {"a": {"bytes": 10**12, "sha256": DIGEST}}):
        with pytest.raises(PgolfError, match="wanted 1 to"):
            read_manifest(json.dumps({"format": 1, "files": files}).encode(), "there")
