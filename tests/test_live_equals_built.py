"""The test that keeps the bundler honest: for every plugin and recipe, live and built agree bit for bit.

Losses of every backward pass by `float.hex`, the trained weights, the artifact's SHA-256 and the BPB, on the CPU. The
default run covers a few recipes that together hold every plugin; the slow run takes every plugin on its own.
"""

from types import SimpleNamespace

import numpy
import pytest
import sentencepiece

from equality import live_and_built
from models import registry, resolved
from test_plugin_contracts import NAMES, sizes

MICRO = {
    "vocab_size": 300,
    "model_dim": 64,
    "num_layers": 4,
    "train_seq_len": 32,
    "train_batch_tokens": 256,
    "val_batch_size": 1024,
    "iterations": 4,
    "max_wallclock_seconds": 0,
    "warmup_steps": 1,
    "val_loss_every": 0,
    "train_log_every": 1,
}
PR1019 = ("banks", "bigram_hash", "ema", "int6", "leaky_relu2", "ln_scale", "lzma", "muon_weight_decay", "ortho_init")
PR1019 = (*PR1019, "partial_rope", "sliding_eval", "smear_gate", "value_embedding", "xsa", "grad_clip")
RECIPES = {
    "baseline": (),
    "three": ("swa", "bank_qat", "pko"),
    "pr1019": (*PR1019, "document_starts"),
    "loops": ("layer_loop", "parallel_residual", "skip_gates", "step_clock", "untied_head", "brotli", "pko"),
    "flags": ("gated_attention", "value_residual", "swa", "banks", "grad_clip"),
}


@pytest.fixture(scope="session")
def micro_data(tmp_path_factory):
    """A tiny corpus with its tokenizer: real shards, a second of work."""
    root = tmp_path_factory.mktemp("micro")
    text = [f"number {n} and its square {n * n} stand beside {n % 7} and {n % 13}" for n in range(2000)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text),
        model_prefix=str(root / "tok"),
        vocab_size=300,
        model_type="bpe",
        byte_fallback=True,
        add_dummy_prefix=False,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(root / "tok.model"))
    for name, lines in (("train", text[:1500]), ("val", text[1500:1560])):
        ids = [token for line in lines for token in [1, *tokenizer.encode(line)]]
        header = numpy.zeros(256, "<i4")
        header[:3] = (20240520, 1, len(ids))
        (root / f"fineweb_{name}_000000.bin").write_bytes(header.tobytes() + numpy.array(ids, "<u2").tobytes())
    return SimpleNamespace(data_path=root, tokenizer_path=root / "tok.model")


def micro(*names):
    """A recipe at micro size in which every phase begins and every plugin acts."""
    settings = {**MICRO, **sizes(*names)}
    found = resolved(*names, **settings).selection.settings.as_dict()
    tuned = {"warmdown_iters": 4, "late_qat_threshold": 0.6, "enable_looping_at": 0.4, "grad_clip_norm": 0.3}
    tuned |= {"eval_stride": 8, "muon_momentum_warmup_steps": 2}
    return resolved(*names, **settings, **{key: value for key, value in tuned.items() if key in found})


def compare(names, tmp_path, data):
    live, built = live_and_built(micro(*names), tmp_path, data)
    assert live["losses"] and live["final"]
    for key in ("losses", "state", "artifact", "final"):
        assert live[key] == built[key], key


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_is_the_same_live_and_built(name, tmp_path, micro_data):
    compare(RECIPES[name], tmp_path, micro_data)


def test_the_recipes_hold_every_plugin():
    covered = {name for names in RECIPES.values() for name in micro(*names).selection.plugins}
    assert covered == set(registry().plugins)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_plugin_is_the_same_live_and_built(name, tmp_path, micro_data):
    compare((name,), tmp_path, micro_data)
