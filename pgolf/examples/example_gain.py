"""n <- n * (1 + g), one learned gain for each channel, zero at first, in an optimizer group of its own."""

from pgolf import Component, Group, Param, Plugin, Setting, hookimpl
from pgolf.runtime.parameters import zeros

PLUGIN = Plugin(
    name="example_gain",
    summary="Learned gain on the input of both branches.",
    source="pgolf's documentation",
    family="architecture",
    settings=(Setting("example_gain_lr", 0.01, "learning rate of the gains", minimum=0.0),),
)


def scale_input(model, n_BTD, layer, position, ctx):
    """The parameter is read by its canonical name, and cast to the stream's dtype."""
    ctx.fired("example_gain", "branches")
    return n_BTD * (1 + ctx.weights[f"blocks.{layer}.gain"].to(n_BTD.dtype))


@hookimpl
def parameters(settings) -> list[Param]:
    """One vector for each layer."""
    init = Component(zeros)
    return [Param("blocks.{}.gain", (settings.model_dim,), "slow", "control", init=init, layers=settings.num_layers)]


@hookimpl
def groups(settings) -> list[Group]:
    """Learning rate and weight decay of that group."""
    return [Group("slow", lr=settings.example_gain_lr)]


@hookimpl
def branch_inputs(settings) -> Component:
    """Both branches of every layer."""
    return Component(scale_input)
