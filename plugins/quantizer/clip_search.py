"""Full-Hessian GPTQ with a clip for each matrix: five are tried, each with codes of its own.

    step_i = float16(max(clip_i / R, floor))      clip_i at .999, .9995, .9999, .99999 or 1 of the quantiles of |W_i|,  R = 31
    q = rounding(W / step)      kept: the first clip with the least mean of (W - step q)^2, columns without input left out

Quantiles are those of the matrix as it is; the error is plain, not weighted by the Hessian. With the floor of the public
scripts, 1/31 (`quirk_step_floor`), rows whose largest weight is below one have the same step for every clip; matrices are not
solved again for steps that they have had. Where the Hessian has no Cholesky factor codes are the nearest ones, and this is the
search of gptq_lite.

Source: openai/parameter-golf#535, #1019, #1218.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import KEPT_ELEMENTS, nearest_codes, quantile_steps, restore_tensor, squared_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts, Rounding
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="clip_search",
    summary="int6 per row by gptq, with the best of five clips for each matrix.",
    source="openai/parameter-golf#535, #1019, #1218",
    family="quantizer",
    effect="-0.005 to -0.007 BPB against rounding to nearest at int6; of it the search is little under the floor",
    requires=("gptq",),
    replaces=("int6",),
    settings=(
        Setting("clip_search_classes", "attn,mlp", "quantization classes it takes, separated by commas"),
        Setting("quirk_step_floor", False, "steps are at least 1/31, as in all exporters before #1394"),
    ),
)
TOP = 31


class Trial(NamedTuple):
    """Codes (rows, columns), float16 steps (rows,), and their error, a scalar."""

    codes: Tensor
    step: Tensor
    error: Tensor


class ClipSearch:
    """Tensor recipe; tensors of at most 65,536 elements, and what is no matrix, are kept in float16."""

    name = "int6"

    def __init__(self, floor: float, rounding: Rounding) -> None:
        self.clip_floor = floor
        self.rounding = rounding

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """Codes and steps of a large matrix, or another tensor as it is."""
        if tensor.numel() <= KEPT_ELEMENTS or tensor.ndim != 2:
            ledger.count("clip_search", "tensors kept")
            return {"kept": tensor.half()}
        ledger.count("clip_search", "tensors quantized")
        weight, best = tensor.float(), None
        for step in quantile_steps(weight, TOP, self.clip_floor):
            # The Hessian decides about a failure, so the ledger hears of one clip alone.
            heard = Ledger() if best else ledger
            codes = self.rounding(name, weight, step, TOP, statistics, heard)
            best = better(best, tried(weight, codes, step, statistics))
        return {"codes": best.codes, "step": best.step}  # type: ignore[union-attr]  # there are five

    def encode_group(
        self, names: list[str], tensors: list[Tensor], statistics: list[Mapping[str, Tensor]], ledger: Ledger
    ) -> list[Parts]:
        """`encode` of large matrices of one shape, whose codes the rounding chooses together."""
        ledger.count("clip_search", "tensors quantized", len(names))
        weights = [tensor.float() for tensor in tensors]
        steps = [quantile_steps(weight, TOP, self.clip_floor) for weight in weights]
        best: list[Trial | None] = [None] * len(names)
        solver: Any = self.rounding
        for clip in range(len(steps[0])):
            new = [place for place, own in enumerate(steps) if not any(own[clip].equal(old) for old in own[:clip])]
            lists = [[values[place] for place in new] for values in (names, weights)]
            known = [statistics[place] for place in new]
            own = [steps[place][clip] for place in new]
            found = solver.solve(*lists, own, TOP, known, Ledger() if clip else ledger) if new else []
            for place, codes, step in zip(new, found, own, strict=True):
                best[place] = better(best[place], tried(weights[place], codes, step, statistics[place]))
        return [{"codes": trial.codes, "step": trial.step} for trial in best if trial]

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        return restore_tensor(parts, kind)


def tried(weight: Tensor, codes: Tensor, step: Tensor, statistics: Mapping[str, Tensor]) -> Trial:
    """With the error in columns that have inputs; all of them, where nothing is known."""
    if "hessian" in statistics:
        dead = statistics["hessian"].diagonal() == 0
        return Trial(codes, step, squared_error(weight.masked_fill(dead, 0.0), codes.masked_fill(dead, 0), step))
    return Trial(codes, step, squared_error(weight, codes, step))


def better(old: Trial | None, new: Trial) -> Trial:
    """The one with the lesser error, the old one of equals."""
    if old is None:
        return new
    # Tensors choose, so that fake quantization can be compiled.
    lesser = new.error < old.error
    return Trial(*(torch.where(lesser, after, before) for before, after in zip(old, new, strict=True)))


@hookimpl
def tensor_recipes(settings: SettingsView, rounding: Component | None) -> dict[str, Component]:
    """The classes of `clip_search_classes`."""
    names = (name.strip() for name in settings.clip_search_classes.split(","))
    codes = rounding or Component(nearest_codes)
    floor = 1 / 31 if settings.quirk_step_floor else 0.0
    return {name: Component(ClipSearch, floor=floor, rounding=codes) for name in names}
