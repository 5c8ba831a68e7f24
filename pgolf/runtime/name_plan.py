"""A quantization plan by name: tensors whose canonical names hold one of the given patterns get one class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf.runtime.parameters import canonical_tensors
from pgolf.runtime.quantize import KEPT_ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.contracts.quantizer import Statistics
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.session import Session


class NamePlan:
    """`pgolf.contracts.quantizer.QuantizationPlan`.

    Args:
        plugin: whose receipt counts what was chosen.
        setting: the name of the one that holds the patterns, for errors.
        patterns: parts of names.
        quant: the class.
        large: only matrices of more than 65,536 elements, which recipes do not keep as they are.
    """

    def __init__(self, plugin: str, setting: str, patterns: tuple[str, ...], quant: str, large: bool) -> None:
        self.plugin = plugin
        self.setting = setting
        self.patterns = patterns
        self.quant = quant
        self.large = large

    def prepare(self, session: Session) -> None:
        """ValueError for a pattern that fits no tensor, before training."""
        names = [name for name, _, _ in canonical_tensors(session.parameters)]
        for pattern in self.patterns:
            if not any(pattern in name for name in names):
                raise ValueError(f"{self.setting}: {pattern!r} is in no tensor's name, such as {names[0]}")

    def __call__(self, state: Mapping[str, Tensor], statistics: Statistics, ledger: Ledger) -> dict[str, str]:
        """canonical name -> `quant`."""
        found = []
        for name, tensor in state.items():
            fits = not self.large or (tensor.ndim == 2 and tensor.numel() > KEPT_ELEMENTS)
            if fits and any(pattern in name for pattern in self.patterns):
                found.append(name)
        ledger.count(self.plugin, "matrices" if self.large else "tensors", len(found))
        return dict.fromkeys(found, self.quant)
