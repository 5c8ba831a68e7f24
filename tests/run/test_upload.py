"""`pgolf upload` against a stand-in of the hub: what is sent, what goes on after an interruption, and errors of one line."""

import json

import pytest
from click.testing import CliRunner
from folders import make_folder
from hub_server import TOKEN, running_hub

from pgolf.cli.main import main
from pgolf.run import hub_errors
from pgolf.run.run_files import MANIFEST, run_files

# Of the client itself, which uploads this way.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """(hub, URL, a trained folder)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hub_errors, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)  # the stand-in has LFS alone
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    folder = make_folder(tmp_path / "toy", seeds=(1, 2))
    (folder / "artifacts/seed1/final_model.pt").write_bytes(bytes(range(256)) * 20_000)
    with running_hub() as (state, url):
        yield state, url, folder


def pgolf(*words, status=0):
    done = CliRunner().invoke(main, [*map(str, words)], catch_exceptions=False)
    assert done.exit_code == status, done.output
    assert "Traceback" not in done.output
    return done


def test_everything_is_there_with_its_hash_and_a_second_time_sends_nothing(hub):
    state, url, folder = hub
    found = json.loads(pgolf("upload", folder, "--repo", "me/golf", "--create", "--endpoint", url, "--json").stdout)
    files = state.repositories["models/me/golf"]
    listed = json.loads(files[f"toy/{MANIFEST}"])["files"]
    assert set(found["sent"]) == set(listed) == set(run_files(folder)) and found["kept"] == []
    for name in listed:
        assert files[f"toy/{name}"] == (folder / name).read_bytes()
    puts, commits = state.count("PUT", "lfs/"), state.commits
    assert commits == 3, "small files, the weights, the manifest"
    again = pgolf("upload", folder, "--repo", "me/golf", "--endpoint", url)
    assert again.stdout.startswith(f"0 files sent, 0 bytes; {len(listed)} were there")
    assert (state.count("PUT", "lfs/"), state.commits) == (puts, commits)
    (folder / "README.md").write_text("# changed\n")
    assert json.loads(pgolf("upload", folder, "--repo", "me/golf", "--endpoint", url, "--json").stdout)["sent"] == [
        "README.md"
    ]
    assert state.commits == commits + 2


def test_an_upload_that_breaks_off_goes_on(hub):
    """The commit of the weights fails for good: no manifest is there; the next command sends them alone."""
    state, url, folder = hub
    state.fault = lambda method, path: 400 if "/commit/" in path and state.commits >= 1 else None
    done = pgolf("upload", folder, "--repo", "me/golf", "--create", "--endpoint", url, status=2)
    assert "the hub refuses" in done.stderr
    files = state.repositories["models/me/golf"]
    assert files and f"toy/{MANIFEST}" not in files and "toy/artifacts/seed1/final_model.pt" not in files
    state.fault = lambda method, path: None
    puts = state.count("PUT", "lfs/")
    found = json.loads(pgolf("upload", folder, "--repo", "me/golf", "--endpoint", url, "--json").stdout)
    assert found["sent"] == ["artifacts/seed1/final_model.pt"] and f"toy/{MANIFEST}" in files
    assert state.count("PUT", "lfs/") <= puts + 1, "its bytes had arrived; at most the manifest is new"


def test_a_hub_that_answers_again_is_asked_again(hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    state, url, folder = hub
    state.fault = lambda method, path: 409 if state.count("POST", "/commit/") == 1 and "/commit/" in path else None
    pgolf("upload", folder, "--repo", "me/golf", "--create", "--endpoint", url)
    assert f"toy/{MANIFEST}" in state.repositories["models/me/golf"]


@pytest.mark.parametrize(
    ("token", "words", "said"),
    [
        ("hf_wrong", ["--repo", "me/golf", "--create"], "does not accept the token"),
        ("hf_reads", ["--repo", "me/golf", "--create"], "the token may not do this"),
        (TOKEN, ["--repo", "me/other"], "there is no such repository, or the token may not see it"),
        (TOKEN, ["--repo", "me/golf", "--path", "../x"], "no plain path"),
        (TOKEN, ["--repo", "a/b/c"], "epo"),
    ],
)
def test_errors_are_one_line(hub, monkeypatch, token, words, said):
    _, url, folder = hub
    monkeypatch.setenv("HF_TOKEN", token)
    done = pgolf("upload", folder, *words, "--endpoint", url, status=2)
    assert said in done.stderr and done.stderr.startswith("error[PG"), done.stderr
    assert len([line for line in done.stderr.splitlines() if not line.startswith("  ")]) == 1


def test_no_network_and_no_run(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    _, url, folder = hub
    done = pgolf("upload", folder, "--repo", "me/golf", "--endpoint", "http://127.0.0.1:9", status=2)
    assert "the hub does not answer" in done.stderr.splitlines()[-3]
    empty = make_folder(tmp_path / "empty", trained=False)
    assert "there is no log of a run" in pgolf("upload", empty, "--repo", "me/golf", "--endpoint", url, status=2).stderr
