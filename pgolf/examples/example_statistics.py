"""H <- H averaged over ranks."""

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.distributed import sum_over_ranks

PLUGIN = Plugin(
    name="example_statistics",
    summary="Every rank has the statistics of all ranks' batches.",
    source="pgolf's documentation",
    family="quantizer",
)


def average_over_ranks(statistics, world, ledger):
    """In float64, in the same order on every rank."""
    for known in statistics.values():
        for key in known:
            known[key] = sum_over_ranks(known[key], world) / world.world_size
    ledger.count("example_statistics", "matrices", len(statistics))
    return statistics


@hookimpl
def statistics_taps(settings) -> Component:
    """After the last batch."""
    return Component(average_over_ranks)
