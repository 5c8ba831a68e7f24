"""W' = W_decoded + mean of the error of each row."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_correction",
    summary="Stores the mean error of rows.",
    source="pgolf's documentation",
    family="quantizer",
)


class RowMeans:
    """`name` is the prefix of its parts in the artifact."""

    name = "mean"

    def encode(self, state, decoded, statistics, ledger):
        """canonical name -> parts, for the tensors that it corrects."""
        names = [name for name in state if name.endswith("attn.proj.weight")]
        ledger.count("example_correction", "matrices", len(names))
        return {name: {"row": (state[name].float() - decoded[name]).mean(1).half()} for name in names}

    def decode(self, name, parts, tensor):
        """Called with its own parts alone."""
        return tensor + parts["row"].to(tensor.device).float()[:, None]


@hookimpl
def corrections(settings) -> Component:
    """After `fit`."""
    return Component(RowMeans)
