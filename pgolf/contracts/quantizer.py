"""Components that turn trained tensors into parts and back.

`state` maps canonical names to tensors; `statistics` maps canonical names to named statistics of that tensor, such as
{"hessian": X^T X summed over a batch, averaged over batches, (in, in) float32}. Parts are tensors by name; the names that
layouts may rely on are "codes" (int8, shaped like the tensor), "step" (one per row, or one), "kept" (the tensor itself in
another dtype), and "class" (uint8 scalar, where a plan has changed the class). Parts of a correction are called
"CORRECTION.PART".
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
    """What it reads: "train" for training data, which must be over before the budget is, or "" for none.

    With "train" the source runs while the clock does. Otherwise it runs after the clock has stopped, when
    `session.next_batch` and `session.open_loader` raise.
    """

    def __call__(self, session: Session, /) -> Iterable[Tensor]:
        """Batches ids_BT on the device, this rank's own; at least one."""


class BatchStatistics(Protocol):
    """Statistics of tensors besides the Hessians of matrices, from the batches of the calibration source."""

    def __call__(self, session: Session, ids_BT: Tensor, number: int, /) -> Statistics:
        """Sums over a batch, this rank's own; `number` counts from 0. Means over the batches that give a statistic are kept.

        Called without gradients, in eval mode; the model must be left as it was.
        """


class StatisticsTap(Protocol):
    """Changes the statistics on every rank, such as a sum over ranks."""

    def __call__(self, statistics: Statistics, world: World, ledger: Ledger, /) -> Statistics:
        """Called on every rank; Hessians are float64 here, and cast to float32 afterwards."""


class Fold(Protocol):
    """Bakes tensors into others, so that scoring does without them; their records have export="drop"."""

    def __call__(self, state: Mapping[str, Tensor], ledger: Ledger, /) -> None:
        """Change the canonical `state` in place, once weights are averaged; the model must mean the same afterwards."""

    def restore(self, state: Mapping[str, Tensor], /) -> None:
        """Give the dropped tensors of a decoded `state`, which are zero, the values that they have after the fold."""


class Rounding(Protocol):
    """Chooses the codes of a matrix whose steps are known."""

    def __call__(
        self, name: str, weight: Tensor, step: Tensor, top: int, statistics: Mapping[str, Tensor], ledger: Ledger, /
    ) -> Tensor:
        """int8 codes in [-top, top], shaped like `weight` (rows, columns), float32; `step` (rows,) is float16 and not 0.

        A class attribute `statistics` names what it needs; without it nothing is promised. With a method `solve(names,
        weights, steps, top, statistics, ledger)`, over lists of these, recipes that can will hand over all matrices of one
        class and shape at once; it returns their codes in order. Codes that are not simply multiples of the step need a
        recipe of their own: a class attribute `recipe`, a `SpreadRecipe` that decodes them.
        """


class ClipTap(Protocol):
    """Changes where the rows of a matrix are clipped, before steps are made of it."""

    def __call__(
        self, weight: Tensor, clip: Tensor, top: int, statistics: Mapping[str, Tensor], ledger: Ledger, /
    ) -> Tensor:
        """`weight` (rows, columns) and `clip` (rows,), the magnitude that the largest code `top` stands for, both float32.

        The step will be clip / top.
        """


class QuantizationPlan(Protocol):
    """Decides across tensors which quantization class each belongs to."""

    def __call__(self, state: Mapping[str, Tensor], statistics: Statistics, ledger: Ledger, /) -> dict[str, str]:
        """canonical name -> class, for tensors whose class is not that of their record; the artifact remembers it."""


class TensorTransform(Protocol):
    """Changes a tensor before its recipe sees it. Training, and corrections, see tensors as they are.

    Transforms are applied in order, and undone in the reverse order.
    """

    def apply(
        self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger, /
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """What the recipe gets in place of `tensor` and its statistics, new tensors of the same shapes."""

    def undo(self, name: str, tensor: Tensor, /) -> Tensor:
        """The tensor that the decoded one stands for, in its dtype; nothing is stored for it."""


class TensorRecipe(Protocol):
    """How tensors of one quantization class are stored.

    A class attribute `statistics`, such as ("hessian",), says what `encode` needs for every matrix of more than 65,536
    elements; a build without a source and a run whose forward does not show such a matrix are refused. A recipe may
    have `encode_group(names, tensors, statistics, ledger)`, over lists, for large matrices of one shape.
    """

    name: str
    """Part of file names and log lines."""

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger, /) -> Parts:
        """A tensor as parts; `statistics` is empty where there are none."""

    def decode(self, name: str, parts: Parts, kind: dtype, /) -> Tensor:
        """The tensor again, in dtype `kind`."""


class Correction(Protocol):
    """Adds a second set of parts to some tensors, from what the first set missed.

    Corrections see the codes that `fit` has left, and are made anew whenever `fit` measures. Parts of a low-rank one are
    called "a" (rows, rank) and "b" (rank, columns), so that `fit` can count its columns; where any tensor has
    "CORRECTION.rank" among its statistics, `fit` says which tensors are corrected, and how much.
    """

    name: str
    """Prefix of its parts."""

    def encode(
        self, state: Mapping[str, Tensor], decoded: Mapping[str, Tensor], statistics: Statistics, ledger: Ledger, /
    ) -> dict[str, Parts]:
        """canonical name -> parts, for the tensors that are corrected; `decoded` is float32."""

    def decode(self, name: str, parts: Parts, tensor: Tensor, /) -> Tensor:
        """`tensor`, decoded from its recipe in float32, with the correction."""


class Requantize(Protocol):
    """What `fit` may ask for: a tensor encoded again, and what its codes miss."""

    def encode(self, name: str, more: Mapping[str, Tensor], /) -> Parts:
        """The tensor's parts, made with `more` among its statistics, where clip taps and recipes find it."""

    def correct(self, encoded: dict[str, Parts], /) -> dict[str, Parts]:
        """These tensors, all or some, with the parts of their corrections."""

    def error(self, name: str, parts: Parts, /) -> float:
        """tr(E H E^T) of the error E that the parts leave, corrections among them.

        Without a Hessian H is c I, c the mean diagonal of those that there are, or 1.
        """


class Fit(Protocol):
    """Fits encoded tensors to the budget."""

    def __call__(
        self,
        encoded: dict[str, Parts],
        measure: Callable[[dict[str, Parts]], int],
        requantize: Requantize,
        ledger: Ledger,
        /,
    ) -> dict[str, Parts]:
        """`measure` gives the bytes that would count: the program's own file, and the artifact of what it is shown.

        The artifact is measured with its corrections, which `encoded` is without. A part "CORRECTION.rank", a scalar, tells
        a low-rank correction the rank of a tensor, and is not stored.
        """
