"""The token before each target of the validation stream, for whoever scores it."""

import torch

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_stream_field",
    summary="The token before the target.",
    source="pgolf's documentation",
    family="eval",
)


def token_before(tokens, device, ledger):
    """(N,) -> int32 (N,), -1 for the first place."""
    ledger.count("example_stream_field", "places", len(tokens))
    found = tokens.to(torch.int32).roll(1)
    found[:1] = -1
    return found


@hookimpl
def stream_fields(settings) -> dict[str, Component]:
    """`ctx.fields["token_before"]` (B,T)."""
    return {"token_before": Component(token_before)}
