"""Documents in both shards, and text that a script knows by heart."""

import numpy as np
import pytest

from pgolf.probe.piece_file import BOS, make_pieces, model_file
from pgolf.probe.shrinking import Sizes
from pgolf.probe.text_probes import SHINGLE, given_text, other_text_verdict, overlap_verdict, shingle_keys
from pgolf.probe.text_streams import Stream, make_stream, write_shard
from pgolf.probe.workshop import Script, Workshop

PIECES = make_pieces(320)


@pytest.fixture
def shards(tmp_path):
    val, train = make_stream(PIECES, 3000, 1), make_stream(PIECES, 9000, 2)
    write_shard(tmp_path / "val.bin", val.tokens)
    write_shard(tmp_path / "train.bin", train.tokens)
    leaking = np.concatenate([train.tokens[:4000], val.tokens[:1500], train.tokens[4000:]])
    write_shard(tmp_path / "leaking.bin", leaking)
    (tmp_path / "it.model").write_bytes(model_file(PIECES))
    return tmp_path


def test_overlap(shards):
    assert overlap_verdict([shards / "val.bin"], [shards / "train.bin"]).status == "PASS"
    found = overlap_verdict([shards / "val.bin"], [shards / "train.bin", shards / "leaking.bin"])
    assert found.status == "FAIL" and found.findings and "in 2 of 2" in found.message
    assert overlap_verdict([shards / "val.bin"], [shards / "leaking.bin"], seconds=-1.0).status == "SKIP"
    assert len(shingle_keys(np.arange(SHINGLE - 1))) == 0


def shop(shards, losses):
    """A workshop whose executions print a loss of their own."""
    given = given_text(shards / "val.bin", shards / "train.bin", shards / "it.model")
    found = Workshop(Script("a.py", "print(1)\n"), Sizes(), shards / "work", None, 1.0, 1, given=given)

    def run(plans):
        return {one.name: trial(losses[one.name]) for one in plans}

    found.run = run
    return found


def trial(loss):
    from pgolf.probe.trials import Trial

    births = np.stack([np.arange(9.0), np.full(9, loss), np.zeros(9), np.arange(9.0), np.zeros(9)])
    return Trial("t", "", births=births, printed=f"val_loss:{loss:.4f} val_bpb:1.0\n")


def test_other_text(shards):
    fair = {"base": 5.0, "permuted": 5.01, "other": 5.02}
    assert other_text_verdict(shop(shards, fair)).status == "PASS"
    by_heart = other_text_verdict(shop(shards, fair | {"base": 2.0}))
    assert by_heart.status == "FAIL" and "2.0000 on the official text" in by_heart.message
    assert other_text_verdict(shop(shards, {"base": 2.0, "permuted": 2.01, "other": 5.0})).status == "FAIL"
    assert isinstance(Stream(np.array([BOS])).starts, list)
