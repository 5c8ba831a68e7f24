"""Every step counts for ten milliseconds."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_clock",
    summary="A clock for tests.",
    source="pgolf's documentation",
    family="optimizer",
)


class TenMilliseconds:
    """Time is a function of the step: two runs can be equal."""

    deterministic = True

    def start(self):
        """Nothing to read."""

    def pause(self, ledger):
        """Called before what the rules do not count as training."""
        ledger.note("example_clock", "10 ms per step")

    def elapsed_ms(self, step):
        """Of training so far."""
        return 10.0 * step


@hookimpl
def clock(settings) -> Component:
    """In place of real time."""
    return Component(TenMilliseconds)
