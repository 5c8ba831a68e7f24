"""Which point comes next: `ask` gives one, `tell` says what it came to. Finished points are never asked for again."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pgolf.errors import PgolfError
from pgolf.sweep.space import Point, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgolf.sweep.spec import Spec
    from pgolf.sweep.store import Row

MOST_REPEATS = 200
"""A small space may be used up before the wanted number of points: after so many known ones in a row it is."""


class Search:
    """A list of points that is known from the start: a grid, or random points with a seed.

    Args:
        points: as they come.
        most: how many there may be, those that are known included.
        canonical: a point without what makes no difference to it.
        known: rows of earlier runs.
        endless: points repeat themselves for ever, once the space is used up.
    """

    def __init__(
        self,
        points: Iterable[Point],
        most: int,
        canonical: Callable[[Point], Point],
        known: Iterable[Row],
        endless: bool = False,
    ) -> None:
        self.points: Iterator[Point] = iter(points)
        self.canonical = canonical
        self.seen = {text_of(row.point) for row in known}
        self.left = most - len(self.seen)
        # A run that goes on draws first what it drew before.
        self.patience = MOST_REPEATS + 2 * len(self.seen) if endless else math.inf

    def ask(self) -> Point | None:
        """The next point that nobody had; None when there is no more."""
        for repeats, point in enumerate(self.points if self.left > 0 else ()):
            name = text_of(self.canonical(point))
            if name not in self.seen:
                self.seen.add(name)
                self.left -= 1
                return point
            if repeats > self.patience:
                break
        return None

    def tell(self, point: Point, row: Row | None) -> None:
        """A list learns nothing."""


class OptunaSearch(Search):
    """Tree-structured Parzen estimator (Bergstra et al. 2011) of Optuna; rows of earlier runs are told to it first.

    A trial over the cap is told as worse than it is, by its excess as a share of the cap; a stopped one is pruned.
    """

    def __init__(self, spec: Spec, canonical: Callable[[Point], Point], known: Iterable[Row], cap: int) -> None:
        super().__init__((), spec.trials, canonical, known := list(known))
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.optuna, self.space, self.cap = optuna, spec.space, cap
        # Where a run goes on, the sampler must not draw again what it drew at first.
        sampler = optuna.samplers.TPESampler(seed=spec.search_seed + len(known), constant_liar=True)
        self.study = optuna.create_study(direction="minimize", sampler=sampler)
        self.open: dict[str, Any] = {}
        self.scores = {text_of(row.point): row for row in known}
        for row in known:
            self.remember(row)

    def remember(self, row: Row) -> None:
        """A row of an earlier run, where it is a point of this space."""
        try:
            values = {axis.name: axis.internal(row.point[axis.name]) for axis in self.space.axes}
        except (KeyError, ValueError):
            return
        if row.val_bpb is None or row.state != "finished":
            return
        spread = {axis.name: axis.distribution() for axis in self.space.axes}
        value = penalized(row, self.cap)
        self.study.add_trial(self.optuna.trial.create_trial(params=values, distributions=spread, value=value))

    def ask(self) -> Point | None:
        """What the sampler picks; what is known already is told to it at once, and it picks again."""
        for _ in range(MOST_REPEATS if self.left > 0 else 0):
            trial = self.study.ask()
            point = self.space.point([axis.suggest(trial) for axis in self.space.axes])
            name = text_of(self.canonical(point))
            if name not in self.seen:
                self.seen.add(name)
                self.left -= 1
                self.open[text_of(point)] = trial
                return point
            self.finish(trial, self.scores.get(name))
        return None

    def tell(self, point: Point, row: Row | None) -> None:
        """What it came to."""
        if row is not None:
            self.scores[text_of(row.point)] = row
        trial = self.open.pop(text_of(point), None)
        if trial is not None:
            self.finish(trial, row)

    def finish(self, trial: Any, row: Row | None) -> None:
        """End one of Optuna's trials."""
        states = self.optuna.trial.TrialState
        if row is None or row.val_bpb is None:
            self.study.tell(trial, state=states.FAIL)
        elif row.state == "stopped":
            trial.report(row.val_bpb, step=int(row.clock or 0))
            self.study.tell(trial, state=states.PRUNED)
        else:
            self.study.tell(trial, penalized(row, self.cap))


def penalized(row: Row, cap: int) -> float:
    """BPB, and for bytes over the cap their share of it on top."""
    assert row.val_bpb is not None
    return row.val_bpb + max(0, (row.bytes_total or 0) - cap) / cap


def open_search(spec: Spec, canonical: Callable[[Point], Point], known: Iterable[Row], cap: int) -> Search:
    """The search of a sweep.

    Raises:
        PgolfError: PG002 for a grid of ranges without steps, PG004 where Optuna is wanted and not installed.
    """
    if spec.method == "optuna":
        import importlib.util

        if importlib.util.find_spec("optuna") is None:
            hint = "pip install 'pgolf[sweep]', or search at random"
            raise PgolfError("PG004", 'method = "optuna" needs optuna, which is not installed', spec.where, hint)
        return OptunaSearch(spec, canonical, known, cap)
    if spec.method == "grid":
        return Search(spec.space.grid(spec.where), spec.trials, canonical, known)
    chance = random.Random(spec.search_seed)
    return Search(iter(lambda: spec.space.draw(chance), None), spec.trials, canonical, known, endless=True)
