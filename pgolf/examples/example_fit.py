"""Zeroes the smallest codes until file and artifact fit into a given number of bytes."""

from pgolf import Component, Plugin, Setting, hookimpl

PLUGIN = Plugin(
    name="example_fit",
    summary="Drops codes of one while the artifact is too large.",
    source="pgolf's documentation",
    family="quantizer",
    settings=(Setting("example_fit_bytes", 16_000_000, "most bytes of both together", minimum=1),),
)


def drop_ones(encoded, measure, requantize, ledger, limit):
    """Tensor by tensor, as long as it is needed."""
    for name, parts in encoded.items():
        if measure(encoded) <= limit:
            break
        if "codes" in parts:
            codes = parts["codes"]
            encoded = {**encoded, name: {**parts, "codes": codes * (codes.abs() > 1)}}
    ledger.note("example_fit", f"{measure(encoded)} bytes of {limit}")
    return encoded


@hookimpl
def fit(settings) -> Component:
    """`measure` packs and compresses what it is shown, and adds the program's own file."""
    return Component(drop_ones, limit=settings.example_fit_bytes)
