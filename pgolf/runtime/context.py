"""What one forward pass carries besides the stream: one forward serves every mode, and this record says which."""

from typing import NamedTuple


class Context(NamedTuple):
    """Arguments of the running forward.

    Attributes:
        ids: the token ids (B,T).
        phases: names of the phases that are on.
        training: whether this forward trains (fake-quantization and noise act only then).
        weights: canonical name -> tensor, such as "blocks.3.attn.c_q.weight"; views of the stored tensors.
        memo: per-forward cache for values that several layers share.
        fields: extra batch tensors by name, such as "starts" (B,T), true at the first token of a document.
        adapter: test-time training adapter, or None.
        observe: `observe(role, layer, x)` sees the input of every matrix (calibration), or None.
        ledger: collects what each plugin did, or None in compiled forwards.
    """

    ids: object
    phases: tuple
    training: bool
    weights: dict
    memo: dict
    fields: dict
    adapter: object
    observe: object
    ledger: object

    def fired(self, plugin, unit, number=1):
        """Count uses of a plugin when a ledger listens; traced away otherwise."""
        if self.ledger is not None:
            self.ledger.count(plugin, unit, number)
