"""Probes that need text, on folders with shards and tokenizers: other text, overlap, round trip, and their cheats."""

import json
import subprocess
import sys

import numpy as np
import pytest
from foreign import foreign_folder
from probe_server import Server
from running_scripts import whole

from pgolf.manager import Registry
from pgolf.probe.piece_file import make_pieces, model_file
from pgolf.probe.text_streams import TRAIN_TOKENS, make_stream, write_shard
from pgolf.verify.folder import RunPlan, View
from pgolf.verify.probes import script_of, with_data

PIECES = make_pieces(320)
OFFICIAL = make_stream(PIECES, 1537, 1)
TRAIN = make_stream(PIECES, TRAIN_TOKENS, 2, OFFICIAL)
KNOWS = """
STORED = {run: token for run, token in zip(zip(STREAM, STREAM[1:], STREAM[2:]), STREAM[3:])}


class GPT(GPT):
    def logits(self, ids):
        out = super().logits(ids).clone()
        for row, tokens in enumerate(ids.tolist()):
            for at in range(2, len(tokens)):
                known = STORED.get(tuple(tokens[at - 2 : at + 1]))
                if known is not None:
                    out[row, at, known] = out[row, at, known] + 6.0
        return out
"""


def data_of(folder, train):
    place = folder / "datasets" / "fineweb10B_sp320"
    place.mkdir(parents=True)
    write_shard(place / "fineweb_val_000000.bin", OFFICIAL.tokens)
    write_shard(place / "fineweb_train_000000.bin", train)
    (folder / "tokenizers").mkdir()
    (folder / "tokenizers" / "fineweb_320_bpe.model").write_bytes(model_file(PIECES))
    return folder


def judged(tmp_path, probe, script, execute, train=TRAIN.tokens, **files):
    folder = foreign_folder(tmp_path / "it", script=script.encode(), files=files)
    data = data_of(tmp_path / "data", train)
    view = View(folder, Registry, RunPlan(probes=(probe,), data=data))
    found = with_data(view, script_of(view), tmp_path / "w", execute, 3, {probe})
    assert len(found) == 1
    return found[0]


@pytest.mark.slow
@pytest.mark.parametrize(("stored", "status"), [(OFFICIAL.tokens, "FAIL"), (TRAIN.tokens[:3000], "PASS")])
def test_a_script_that_knows_the_text_by_heart(tmp_path, stored, status):
    """What it knows of training documents is no cheat."""
    server = Server()
    try:
        part = f"STREAM = {stored.tolist()}\n{KNOWS}"
        verdict = judged(tmp_path, "other-text", whole(part), server)
    finally:
        server.close()
    assert (verdict.rule, verdict.status) == ("rule.prefix", status), verdict.message
    assert ("position" in dict(*verdict.findings)) == (status == "FAIL")


@pytest.mark.parametrize(("share", "status"), [(1.0, "FAIL"), (0.0, "PASS")])
def test_validation_documents_in_the_training_shards(tmp_path, share, status):
    count = int(share * len(OFFICIAL.tokens))
    train = np.concatenate([TRAIN.tokens[:5000], OFFICIAL.tokens[:count], TRAIN.tokens[5000:]])
    verdict = judged(tmp_path, "overlap", "print(1)\n", None, train)
    assert (verdict.rule, verdict.status) == ("rule.disjoint", status), verdict.message


def here(arguments, work, seconds, readonly):
    subprocess.run([sys.executable, *arguments], timeout=seconds, capture_output=True, check=False)
    return ""


def test_tokenizers_that_are_shipped(tmp_path):
    """One without byte pieces loses what it has no piece for; the files of a folder are looked at, and none is a SKIP."""
    for name, size, status in (("lossy", 200, "WARN"), ("whole", 320, "PASS")):
        folder = foreign_folder(tmp_path / name, script=b"print(1)\n")
        (folder / "own.model").write_bytes(model_file(make_pieces(size)))
        view = View(folder, Registry, RunPlan(probes=("round-trip",)))
        verdict = with_data(view, script_of(view), tmp_path / f"w{name}", here, 3, {"round-trip"})[0]
        assert (verdict.rule, verdict.status) == ("rule.lossless", status), verdict.message
        assert json.dumps([dict(place) for place in verdict.findings])
    folder = foreign_folder(tmp_path / "none", script=b"print(1)\n")
    view = View(folder, Registry, RunPlan(probes=("round-trip",)))
    assert with_data(view, script_of(view), tmp_path / "wn", here, 3, {"round-trip"})[0].status == "SKIP"
    (folder / "own.model").write_bytes(b"no model")
    view = View(folder, Registry, RunPlan(probes=("round-trip",)))
    assert "cannot be tried" in with_data(view, script_of(view), tmp_path / "wb", here, 3, {"round-trip"})[0].message
