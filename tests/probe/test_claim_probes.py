"""The ledger of a claim: duplicates, gaps, weights, bytes."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from pgolf.probe.claim_probes import bytes_verdict, once
from pgolf.probe.piece_file import make_pieces
from pgolf.probe.text_streams import make_stream
from pgolf.probe.trials import Ledger, Trial, as_nats

PIECES = make_pieces(320)
STREAM = make_stream(PIECES, 101, 1)


def shop(positions, factors=1.0, bpb=None, events=()):
    positions = np.array(positions)
    own = 1.0 + np.arange(len(positions)) % 7 / 10
    births = np.stack([positions, own, 0 * own, np.arange(len(positions)), 0 * own + 5]).astype(float)
    parts = own * factors / len(positions)
    scores, share = as_nats(parts * len(np.unique(positions)), own)
    ledger = Ledger(
        9, float(parts.sum()), f"{parts.sum():.8f}", np.arange(len(own)), positions, scores, parts / own, share, (5,)
    )
    text = f"val_loss:{parts.sum():.8f} val_bpb:{bpb or 1.0:.8f}"
    base = Trial("base", "", births=births, events=list(events), ledgers=[ledger], printed=text)
    counts = PIECES.byte_count(STREAM.tokens.tolist())
    small = SimpleNamespace(changed={"TRAIN_SEQ_LEN": (1024, 16)})
    return SimpleNamespace(seen={"base": base}, official=STREAM, bytes_of=lambda stream: counts, small=small)


ALL = list(range(1, 101))


@pytest.mark.parametrize(
    ("positions", "factors", "status", "said"),
    [
        (ALL, 1.0, "PASS", "each of 100"),
        (ALL[:-8], 1.0, "PASS", "8 at the end"),
        ([*ALL, *ALL[:3]], 1.0, "FAIL", "3 positions are in the claim more than once, the first at 1"),
        ([*ALL, *ALL[-3:]], 1.0, "WARN", "3 positions are in the claim more than once, the first at 98"),
        (ALL[:40], 1.0, "FAIL", "60 of 100 positions are not in the claim"),
        (ALL, 0.9, "FAIL", "the claim is 0.9000 of the mean"),
        (ALL, np.where(np.arange(100) < 50, 1.2, 0.8), "FAIL", "different weights"),
    ],
)
def test_once(positions, factors, status, said):
    place = shop(positions, factors)
    base = place.seen["base"]
    verdict = once(place, base, base.claim)
    assert (verdict.status, verdict.rule) == (status, "rule.onepass") and said in verdict.message
    assert bool(verdict.findings) == (status != "PASS")


def test_bytes():
    place = shop(ALL)
    true = sum(PIECES.byte_count(STREAM.tokens.tolist())[1:])
    loss = place.seen["base"].claimed[0]
    good = loss / math.log(2.0) * 100 / true
    assert bytes_verdict(shop(ALL, bpb=good)).status == "PASS"
    bad = bytes_verdict(shop(ALL, bpb=good * 0.97))
    assert bad.status == "FAIL" and "+3.09%" in bad.message
