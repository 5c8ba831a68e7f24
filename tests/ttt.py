"""The model, the session and the deterministic A of the golden test-time training runs."""

import functools

import torch
from models import Case, built
from sessions import ALONE, make_session

STACK = ("banks", "layer_loop", "leaky_relu2", "ln_scale", "partial_rope", "skip_gates", "two_lanes", "xsa")
STACK = (*STACK, "smear_gate_v3", "sparse_attention_gate")
MODEL = {"rope_dims": 8, "num_loops": 1, "loop_start": 1, "loop_end": 2, "parallel_start_layer": 3}
MODEL = {**MODEL, "sparse_attn_gate_scale": 0.5, "qk_gain_init": 5.25}
LORA = {"ttt_eval_seq_len": 64, "ttt_chunk_size": 16, "ttt_batch_size": 8, "ttt_lora_rank": 4, "ttt_lora_lr": 0.002}
LORA = {**LORA, "ttt_weight_decay": 1.0, "ttt_lora_alpha": 16.0, "ttt_chains": 1, "max_eval_seconds": 0.0}
PHASED = {"phased_ttt_prefix_docs": 20, "phased_ttt_num_phases": 2, "global_ttt_lr": 0.02}
PHASED = {**PHASED, "global_ttt_chunk_tokens": 256, "global_ttt_batch_seqs": 2}
SGD_STACK = (
    "layer_loop",
    "leaky_relu2",
    "ln_scale",
    "parallel_residual",
    "partial_rope",
    "skip_gates",
    "xsa",
    "sgd_ttt",
)
SGD = {
    "rope_dims": 8,
    "num_loops": 1,
    "loop_start": 1,
    "loop_end": 2,
    "parallel_residual_start": 3,
    "qk_gain_init": 5.0,
}
SGD = {**SGD, "train_seq_len": 32, "ttt_lr": 0.02, "ttt_epochs": 2, "ttt_chunk_tokens": 160, "ttt_batch_seqs": 4}
ORDER = ("head", "attn.c_q", "attn.c_v", "attn.c_k", "mlp", "attn")


@functools.cache
def load_run(name):
    """A golden run."""
    return Case(name, name)


def golden_session(name, world=ALONE, more=(), **settings):
    """A session over the golden run's tokens with its weights, the loop on; with `more` plugins."""
    case = load_run(name)
    plugins, tuned = ("lora_ttt",), {**MODEL, **LORA}
    if name == "ttt_phased_2ph":
        plugins, tuned = ("lora_ttt", "phased_ttt"), {**tuned, **PHASED}
    made = built(*STACK, *plugins, *more, **{**tuned, **settings})
    made.model.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=True)
    tokens, phases = case.inputs["tokens"], ("loop",)
    return make_session(made, tokens, world, phases, evaluation=made.program.evaluation)


def sgd_session(world=ALONE, windows="sliding_eval", plugin="sgd_ttt", **settings):
    """A session over the golden run of `sgd_ttt`, or of another plugin: loop on, chunks of five rows, steps of four and one."""
    case = load_run("ttt_sgd_u2")
    stride = {"eval_stride": 8} if windows == "sliding_eval" else {}
    tuned = {key: value for key, value in SGD.items() if plugin != "etlb" or not key.startswith("ttt_")}
    made = built(*SGD_STACK[:-1], plugin, windows, **{**tuned, **stride, "max_eval_seconds": 0.0, **settings})
    made.model.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=True)
    return make_session(made, case.inputs["tokens"], world, ("loop",), evaluation=made.program.evaluation)


def fill_like_the_vectors(lora, generator=None):
    """Stands in for `Lora.reset`: A[b,r,i] = sin(.7 (r+1) (i+1) + 1.3 j) / sqrt(in), j numbers the modules."""
    positions = [position for site, position in lora.down if site == "attn.c_q"]
    modules = [("head", 0), *((site, position) for site in ORDER[1:] for position in positions)]
    with torch.no_grad():
        for number, module in enumerate(modules):
            lora.up[module].zero_()
            if generator is not None:
                rank, width = lora.down[module].shape[1:]
                grid = torch.outer(torch.arange(1, rank + 1), torch.arange(1, width + 1)).double()
                lora.down[module].copy_((0.7 * grid + 1.3 * number).sin() * width**-0.5)


def nll_of(session, tally):
    """Run the evaluation and return the nll of every target, in the order of the stream; (N-1,) float32."""
    found = torch.full((len(session.tokens),), float("nan"))
    score = tally.score

    def keep(places, scored, adapter=None):
        result = score(places, scored, adapter)
        found[result.targets[scored]] = result.nll.detach()[scored]
        return result

    tally.score = keep
    session.program.evaluation(session, tally)
    return found[1:]
