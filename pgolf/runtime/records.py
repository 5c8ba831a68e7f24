"""The records that plugins declare and the running program reads: tensors, optimizer groups, phases. No torch.

The same classes serve at both times. A hook gives a `Component` where the running program finds the function that the
component makes: in `Param.init` and `Phase.start`. `plugin`, the declaring plugin, is filled in by `pgolf.resolve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any


class Param(NamedTuple):
    """One trained tensor, declared once by whoever creates it.

    Attributes:
        name: canonical state-dict name; `{}` stands for each of first .. layers-1.
        shape: sizes; () is a scalar.
        group: optimizer group; must be declared by some plugin.
        quant: quantization class; must have a tensor recipe.
        init: how it starts; None leaves it to the `initializer` slot. A bank gives a tuple with one entry per member.
        plugin: the plugin that declared the record.
        dtype: "float32", or "activation" for the dtype that activations have on the device.
        layers: where `{}` ends, the number of layers, or 0 for a single tensor.
        members: for a bank, the canonical names stacked along its first axis, each with `{}` for the layer: first all
            layers of the first member, then all layers of the second. Quantizer and exporter see the members.
        reduction: "replicated" (gradients averaged over ranks) or "sharded" (the matrix optimizer reduces them).
        tap: the role whose input statistics calibrate this tensor ("attn.c_q", ...), or "".
        average: whether weight averaging covers it.
        adapt: whether test-time training may change it; every other tensor is frozen while scores are made.
        export: "yes", or "drop" for tensors that scoring does not need.
        first: where `{}` begins.
    """

    name: str
    shape: tuple[int, ...]
    group: str
    quant: str
    init: Any = None
    plugin: str = ""
    dtype: str = "float32"
    layers: int = 0
    members: tuple[str, ...] = ()
    reduction: str = "replicated"
    tap: str = ""
    average: bool = True
    adapt: bool = True
    export: str = "yes"
    first: int = 0

    def stored_names(self) -> list[str]:
        """State-dict names of the record's tensors."""
        return [self.name.format(layer) for layer in range(self.first, self.layers)] or [self.name]


class Group(NamedTuple):
    """One optimizer group before any schedule.

    Attributes:
        name: what `Param.group` holds; "matrix" belongs to the matrix optimizer and is never declared.
        lr: learning rate.
        weight_decay: decoupled weight decay; a step takes away lr * weight_decay of the tensor.
    """

    name: str
    lr: float
    weight_decay: float = 0.0


class Phase(NamedTuple):
    """A run-time variant that switches on once, during training or after it, and stays on.

    Attributes:
        name: what `ctx.phases` holds while it is on.
        start: a function of `Progress` that is true from the step at which the phase begins; None for a phase that begins
            after the last step, so that the model is trained without it.
        scoring: whether the phase is also on when the model is scored and calibrated.
        plugin: the plugin that declared the record.
    """

    name: str
    start: Any
    scoring: bool = True
    plugin: str = ""
