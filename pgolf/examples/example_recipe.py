"""Codes in [-15, 15] with one step for each row: step = clip / 15."""

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.quantize import integer_codes, restore_tensor

PLUGIN = Plugin(
    name="example_recipe",
    summary="Five bits for every matrix of the layers.",
    source="pgolf's documentation",
    family="quantizer",
)


class FiveBits:
    """`statistics` says what `encode` cannot do without."""

    name = "int5"
    statistics = ("hessian",)

    def __init__(self, rounding, clip_taps):
        self.rounding = rounding
        self.clip_taps = clip_taps

    def encode(self, name, tensor, statistics, ledger):
        """Clips and rounding may be other plugins'; the part names are those that layouts know."""
        weight = tensor.float()
        clip = weight.abs().amax(1)
        for tap in self.clip_taps:
            clip = tap(weight, clip, 15, statistics, ledger)
        step = (clip / 15).clamp_min(1e-4).half()
        if self.rounding is None:
            codes = integer_codes(weight, step.float(), 15)
        else:
            codes = self.rounding(name, weight, step, 15, statistics, ledger)
        ledger.count("example_recipe", "matrices")
        return {"codes": codes, "step": step}

    def decode(self, name, parts, kind):
        """codes * step, in the tensor's own dtype."""
        return restore_tensor(parts, kind)


@hookimpl
def tensor_recipes(settings, rounding, clip_taps) -> dict[str, Component]:
    """The other classes stay with the baseline's recipes."""
    recipe = Component(FiveBits, rounding=rounding, clip_taps=clip_taps)
    return {"attn": recipe, "mlp": recipe}
