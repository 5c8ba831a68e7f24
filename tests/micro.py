"""Whole runs at micro size: a corpus, a recipe in which every phase begins, and a subprocess that runs it."""

import math

from models import resolved
from test_plugin_contracts import sizes

from pgolf.runtime.quantize import KEPT_ELEMENTS
from pgolf.testing import MICRO, make_data, run_program

__all__ = ["MICRO", "make_corpus", "micro", "run_program"]

make_corpus = make_data

TUNED = {
    "enable_looping_at": 0.4,
    "eval_stride": 8,
    "gptq_calib_samples": 8,
    "gptq_calibration_batches": 1,
    "global_ttt_batch_seqs": 2,
    "global_ttt_chunk_tokens": 96,
    "grad_clip_norm": 0.3,
    "late_qat_threshold": 0.6,
    "lawa_freq": 1,
    "muon_momentum_warmup_steps": 2,
    "n_int6_layers": 5,
    "ngram_min_order": 4,
    "loop_phase2_at": 0.7,
    "phased_ttt_num_phases": 2,
    "phased_ttt_prefix_docs": 30,
    "soft_round_min_step": 0,
    "soft_round_ramp_steps": 2,
    "recur_start_step": 2,
    "swa_every": 1,
    "swa_start_frac": 0.9,
    "ttt_lora_lr": 0.01,
    "warmdown_frac": 0.75,
    "warmdown_iters": 4,
}

# Settings of plugins that act on matrices of more than `KEPT_ELEMENTS` alone.
ON_LARGE_MATRICES = {
    "clip_mult_early",
    "gptq_damp",
    "hadamard_names",
    "lqer_rank",
    "magnitude_prune_share",
    "promote_bits",
    "trellis_states",
}


def micro(*names, **settings):
    """A resolved recipe at micro size in which every phase begins and every plugin acts.

    Where a plugin wants large matrices, those of the MLP are, and no wider than that: Brotli takes seconds for a megabyte.
    """
    known = resolved(*names, **{**MICRO, **sizes(*names), **settings}).selection.settings.as_dict()
    tuned = {key: value for key, value in TUNED.items() if key in known}
    if ON_LARGE_MATRICES & set(known):
        tuned["model_dim"] = 16 * (math.isqrt(int(KEPT_ELEMENTS / known["mlp_mult"])) // 16 + 1)
    return resolved(*names, **{**MICRO, **sizes(*names), **tuned, **settings})
