"""Kept keys give what whole forwards give, whatever the architecture; and where they do not, the difference says so."""

import pytest
import torch
from models import built
from sessions import make_session

from pgolf.runtime import decode
from pgolf.runtime.decode import Decoder, attend_grouped
from pgolf.testing import scramble
from pgolf_plugins.quantizer.self_calibration import SelfCalibration

LENGTH = 40
ARCHITECTURES = [
    (),
    ("swa", "pko", "partial_rope"),
    ("ntk_rope",),
    ("yarn_rope",),
    ("bigram_hash", "smear_gate", "value_embedding", "xsa"),
    ("smear_gate_v3", "value_residual", "layer_loop"),
    ("paired_head_attention", "swa"),
    ("differential_attention", "parallel_residual"),
    ("document_numbers", "varlen_attention", "smear_gate", "pko", "partial_rope"),
    ("paired_head_attention", "document_numbers", "varlen_attention", "bigram_hash"),
    ("banks", "two_lanes", "skip_gates", "iha"),
]
SETTINGS = {
    "swa": {"swa_window": 9, "swa_full_attn_layers": 1},
    "ntk_rope": {"rope_train_seq_len": 16, "quirk_stretched_training": True},
    "yarn_rope": {"yarn_max_len": 80},
    "value_embedding": {"ve_layers": "1"},
    "bigram_hash": {"trigram": True},
    # A frequent token, so that rows have several documents.
    "document_numbers": {"bos_id": 0},
    "parallel_residual": {"parallel_residual_start": 1},
    "two_lanes": {"parallel_start_layer": 1},
    "layer_loop": {"loop_start": 1, "loop_end": 2},
}


def open_session(*plugins):
    """A session of a model in which no gate or scale is neutral."""
    settings = {}
    for name in plugins:
        settings |= SETTINGS.get(name, {})
    made = built(
        "self_calibration",
        *plugins,
        **{"num_layers": 3, "train_seq_len": LENGTH, "train_batch_tokens": 8 * LENGTH, **settings},
    )
    scramble(made.model).eval()
    phases = tuple(spec.name for spec in made.program.phases if spec.scoring)
    return make_session(made, torch.zeros(100), phases=phases)


def uniform(rows=3, seed=1):
    return torch.rand(rows, LENGTH, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
@pytest.mark.parametrize("plugins", ARCHITECTURES, ids=lambda plugins: "+".join(plugins) or "baseline")
def test_written_with_kept_keys_and_by_whole_forwards(plugins):
    session, noise = open_session(*plugins), uniform()
    decoder = Decoder(session, noise, 0.8)
    found = decoder.write()
    wanted = SelfCalibration(8, 3, 0.8).generate_slowly(session, noise)
    assert (found == wanted).float().mean() > 0.99, "rounding may turn a draw, and then what follows"
    assert decoder.deviation(2) < 1e-3 and len({*found.flatten().tolist()}) > 20


@torch.no_grad()
def test_documents_within_the_text_are_kept_apart():
    """Text in which a document begins every few tokens, forced by the numbers that draw it."""
    session, noise = open_session("document_numbers", "varlen_attention"), uniform()
    noise[:, ::6] = 0  # draws token 0, which begins a document here
    decoder = Decoder(session, noise, 0.8)
    assert (decoder.write()[:, ::6] == 0).all() and decoder.deviation(3) < 1e-3


@torch.no_grad()
def test_the_reach_of_a_kernel_is_found_by_asking_it():
    windowed = Decoder(open_session("swa"), uniform(), 1.0).attention.stores
    assert [kept.reach for kept in windowed] == [10, 10, LENGTH]
    paired = Decoder(open_session("swa", "paired_head_attention"), uniform(), 1.0).attention.stores
    assert [kept.reach for kept in paired] == [10, 10, 2 * LENGTH] and paired[0].keys.shape[:2] == (3, 2 * LENGTH)
    apart = Decoder(open_session("document_numbers", "varlen_attention"), uniform(), 1.0).attention.stores
    assert all(kept.documents is not None for kept in apart)
    assert all(kept.documents is None for kept in windowed)


@torch.no_grad()
@pytest.mark.parametrize("fault", ["block_smear", "reach", "piece"])
def test_a_difference_tells_when_kept_keys_do_not_serve(fault, monkeypatch):
    if fault == "piece":
        monkeypatch.setattr(decode, "PIECE", 1)
    session = open_session("block_smear" if fault == "block_smear" else "smear_gate")
    decoder = Decoder(session, uniform(), 0.8)
    if fault == "reach":
        decoder.attention.stores = [kept._replace(reach=2) for kept in decoder.attention.stores]
    decoder.write()
    assert decoder.deviation(3) > 0.1


@torch.no_grad()
def test_the_piece_at_the_start_may_be_longer_than_what_is_written():
    session = open_session("smear_gate")
    noise = uniform()[:, :5]
    decoder = Decoder(session, noise, 0.8)
    assert torch.equal(decoder.write(), SelfCalibration(8, 3, 0.8).generate_slowly(session, noise))


def test_groups_of_heads_read_one_key():
    generator = torch.Generator().manual_seed(2)
    q, k, v = (torch.randn(2, places, heads, 8, generator=generator) for places, heads in ((3, 4), (5, 2), (5, 2)))
    mask = torch.rand(3, 5, generator=generator) > 0.3
    mask[:, 0] = True
    found = attend_grouped(q, k, v, mask)
    for head in range(4):
        scores = q[:, :, head] @ k[:, :, head // 2].mT / 8**0.5
        wanted = scores.masked_fill(~mask, -torch.inf).softmax(2) @ v[:, :, head // 2]
        torch.testing.assert_close(found[:, :, head], wanted)
