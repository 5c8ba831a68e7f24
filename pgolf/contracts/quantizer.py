"""Components that turn trained tensors into parts and back.

`state` maps canonical names to tensors; `statistics` maps canonical names to named statistics of that tensor, such as
{"hessian": X^T X summed over a batch, averaged over batches, (in, in) float32}. Parts are named tensors; the names that
layouts may rely on are "codes" (int8, shaped like the tensor), "step" (one per row, or one), and "kept".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from pgolf.runtime.distributed import World
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.session import Session

Parts = dict[str, "Tensor"]
Statistics = dict[str, dict[str, "Tensor"]]


class CalibrationSource(Protocol):
    """Token batches for input statistics."""

    reads: str
    """What it reads: "train" for training data, which must be over before the clock stops, or "" for none."""

    def __call__(self, session: Session, /) -> Iterable[Tensor]:
        """Batches ids_BT on the device, this rank's own."""


class StatisticsTap(Protocol):
    """Changes the statistics on every rank, such as a sum over ranks."""

    def __call__(self, statistics: Statistics, world: World, ledger: Ledger, /) -> Statistics:
        """All ranks have the same keys."""


class QuantizationPlan(Protocol):
    """Decides across tensors which quantization class each belongs to."""

    def __call__(self, state: Mapping[str, Tensor], statistics: Statistics, ledger: Ledger, /) -> dict[str, str]:
        """canonical name -> class, for tensors whose class is not that of their record."""


class TensorRecipe(Protocol):
    """How tensors of one quantization class are stored."""

    name: str
    """Part of file names and log lines."""

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger, /) -> Parts:
        """A tensor as parts; `statistics` is empty where there are none."""

    def decode(self, name: str, parts: Parts, kind: dtype, /) -> Tensor:
        """The tensor again, in dtype `kind`."""


class Correction(Protocol):
    """Adds a second set of parts to some tensors, from what the first set missed."""

    name: str
    """Prefix of its parts."""

    def encode(
        self, state: Mapping[str, Tensor], decoded: Mapping[str, Tensor], statistics: Statistics, ledger: Ledger, /
    ) -> dict[str, Parts]:
        """canonical name -> parts, for the tensors that are corrected."""

    def decode(self, name: str, parts: Parts, tensor: Tensor, /) -> Tensor:
        """`tensor`, decoded from its recipe, with the correction."""


class Fit(Protocol):
    """Fits encoded tensors to the budget."""

    def __call__(
        self, encoded: dict[str, Parts], measure: Callable[[dict[str, Parts]], int], ledger: Ledger, /
    ) -> dict[str, Parts]:
        """`measure` gives the packed bytes of what it is shown."""
