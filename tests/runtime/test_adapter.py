"""LoRA through the one forward: zero factors change nothing, random ones equal merged weights, looped or not."""

import pytest
import torch
from lora import SITES, Lora
from models import built, scramble, tokens

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
    lora = Lora(model, plan, 3, zero=False)
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


def share_factors(lora, plan):
    """Give every pass of a layer the factors of its first pass."""
    order = (*plan[0], *plan[1])
    for role in SITES[:-1]:
        for position, layer in enumerate(order):
            lora.factors[role, position] = lora.factors[role, order.index(layer)]


def merge(model, lora, plan):
    """Add every product to the stored matrix, through the views the forward uses; the tied head keeps its lookup."""
    weights = model.matrices()
    order = (*plan[0], *plan[1])
    for role in SITES[:-1]:
        for layer in sorted(set(order)):
            weights[f"blocks.{layer}.{role}.weight"].add_(lora.product(role, order.index(layer)))
    head, embedding = model.program.head, model.tok_emb.weight
    merged = torch.nn.Parameter(embedding + lora.product("head", 0))

    class Split:
        weight = merged

    class View:
        program = model.program
        tok_emb = Split

    object.__setattr__(model, "program", model.program._replace(head=lambda owner, x, ctx: head(View, x, ctx)))
