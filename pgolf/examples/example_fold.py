"""The MLP reads s * Wp, s a learned scalar; after training Wp is multiplied by it, and s is not stored."""

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import ones

PLUGIN = Plugin(
    name="example_fold",
    summary="A learned scale that costs nothing in the artifact.",
    source="pgolf's documentation",
    family="architecture",
)


def scale_down_projection(model, weight, role, layer, position, ctx):
    """In training, and with s = 1 afterwards."""
    if role != "mlp.proj":
        return weight
    return weight * ctx.weights["down_scale"]


class BakeScale:
    """In place, on the canonical state."""

    def __call__(self, state, ledger):
        for name, tensor in state.items():
            if name.endswith("mlp.proj.weight"):
                tensor.mul_(state["down_scale"])
                ledger.count("example_fold", "matrices")
        self.restore(state)

    def restore(self, state):
        """A decoded state has zeros where nothing was stored."""
        state["down_scale"].fill_(1)


@hookimpl
def parameters(settings) -> list[Param]:
    """One scalar for all layers."""
    return [Param("down_scale", (), "scalar", "control", init=Component(ones), adapt=False, export="drop")]


@hookimpl
def weight_taps(settings) -> Component:
    """Before any fake-quantization."""
    return Component(scale_down_projection)


@hookimpl
def folds(settings) -> Component:
    """Once training is over."""
    return Component(BakeScale)
