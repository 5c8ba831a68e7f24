"""Nothing is lost and nothing half is taken for whole, whenever a command is killed; full and closed disks are one line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from folders import fake_lock, make_folder
from kills import kill_at_random, operations

from pgolf.data.tokenize import Options, tokenize
from pgolf.errors import PgolfError
from pgolf.recipe import Recipe


def stand_in(code):
    """A build as `write_submission` sees it, which needs no plugins."""
    recipe = b"# Written by pgolf build\n"
    built = SimpleNamespace(code=code, dumps={})
    resolved = SimpleNamespace(recipe=Recipe("toy"))
    return SimpleNamespace(lock=fake_lock(code, recipe), recipe_text=recipe.decode(), built=built, resolved=resolved)


@pytest.fixture(scope="module")
def model(sample):
    return sample.tokenizer_path


@pytest.mark.parametrize(
    ("kills", "seed"), [pytest.param(3, 1, marks=pytest.mark.ci), pytest.param(25, 2, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("number", range(6), ids=["build", "package", "train", "tokenize", "checkpoint", "requant"])
def test_kills(number, kills, seed, model, tmp_path):
    made, older = stand_in(b"new = 1\n" * 10_000), stand_in(b"old = 1\n" * 10_000)
    operation = operations(tmp_path, made, older, model)[number]
    counts = kill_at_random(operation, tmp_path, kills, seed)
    print(operation.name, counts)
    assert sum(counts.values()) == kills


TOKENIZE = ["data", "tokenize", "FOLDER/docs.jsonl", "--tokenizer", "MODEL", "-o", "FOLDER/data", "--val-docs", "1"]


@pytest.mark.ci
@pytest.mark.parametrize("command", [["package", "FOLDER", "--force"], TOKENIZE], ids=["package", "tokenize"])
def test_a_full_disk_is_one_line(command, model, tmp_path):
    """RLIMIT_FSIZE stands for it: a write fails as on a disk that has no room."""
    folder = make_folder(tmp_path / "toy")
    (folder / "docs.jsonl").write_text('{"text": "First."}\n{"text": "Second."}\n')
    before = (folder / "submission.json").read_bytes()
    script = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
    script += "from pgolf.cli.main import main; main(sys.argv[1:])"
    arguments = [part.replace("FOLDER", str(folder)).replace("MODEL", str(model)) for part in command]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "error[PG001]: cannot write: File too large" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and (folder / "submission.json").read_bytes() == before
    assert not [*folder.rglob("*.part")]


NAMESPACE = ["unshare", "--map-root-user", "--mount"]
CAN_MOUNT = (
    shutil.which("unshare") and not subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode
)


@pytest.mark.slow
@pytest.mark.skipif(not CAN_MOUNT, reason="needs a mount namespace of its own")
def test_disks_without_room_and_without_files(model, tmp_path):
    """Real ones, of 2 MiB, that are seen in a mount namespace alone."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "place").mkdir()
    shutil.copyfile(model, tmp_path / "place/model")
    mount = 'mount -t tmpfs -o size=2m,nr_inodes=300 none "$1" && exec "$2" "$3" "$1" "$4"'
    places = [tmp_path / "disk", sys.executable, Path(__file__).with_name("full_disks.py"), tmp_path / "place"]
    done = subprocess.run([*NAMESPACE, "sh", "-c", mount, "sh", *places], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    counts = json.loads(done.stdout.splitlines()[-1])
    assert len(counts) == 8 and all(refused and worked for refused, worked in counts.values()), counts
    assert [*(tmp_path / "disk").iterdir()] == []


@pytest.mark.slow
@pytest.mark.skipif(not CAN_MOUNT, reason="needs a mount namespace of its own")
def test_a_read_only_disk_is_one_line_and_loses_nothing(tmp_path):
    """A real one, that is seen in a mount namespace alone."""
    places = [tmp_path / "disk", tmp_path / "place"]
    for place in places:
        place.mkdir()
    script = Path(__file__).with_name("read_only_disks.py")
    done = subprocess.run([*NAMESPACE, sys.executable, script, *places], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found.pop("verify") == [1, []], "reading alone needs no writing"
    refused = [2, ["error[PG001]: cannot write: Read-only file system"]]
    assert len(found) == 10 and all(outcome == refused for outcome in found.values()), found


def test_a_folder_of_another_user_is_one_line(tmp_path, model, monkeypatch):
    """Root may write everywhere, so the system's answer is made up here."""
    corpus = tmp_path / "docs.jsonl"
    corpus.write_text('{"text": "First."}\n{"text": "Second."}\n')

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied", str(tmp_path / "set"))

    monkeypatch.setattr("pgolf.files.take_place", refuse)
    with pytest.raises(PgolfError, match="cannot write: Permission denied") as caught:
        tokenize([corpus], model, tmp_path / "set", Options(val_documents=1, workers=1))
    assert caught.value.code == "PG001" and "that you may write" in caught.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docs.jsonl"]
