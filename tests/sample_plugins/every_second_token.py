"""Sample plugin for tests: input statistics from the validation-free training stream, used by a recipe that needs them.

    calibration: two training batches;   recipe: int8 with the columns that matter most kept exactly

Source: pgolf's tests.
"""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="every_second_token",
    summary="Calibrates on two batches and weighs columns by their input energy.",
    source="pgolf tests",
    family="quantizer",
)


class TwoBatches:
    """Two more micro-batches of the training stream."""

    reads = "train"

    def __call__(self, session):
        return [session.next_batch()[0] for _ in range(2)]


class WeighedRecipe:
    """float16 everywhere; counts the tensors whose statistics arrived."""

    name = "weighed"
    statistics = ("hessian",)

    def encode(self, name, tensor, statistics, ledger):
        if "hessian" in statistics and statistics["hessian"].shape == (tensor.shape[1],) * 2:
            ledger.count("every_second_token", "tensors with statistics")
        return {"kept": tensor.half()}

    def decode(self, name, parts, kind):
        return parts["kept"].to(kind)


def drop_nothing(encoded, measure, requantize, ledger):
    """A fit that measures and keeps everything."""
    ledger.note("every_second_token", f"{measure(encoded)} bytes packed")
    return encoded


@hookimpl
def calibration_source(settings):
    return Component(TwoBatches)


@hookimpl
def reserve(settings):
    return 1.0


@hookimpl
def tensor_recipes(settings):
    return {name: Component(WeighedRecipe) for name in ("attn", "mlp", "embed")}


@hookimpl
def fit(settings):
    return Component(drop_nothing)
