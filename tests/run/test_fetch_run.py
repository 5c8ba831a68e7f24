"""`pgolf fetch-run`: what was uploaded comes back, byte for byte, or nothing does."""

import json

import pytest
from test_upload import hub, pgolf

from pgolf.errors import PgolfError
from pgolf.run.fetch_run import split_source
from pgolf.run.run_files import MANIFEST, run_files

__all__ = ["hub"]
# Of the client itself, which uploads this way.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")


@pytest.fixture
def sent(hub):
    """(hub, URL, folder), with the run on the hub."""
    state, url, folder = hub
    pgolf("upload", folder, "--repo", "me/golf", "--create", "--endpoint", url)
    return state, url, folder


def fetch(url, *words, status=0):
    return pgolf("fetch-run", "me/golf/toy", "-o", "back", "--endpoint", url, *words, status=status)


def test_it_comes_back(sent, tmp_path):
    _, url, folder = sent
    done = fetch(url)
    assert run_files(tmp_path / "back") == run_files(folder) and "verified: train_gpt.py" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back", "toy"], "nothing is left beside it"
    assert "intact" in fetch(url).stderr
    pgolf("fetch-run", "me/golf/toy", "--endpoint", url)
    assert (tmp_path / "runs/toy" / MANIFEST).is_file()


def test_a_download_that_breaks_off_goes_on(sent, tmp_path, monkeypatch):
    """The connection of the weights breaks again and again: nothing is in the folder's place; then they go on."""
    state, url, folder = sent
    whole = state.repositories["models/me/golf"]["toy/artifacts/seed1/final_model.pt"]
    breaks = 0

    def fault(method, path):
        nonlocal breaks
        if method == "GET" and path.endswith("final_model.pt"):
            breaks += 1
            return -len(whole) // 4
        return None

    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
    state.fault = fault
    done = fetch(url, status=2)
    assert "does not answer" in done.stderr and breaks >= 2
    assert not (tmp_path / "back").exists() and (tmp_path / ".back.fetch").is_dir()
    state.fault = lambda method, path: None
    before = state.count("GET", "README.md")
    fetch(url)
    assert run_files(tmp_path / "back") == run_files(folder)
    assert state.count("GET", "README.md") == before == 1, "what had arrived is not asked for again"


def test_a_damaged_file_is_refused(sent, tmp_path):
    state, url, _ = sent
    files = state.repositories["models/me/golf"]
    good = files["toy/train_gpt.py"]
    for bad in (good[:-1] + b"#", good + b"#"):
        files["toy/train_gpt.py"] = bad
        done = fetch(url, status=2)
        assert "train_gpt.py is not the file of the manifest" in done.stderr and not (tmp_path / "back").exists()
    files["toy/train_gpt.py"] = good
    fetch(url)


def test_names_that_escape_are_refused_before_anything_is_downloaded(sent, tmp_path):
    state, url, _ = sent
    files = state.repositories["models/me/golf"]
    manifest = json.loads(files[f"toy/{MANIFEST}"])
    manifest["files"]["../../outside.txt"] = {"bytes": 3, "sha256": "0" * 64}
    files[f"toy/{MANIFEST}"] = json.dumps(manifest).encode()
    before = state.count("GET", "train_gpt.py")
    done = fetch(url, status=2)
    assert "no plain path below its folder" in done.stderr and state.count("GET", "train_gpt.py") == before
    assert not (tmp_path / "back").exists() and not list(tmp_path.parent.glob("outside*"))


def test_another_folder_is_not_overwritten(sent, tmp_path):
    _, url, _ = sent
    (tmp_path / "back").mkdir()
    (tmp_path / "back/train_gpt.py").write_text("mine\n")
    done = fetch(url, status=2)
    assert "the folder is not empty" in done.stderr and (tmp_path / "back/train_gpt.py").read_text() == "mine\n"


def test_errors_are_one_line(sent):
    _, url, _ = sent
    done = pgolf("fetch-run", "me/nothing", "-o", "x", "--endpoint", url, status=2)
    assert "there is no such repository" in done.stderr
    done = pgolf("fetch-run", "me/golf/other", "-o", "x", "--endpoint", url, status=2)
    assert "the repository has no such file" in done.stderr
    for source in ("golf", "me/../x", "me//x", ""):
        with pytest.raises(PgolfError, match="names no run"):
            split_source(source)
    assert split_source("me/golf/runs/a") == ("me/golf", "runs/a")
