"""MLPs of their own for the repeats of depth_recurrence.

    the i-th repeat of the listed layers uses blocks.{L + i}.mlp.fc and .proj in place of its layer's

They are zero until the step at which repeats begin, when they become copies of the layer's. An average that covers earlier
steps mixes in the zeros. In PR #1204 they stayed outside of the banks, as here.

Source: openai/parameter-golf PR #1204 (REPEAT_UNTIE_MLP=full).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Param, Plugin, Setting, hookimpl
from pgolf.runtime.parameters import canonical_state, zeros

if TYPE_CHECKING:
    from pgolf.runtime.context import Context
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Progress, Scalars
    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="untied_repeats",
    summary="MLPs of their own for layers that run a second time.",
    source="openai/parameter-golf#1204",
    family="architecture",
    effect="3.1 M parameters more for two of eleven layers with a 3x MLP; its worth alone was not measured",
    requires=("depth_recurrence",),
    conflicts=(Conflict("swiglu", "its first matrix is of another shape"),),
    order=60,
    settings=(Setting("repeat_untie_mlp_layers", "", "the layers whose repeats have one, by number; all without"),),
)


def layer_of_repeat(role: str, layer: int, position: int, ctx: Context, owners: tuple[tuple[int, int], ...]) -> int:
    """The layer with the matrices, after depth_recurrence has named the physical one; `owners` are (step, layer)."""
    for step, owner in owners:
        if role.startswith("mlp.") and position == step and "recurrence" in ctx.phases:
            ctx.fired("untied_repeats", "matrices")
            layer = owner
    return layer


class CopyAtStart:
    """`pgolf.contracts.optimizer.Schedule` that leaves the scalars alone."""

    def __init__(self, at: int, copies: tuple[tuple[int, int], ...]) -> None:
        self.at = at
        self.copies = copies

    def prepare(self, session: Session) -> None:
        """Find the tensors."""
        self.run_session = session

    def __call__(self, progress: Progress, scalars: Scalars, ledger: Ledger) -> Scalars:
        if progress.step == self.at:
            state = canonical_state(self.run_session.model.state_dict(), self.run_session.parameters)
            for layer, owner in self.copies:
                for role in ("fc", "proj"):
                    state[f"blocks.{owner}.mlp.{role}.weight"].copy_(state[f"blocks.{layer}.mlp.{role}.weight"])
            ledger.note("untied_repeats", f"copied at step {progress.step}")
        return scalars


def untied(settings: SettingsView) -> tuple[int, ...]:
    """The layers whose repeats have MLPs of their own."""
    recurrent, text = settings.layer_numbers("recur_layers"), settings.repeat_untie_mlp_layers.strip()
    chosen = {part.strip() for part in text.split(",")} if text else {str(layer) for layer in recurrent}
    layers = tuple(layer for layer in recurrent if str(layer) in chosen)
    wanted = f"different ones of {settings.recur_layers}"
    settings.require(len(layers) == len(chosen) == text.count(",") + 1 or not text, "repeat_untie_mlp_layers", wanted)
    return layers


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """Two matrices for each."""
    first, dim, hidden = settings.num_layers, settings.model_dim, settings.hidden_dim
    last = first + len(untied(settings))
    shapes = {"mlp.fc": (hidden, dim), "mlp.proj": (dim, hidden)}
    return [
        Param(f"blocks.{{}}.{role}.weight", shape, "matrix", "mlp", init=Component(zeros), first=first, layers=last)
        for role, shape in shapes.items()
    ]


@hookimpl
def matrix_layers(settings: SettingsView) -> Component:
    """Those of the repeats, which follow the last recurrent layer."""
    recurrent, layers = settings.layer_numbers("recur_layers"), untied(settings)
    after = recurrent[-1] + 1
    owners = tuple((after + recurrent.index(layer), settings.num_layers + i) for i, layer in enumerate(layers))
    return Component(layer_of_repeat, owners=owners)


@hookimpl
def schedules(settings: SettingsView) -> Component:
    """Once."""
    copies = tuple((layer, settings.num_layers + i) for i, layer in enumerate(untied(settings)))
    return Component(CopyAtStart, at=settings.recur_start_step, copies=copies)
