"""Walking the layer plan: residual mix, branch inputs, U-net skips. Wirings differ in how branches join the stream."""

from pgolf.runtime.layers import adapt, rms_norm


def residual_mix(model, x, x0, layer):
    """a * x + b * x0 with the two learned rows of `resid_mix`."""
    mix = model.blocks[layer].resid_mix.to(x.dtype)
    return mix[0] * x + mix[1] * x0


def branch_input(model, x, layer, position, ctx):
    """The normed stream that a branch reads, after branch-input taps."""
    n = rms_norm(x)
    for scale in model.program.branch_inputs:
        n = scale(model, n, layer, position, ctx)
    return n


def mlp_branch(model, n_BTD, layer, position, ctx):
    """The MLP of one layer, and what an adapter adds to it."""
    return adapt(model.program.mlp(model, n_BTD, layer, position, ctx), n_BTD, "mlp", position, ctx)


def walk_plan(model, x, x0, ctx, block):
    """Run `block(model, x, x0, layer, position, ctx)` over the plan; encoder outputs return as skips, last first."""
    encoder, decoder = model.program.layer_plan(ctx.phases)
    ctx.fired(model.program.layer_plan.name, "steps", len(encoder) + len(decoder))
    skips = []
    for position, layer in enumerate(encoder):
        x = block(model, x, x0, layer, position, ctx)
        skips.append(x)
    for index, layer in enumerate(decoder):
        if skips:
            x = model.program.skip(model, x, skips.pop(), index, ctx)
        x = block(model, x, x0, layer, len(encoder) + index, ctx)
    return x
