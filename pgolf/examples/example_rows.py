"""U <- U / |U| for each row of a projection into the stream; names tell which matrix it is."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_rows",
    summary="Row normalization of some updates.",
    source="pgolf's documentation",
    family="optimizer",
)


def normalize_rows(update, names, ledger):
    """One name, or one for each member of a bank."""
    if not all(name.endswith("proj.weight") for name in names):
        return update
    ledger.count("example_rows", "updates")
    return update / (update.norm(dim=-1, keepdim=True) + 1e-7)


@hookimpl
def update_taps(settings) -> Component:
    """Before the update is orthogonalized."""
    return Component(normalize_rows)
