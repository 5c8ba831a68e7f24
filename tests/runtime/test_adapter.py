"""LoRA through the one forward: zero factors change nothing, random ones equal merged weights, looped or not."""

import pytest
import torch
from lora import MATRICES, Lora
from models import built, scramble, tokens

from pgolf.runtime.attention import attention_branch
from pgolf.runtime.context import Context
from pgolf.runtime.layers import rms_norm

STACK = ("banks", "bigram_hash", "leaky_relu2", "ln_scale", "partial_rope", "smear_gate", "value_embedding", "xsa")
SMALL = {"num_layers": 4, "ve_dim": 16, "ve_layers": "2,3", "bigram_dim": 24, "bigram_vocab_size": 64, "rope_dims": 8}
LOOP = {"num_loops": 2, "loop_start": 1, "loop_end": 2}


def pr1019(loop):
    """A scrambled PR1019 stack, its phases and its plan."""
    plugins, settings = (*STACK, "layer_loop"), {**SMALL, **LOOP}
    made = built(*plugins, **settings) if loop else built(*STACK, **SMALL)
    phases = ("loop",) if loop else ()
    return scramble(made.model).eval(), phases, made.program.layer_plan(phases)


@pytest.mark.parametrize("loop", [False, True])
def test_zero_lora_equals_the_plain_forward_bit_for_bit(loop):
    model, phases, plan = pr1019(loop)
    ids, targets = tokens()
    plain = model(ids, targets, phases=phases, reduction="none")
    adapted = model(ids, targets, phases=phases, reduction="none", adapter=Lora(model, plan, 3, zero=True))
    assert torch.equal(plain, adapted)


@pytest.mark.parametrize("loop", [False, True])
@torch.no_grad()
def test_random_lora_equals_merged_weights(loop):
    model, phases, plan = pr1019(loop)
    ids, targets = tokens()
    lora = Lora(model, plan, 3, zero=False, sites=MATRICES)
    if loop:  # merging gives all passes of a layer one matrix, so they must share factors for the comparison
        share_factors(lora, plan)
    adapted = model(ids, targets, phases=phases, reduction="none", adapter=lora)
    plain = model(ids, targets, phases=phases, reduction="none")
    merge(model, lora, plan)
    merged = model(ids, targets, phases=phases, reduction="none")
    assert (adapted - plain).abs().max() > 0.01
    torch.testing.assert_close(adapted, merged, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_passes_of_a_looped_layer_adapt_separately():
    model, phases, (encoder, decoder) = pr1019(True)
    ids, targets = tokens()
    lora = Lora(model, (encoder, decoder), 3, zero=True)
    plain = model(ids, targets, phases=phases, reduction="none", adapter=lora)
    second = [position for position, layer in enumerate((*encoder, *decoder)) if layer == 1][1]
    a, b = lora.factors["attn.c_q", second]
    lora.factors["attn.c_q", second] = (a, b + 0.1)
    assert not torch.equal(plain, model(ids, targets, phases=phases, reduction="none", adapter=lora))


@pytest.mark.parametrize("wiring", ["sequential_wiring", "parallel_residual"])
@torch.no_grad()
def test_a_branch_adds_its_delta_before_its_scale(wiring):
    """Two layers by hand: u is what the branches read, s the scales, and the only skip is added before layer 1."""
    settings = {"parallel_residual_start": 0} if wiring == "parallel_residual" else {}
    made = built(wiring, num_layers=2, **settings)
    model, plan = scramble(made.model).eval(), made.program.layer_plan(())
    ids, targets = tokens()
    lora = Lora(model, plan, 3, zero=False, sites=("attn", "mlp"))
    ctx = Context(ids, (), False, model.matrices(), {}, {}, None, None, None)
    x = x0 = model.stem(ids, ctx)
    skip = None
    for layer in range(2):
        block = model.blocks[layer]
        if layer == 1:
            x = x + model.skip_weights[0] * skip
        u = block.resid_mix[0] * x + block.resid_mix[1] * x0
        n = rms_norm(u)
        attended = attention_branch(model, n, layer, layer, ctx) + n @ lora.product("attn", layer).T
        x = u + block.attn_scale * attended
        n = n if wiring == "parallel_residual" else rms_norm(x)
        x = x + block.mlp_scale * (made.program.mlp(model, n, layer, layer, ctx) + n @ lora.product("mlp", layer).T)
        skip = x
    logits = made.program.head(model, rms_norm(x), ctx)
    for tap in made.program.logit_taps:
        logits = tap(model, logits, ctx)
    want = made.program.loss(model, logits, targets, "none", ctx)
    found = model(ids, targets, reduction="none", adapter=lora)
    torch.testing.assert_close(found, want, rtol=1e-4, atol=1e-4)
    assert (found - model(ids, targets, reduction="none")).abs().max() > 0.01


@torch.no_grad()
def test_only_the_sites_of_an_adapter_are_asked():
    model, phases, plan = pr1019(True)
    ids, targets = tokens()
    asked = []

    class Deaf:
        sites = frozenset(("mlp", "attn.c_v"))

        def delta(self, x, site, position):
            asked.append((site, position))
            return torch.zeros(())

    model(ids, targets, phases=phases, adapter=Deaf())
    steps = range(len(plan[0]) + len(plan[1]))
    assert asked == [(site, step) for step in steps for site in ("attn.c_v", "mlp")]


@pytest.mark.ci
def test_an_adapted_forward_is_one_graph():
    model, phases, plan = pr1019(True)
    ids, targets = tokens()
    lora = Lora(model, plan, 3, zero=False)
    torch._dynamo.reset()
    compiled = torch.compile(model, backend="eager", dynamic=False, fullgraph=True)
    found = compiled(ids, targets, phases=phases, adapter=lora)
    assert torch.equal(found, model(ids, targets, phases=phases, adapter=lora))


def share_factors(lora, plan):
    """Give every pass of a layer the factors of its first pass."""
    order = (*plan[0], *plan[1])
    for role in MATRICES[:-1]:
        for position, layer in enumerate(order):
            lora.factors[role, position] = lora.factors[role, order.index(layer)]


def merge(model, lora, plan):
    """Add every product to the stored matrix, through the views the forward uses; the tied head keeps its lookup."""
    weights = model.matrices()
    order = (*plan[0], *plan[1])
    for role in MATRICES[:-1]:
        for layer in sorted(set(order)):
            weights[f"blocks.{layer}.{role}.weight"].add_(lora.product(role, order.index(layer)))
    head, name = model.program.head, "tok_emb.weight"
    merged = model.tok_emb.weight + lora.product("head", 0)

    def merged_head(owner, x, ctx):
        return head(owner, x, ctx._replace(weights={**ctx.weights, name: merged}))

    object.__setattr__(model, "program", model.program._replace(head=merged_head))
