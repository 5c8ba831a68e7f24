"""What the running program expects of every component: one `Protocol` for each hook that hands one over.

A module for each family. Every call is positional and follows one order of arguments: the model, the tensors, then what
they are (`names`, `role`), then `layer` (physical index), `position` (step of the layer plan) and `ctx`; optimizers and
quantizers take the tensors, their canonical `names`, numbers, and the ledger last.

Shapes: B batch, T sequence, D model width, H query heads, K key/value heads, C head width, E = K*C, V vocabulary. Every
component may also have `prepare(session)`, see `Prepared`. Nothing here is imported by the running program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pgolf.runtime.session import Session


class Prepared(Protocol):
    """Optional for every component: what must work before any time is spent on training."""

    def prepare(self, session: Session, /) -> str | None:
        """Try what the component will need: compile, allocate, run the external program on a few bytes.

        Called once on every rank, before the first training step and before scoring or exporting alone.

        Returns:
            a line for the log that says what was chosen, or None.

        Raises:
            OSError, ValueError: what is missing and what to do; the run ends with that one line.
        """
