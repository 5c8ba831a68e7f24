"""Downloading from a stand-in for the hub on 127.0.0.1: what it serves, loses, corrupts and refuses."""

import dataclasses
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from pgolf.cli.data import VARIANTS as OFFERED
from pgolf.data import hub
from pgolf.data.fetch import VARIANTS, fetch
from pgolf.data.manifest import read_manifest
from pgolf.data.train_tokenizer import train_tokenizer
from pgolf.data.writer import file_sha256, write_shard
from pgolf.errors import PgolfError
from pgolf.run.data import find_data

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DATASET = "datasets/fineweb10B_sp1024"
PUBLISHED = {
    "datasets": [
        {"name": "fineweb10B_sp1024", "tokenizer_name": "sp_bpe_1024", "stats": {"files_train": 2, "files_val": 1}}
    ],
    "tokenizers": [{"name": "sp_bpe_1024", "model_path": "tokenizers/fineweb_1024_bpe.model"}],
}


class Handler(BaseHTTPRequestHandler):
    """`HEAD` and `GET /datasets/OWNER/NAME/resolve/REVISION/FILE`, with ranges."""

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.serve(send=False)

    def do_GET(self):
        self.serve(send=True)

    def serve(self, send):
        hub_state = self.server.state
        match = re.fullmatch(
            r"/datasets/(?:willdepueoai|romeerp)/parameter-golf[^/]*/resolve/(main|[0-9a-f]{40})/(.+)", self.path
        )
        name = match and match[2]
        hub_state.requests.append((self.command, name, self.headers.get("Range")))
        if name not in hub_state.files:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = hub_state.files[name]
        wanted = self.headers.get("Range")
        first = int(re.match(r"bytes=(\d+)-", wanted)[1]) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hub_state.tag(name)}"')
        self.send_header("Accept-Ranges", "bytes")
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        if send:
            body = hub_state.sent.get(name, content)[first:]
            self.wfile.write(body[: len(body) // 2] if hub_state.cut.pop(name, False) else body)


class Stand:
    """Files by name; `sent` replaces a body, `cut` names files whose next transfer breaks off half way."""

    def __init__(self, files):
        self.files, self.sent, self.cut, self.requests = files, {}, {}, []
        self.large_tags = True

    def tag(self, name):
        content = self.files[name]
        if self.large_tags and not name.endswith(".json"):
            return hashlib.sha256(content).hexdigest()
        return hashlib.sha1(content).hexdigest()

    def downloads(self):
        return [name.rpartition("/")[2] for command, name, _ in self.requests if command == "GET"]


@pytest.fixture
def stand(sample, tmp_path, monkeypatch):
    """Yields the stand-in's state, with `endpoint`."""
    monkeypatch.setattr(hub, "RETRY_SECONDS", 0.0)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    files = {"datasets/manifest.json": json.dumps(PUBLISHED).encode()}
    files["datasets/tokenizers/fineweb_1024_bpe.model"] = sample.tokenizer_path.read_bytes()
    for name, count in (("val_000000", 700), ("train_000000", 900), ("train_000001", 800)):
        write_shard(tmp_path / "made.bin", np.arange(count) % 1024)
        files[f"datasets/{DATASET}/fineweb_{name}.bin"] = (tmp_path / "made.bin").read_bytes()
    state = Stand(files)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.state = state
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        state.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        yield state
        server.shutdown()
        thread.join()


def get(stand, folder, shards=2):
    notes = []
    return fetch("sp1024", shards, folder, stand.endpoint, notes.append), notes


def test_everything_is_downloaded_verified_and_recorded(stand, tmp_path):
    folder = tmp_path / "data"
    manifest, notes = get(stand, folder)
    for name, content in stand.files.items():
        if not name.endswith("manifest.json"):
            assert (folder / name.removeprefix("datasets/")).read_bytes() == content
    assert manifest == read_manifest(folder / DATASET)
    assert manifest["commit"] == COMMIT
    assert manifest["train"] == {"shards": 2, "tokens": 1700}
    assert manifest["files"]["fineweb_val_000000.bin"]["tokens"] == 700
    assert len(notes) == 4
    assert sorted(entry.name for entry in folder.iterdir()) == ["datasets", "tokenizers"]


def test_a_second_run_checks_everything_and_asks_nobody(stand, tmp_path):
    first, _ = get(stand, tmp_path / "data")
    stand.requests.clear()
    again, notes = get(stand, tmp_path / "data", 1)
    assert again == first
    assert notes == [f"intact: 4 files in {tmp_path / 'data' / DATASET}"]
    assert stand.requests == []


def test_more_shards_later_and_a_changed_file_again(stand, tmp_path):
    get(stand, tmp_path / "data", 1)
    stand.requests.clear()
    changed = tmp_path / "data" / DATASET / "fineweb_val_000000.bin"
    changed.write_bytes(changed.read_bytes()[:-1] + b"\0")
    get(stand, tmp_path / "data", 2)
    assert stand.downloads() == ["manifest.json", "fineweb_val_000000.bin", "fineweb_train_000001.bin"]
    assert file_sha256(changed) == stand.tag(f"datasets/{DATASET}/fineweb_val_000000.bin")


def test_files_that_were_copied_by_hand_are_adopted(stand, tmp_path):
    get(stand, tmp_path / "data")
    (tmp_path / "data" / DATASET / "manifest.json").unlink()
    stand.requests.clear()
    manifest, _ = get(stand, tmp_path / "data")
    assert stand.downloads() == ["manifest.json"]
    assert len(manifest["files"]) == 4


def test_a_broken_connection_is_taken_up_where_it_broke(stand, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
    name = f"datasets/{DATASET}/fineweb_train_000000.bin"
    half = len(stand.files[name]) // 2
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", half)
    stand.cut[name] = True
    get(stand, tmp_path / "data")
    assert [wanted for command, asked, wanted in stand.requests if (command, asked) == ("GET", name)] == [
        None,
        f"bytes={half}-",
    ]
    assert file_sha256(tmp_path / "data" / DATASET / "fineweb_train_000000.bin") == stand.tag(name)


def test_a_corrupted_transfer_is_refused_and_can_be_repeated(stand, tmp_path):
    name = f"datasets/{DATASET}/fineweb_train_000001.bin"
    stand.sent[name] = stand.files[name][:-1] + b"\1"
    with pytest.raises(PgolfError, match="SHA-256 is") as caught:
        get(stand, tmp_path / "data")
    assert caught.value.code == "PG502"
    assert stand.tag(name) in caught.value.message
    assert not (tmp_path / "data" / DATASET / "fineweb_train_000001.bin").exists()
    del stand.sent[name]
    stand.requests.clear()
    get(stand, tmp_path / "data")
    assert stand.downloads() == ["manifest.json", "fineweb_train_000001.bin"]


def test_without_checksums_the_format_still_protects(stand, tmp_path):
    stand.large_tags = False
    name = f"datasets/{DATASET}/fineweb_val_000000.bin"
    stand.files[name] = stand.files[name][:-2] + b"\xff\xff"
    with pytest.raises(PgolfError, match="token 699 is 65535, wanted an id below 1024") as caught:
        get(stand, tmp_path / "data")
    assert caught.value.code == "PG502"


def test_checksums_of_the_manifest_count_too(stand, tmp_path):
    published = {**PUBLISHED, "files": {f"{DATASET}/fineweb_val_000000.bin": {"sha256": "0" * 64}}}
    stand.files["datasets/manifest.json"] = json.dumps(published).encode()
    with pytest.raises(PgolfError, match="wanted 0000"):
        get(stand, tmp_path / "data")


def test_a_tokenizer_of_another_size_is_refused(stand, tmp_path):
    texts = [f"Some words about number {number}." for number in range(200)]
    stand.files["datasets/tokenizers/fineweb_1024_bpe.model"] = train_tokenizer(texts, 300)
    with pytest.raises(PgolfError, match="the tokenizer has 300 pieces, wanted 1024") as caught:
        get(stand, tmp_path / "data")
    assert caught.value.code == "PG503"


def test_a_repository_without_the_variant_is_an_error(stand, tmp_path):
    with pytest.raises(PgolfError) as caught:
        fetch("sp4096", 1, tmp_path / "data", stand.endpoint, print)
    assert caught.value.message == "the server has no such file"


def test_more_shards_than_there_are(stand, tmp_path):
    with pytest.raises(PgolfError, match="the repository has 2 of fineweb10B_sp1024") as caught:
        get(stand, tmp_path / "data", 3)
    assert caught.value.code == "PG004"


def test_a_missing_file_is_named(stand, tmp_path):
    del stand.files[f"datasets/{DATASET}/fineweb_train_000001.bin"]
    with pytest.raises(PgolfError, match="no such file") as caught:
        get(stand, tmp_path / "data")
    assert caught.value.where.endswith("fineweb_train_000001.bin")


@pytest.mark.parametrize("content", [b"{", b"[]"])
def test_a_manifest_that_is_none(stand, tmp_path, content):
    stand.files["datasets/manifest.json"] = content
    with pytest.raises(PgolfError, match="the repository's manifest is not"):
        get(stand, tmp_path / "data")


def test_paths_outside_the_data_folder_are_refused(stand, tmp_path):
    published = {**PUBLISHED, "tokenizers": [{"name": "sp_bpe_1024", "model_path": "../x.model"}]}
    stand.files["datasets/manifest.json"] = json.dumps(published).encode()
    with pytest.raises(PgolfError, match="outside the data folder"):
        get(stand, tmp_path / "data")


def test_without_a_network_the_error_says_so_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(hub.time, "sleep", lambda seconds: pytest.fail("it waited"))
    with pytest.raises(PgolfError, match="cannot be downloaded") as caught:
        fetch("sp1024", 1, tmp_path / "data", "http://127.0.0.1:1", print)
    assert caught.value.code == "PG001"
    assert "pgolf data sample" in caught.value.hint


def test_an_intact_download_needs_no_network(stand, tmp_path):
    get(stand, tmp_path / "data")
    shutil.move(tmp_path / "data", tmp_path / "elsewhere")
    assert fetch("sp1024", 2, tmp_path / "elsewhere", "http://127.0.0.1:1", print)["complete"] == 2


def fetch_killed_at(stand, folder, shards, line):
    """A fetch in a fork that is killed at this line of those that pgolf runs; False where it ended before."""
    pid = os.fork()
    if pid == 0:
        left = [line]

        def trace(frame, event, argument):
            if not frame.f_code.co_filename.endswith(("/data/fetch.py", "/data/manifest.py", "/pgolf/files.py")):
                return None
            left[0] -= 1
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
        try:
            get(stand, folder, shards)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


@pytest.mark.slow
@pytest.mark.parametrize("had", [False, True])
def test_what_a_killed_fetch_leaves_is_no_data_set_and_can_be_gone_on_with(stand, tmp_path, had):
    """The kills are spread over all of it; before the first and after the last line the folder is what it was or is to be."""
    first = tmp_path / "first"
    get(stand, first, 1)
    refused, killed, line = 0, True, 1
    while killed:
        folder = tmp_path / f"data{line}"
        if had:
            shutil.copytree(first, folder)
        killed = fetch_killed_at(stand, folder, 2, line)
        line += 47
        try:
            found = find_data(folder, None, {"vocab_size": 1024}, False).data_path
        except PgolfError as error:
            assert error.code == "PG001"
            refused += "go on with `pgolf data fetch --variant sp1024 --train-shards 2 -o " in (error.hint or "")
        else:
            shards = {path.name for path in found.glob("*.bin")}
            assert shards <= set(read_manifest(found)["files"]) and len(shards) in ((2, 3) if had else (3,))
        manifest, _ = get(stand, folder)
        assert manifest["complete"] == 2 and "unfinished" not in manifest and len(manifest["files"]) == 4
        assert find_data(folder, None, {"vocab_size": 1024}, False).data_path == (folder / DATASET).resolve()
        assert sorted(entry.name for entry in folder.iterdir()) == ["datasets", "tokenizers"]
        for name, content in stand.files.items():
            if not name.endswith("manifest.json"):
                assert (folder / name.removeprefix("datasets/")).read_bytes() == content
    assert refused > 3


def test_byte_side_files_come_with_the_variant_that_has_them(stand, sample, tmp_path, monkeypatch):
    variant = dataclasses.replace(VARIANTS["sp8192_caseops"], vocab_size=1024)
    monkeypatch.setitem(VARIANTS, "sp8192_caseops", variant)
    stand.files = {"datasets/manifest.json": b"{}"}
    stand.files[f"datasets/{variant.tokenizer}"] = sample.tokenizer_path.read_bytes()
    dataset = variant.dataset
    for name, limit in (("val", 1024), ("val_bytes", 65536), ("train", 1024)):
        write_shard(tmp_path / "made.bin", np.array([limit - 1, 5, 6]))
        stand.files[f"datasets/datasets/{dataset}/fineweb_{name}_000000.bin"] = (tmp_path / "made.bin").read_bytes()
    manifest = fetch("sp8192_caseops", 1, tmp_path / "data", stand.endpoint, print)
    assert manifest["files"]["fineweb_val_bytes_000000.bin"]["tokens"] == 3
    assert manifest["train"] == {"shards": 1, "tokens": 3}
    assert len(manifest["files"]) == 4
    del stand.files[f"datasets/datasets/{dataset}/fineweb_val_bytes_000000.bin"]
    with pytest.raises(PgolfError, match="no such file") as caught:
        fetch("sp8192_caseops", 1, tmp_path / "other", stand.endpoint, print)
    assert caught.value.where.endswith("fineweb_val_bytes_000000.bin")


def test_the_command_offers_every_variant():
    assert list(VARIANTS) == OFFERED
    names = {name: variant.tokenizer for name, variant in VARIANTS.items()}
    assert names["sp4096"] == "tokenizers/fineweb_4096_bpe.model"
    assert names["sp8192_caseops"] == "tokenizers/fineweb_8192_bpe_lossless_caps_caseops_v1_reserved.model"
