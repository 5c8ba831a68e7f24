"""A recipe's forecast: the bytes of its file, which are built, and of its artifact, which are modelled."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgolf.challenge import find_challenge
from pgolf.forecast.size import Size, forecast_size
from pgolf.forecast.weights import SPREAD_ERROR, Walk, expected_walks
from pgolf.resolve import load_entry, resolve
from pgolf.submission import make

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pgolf.manager import Registry
    from pgolf.recipe import Recipe

USUAL_STEPS = 5000
"""Steps that runs of ten minutes on eight GPUs do, about; only spreads depend on it."""
LIKE_ERROR = 0.02
"""Of spreads that are taken from other weights."""
ENTRY_NAME = "pgolf_forecast_entry"


@dataclass(frozen=True)
class Forecast:
    """What a recipe will weigh.

    Attributes:
        code: bytes of the built file.
        cap: most bytes of file and artifact.
        walks: role -> what training was assumed to do.
        steps: training steps that were assumed.
    """

    size: Size
    code: int
    cap: int
    walks: Mapping[str, Walk]
    steps: int

    @property
    def total(self) -> int:
        """File and artifact."""
        return self.code + self.size.packed

    @property
    def fits(self) -> bool:
        """Is it under the cap?"""
        return self.total <= self.cap

    @property
    def certain(self) -> bool:
        """Is it as far from the cap as forecasts have been off?"""
        return abs(self.cap - self.total) > self.size.uncertainty

    def as_record(self) -> dict[str, Any]:
        """For `--json`."""
        classes = {
            quant: {"elements": count, "bits": round(bits, 4)} for quant, (count, bits) in self.size.classes.items()
        }
        return {
            "artifact_bytes": self.size.packed,
            "code_bytes": self.code,
            "bytes_total": self.total,
            "cap": self.cap,
            "left": self.cap - self.total,
            "fits": self.fits,
            "uncertainty_bytes": self.size.uncertainty,
            "certain": self.certain,
            "entropy_bytes": self.size.entropy,
            "raw_bytes": self.size.raw,
            "codes": self.size.elements,
            "classes": classes,
            "steps": self.steps,
            "walks": {role: [round(value, 6) for value in walk] for role, walk in self.walks.items()},
        }


def forecast(
    recipe: Recipe,
    registry: Registry,
    steps: int | None,
    like: Mapping[str, Walk] | None,
    smoke: bool = False,
    code: int | None = None,
) -> Forecast:
    """Build, and send stand-ins of the weights through quantizers and coder.

    Args:
        steps: of training; None takes the recipe's, or `USUAL_STEPS` where the clock ends it.
        like: `walks_like` weights that there are, in place of what is expected.
        code: bytes of the file where it has been built; None builds it.

    Raises:
        PgolfError: from building.
    """
    if code is None:
        made = make(recipe, registry, smoke=smoke)
        resolved, code = made.resolved, len(made.built.code)
    else:
        resolved = resolve(recipe, registry)
    module = load_entry(resolved.entry, ENTRY_NAME)
    program, parameters = module.make_program(), module.make_parameters()
    del sys.modules[ENTRY_NAME]
    values = resolved.selection.settings.as_dict()
    seconds = values["max_wallclock_seconds"]
    if steps is None:
        steps = min(values["iterations"], USUAL_STEPS) if seconds > 0 else values["iterations"]
    walks = expected_walks(program, parameters, values, steps, 1000.0 * seconds)
    if like is not None:
        walks |= {role: walk for role, walk in like.items() if role in walks}
    size = forecast_size(program, parameters, walks, SPREAD_ERROR if like is None else LIKE_ERROR)
    cap = find_challenge(recipe.challenge).artifact_cap
    return Forecast(size, code, cap, walks, steps)
