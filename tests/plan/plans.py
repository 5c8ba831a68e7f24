"""Plans of tiny recipes, traced once."""

import functools

from models import resolved

from pgolf.plan.trace import trace_plan


@functools.cache
def looped():
    """Six layers, a loop over two of them, two lanes from layer 4 on."""
    names = ("layer_loop", "two_lanes", "skip_gates", "banks")
    sizes = {"num_layers": 6, "num_loops": 1, "loop_start": 2, "loop_end": 3, "parallel_start_layer": 4}
    return trace_plan("looped", resolved(*names, **sizes))


@functools.cache
def plain():
    """The baseline with four layers."""
    return trace_plan("plain", resolved())
