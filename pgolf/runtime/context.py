"""What one forward pass carries besides the stream: one forward serves every mode, and this record says which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from pgolf.contracts.evaluation import Adapter
    from pgolf.runtime.ledger import Ledger


class Context(NamedTuple):
    """Arguments of the running forward.

    Attributes:
        ids: the token ids (B,T).
        phases: names of the phases that are on.
        training: whether this forward trains (fake-quantization and noise act only then).
        weights: canonical name -> tensor, such as "blocks.3.attn.c_q.weight"; views of the stored tensors.
        memo: per-forward cache for values that several layers share.
        fields: extra batch tensors by name, such as "starts" (B,T), true at the first token of a document, or "documents"
            (B,T), which document of its row a token belongs to.
        adapter: test-time training adapter, or None.
        observe: `observe(role, layer, x)` sees the input of every matrix (calibration), or None.
        ledger: collects what each plugin did, or None in compiled forwards.
    """

    ids: Tensor
    phases: tuple[str, ...]
    training: bool
    weights: dict[str, Tensor]
    memo: dict[Any, Any]
    fields: dict[str, Tensor]
    adapter: Adapter | None
    observe: Callable[[str, int, Tensor], None] | None
    ledger: Ledger | None

    def fired(self, plugin: str, unit: str, number: int = 1) -> None:
        """Count uses of a plugin when a ledger listens; traced away otherwise."""
        if self.ledger is not None:
            self.ledger.count(plugin, unit, number)
