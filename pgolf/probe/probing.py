"""Runs the probes on one script, in the order in which they need each other, and says how long each took."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pgolf.probe import claim_probes, data_probes, normal_probe, order_probes
from pgolf.probe.confirming import confirmed
from pgolf.probe.dependence import TOLERANCE, different, scores_of
from pgolf.probe.shrinking import Sizes
from pgolf.probe.trials import Places, Trial
from pgolf.probe.verdicts import PROBES, RULES, Verdict, worst
from pgolf.probe.workshop import SMALL_VOCABULARY, VOCABULARY, Execute, Planned, Script, Workshop, reason
from pgolf.wrappers.versions import parse

SIZES = (Sizes(VOCABULARY), Sizes(VOCABULARY, head=32), Sizes(VOCABULARY, length=128), Sizes(VOCABULARY, widths=False))
"""What is tried, until one runs."""
LONG, SMALLER = 60_000, Sizes(VOCABULARY, head=8, rows=8)
"""Scripts of more characters have many layers and quantize them: what is tried first with them, which takes half as long."""
NO_SIZE = ("has no stand-in", "did not end", "no record", "was not run", "ModuleNotFoundError", "ImportError")
"""Errors that no other size mends."""
Plans = dict[str, tuple[Planned, Places]]
SUBSTITUTION_TOKENS = 257
BY_RUNNING = [rule for rule in RULES if rule not in ("rule.prefix", "rule.lossless", "rule.disjoint")]
SECONDS = 60.0
"""Most seconds of one execution."""


@dataclass
class Result:
    """What was found.

    Attributes:
        verdicts: rule -> verdict.
        seconds: probe -> wall clock.
        memory: most bytes of one execution.
        runs: executions.
        loaded: "" where the script runs, else why it does not.
        seed: what positions were drawn with.
    """

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    memory: int = 0
    runs: int = 0
    loaded: str = ""
    seed: int = 0
    changed: dict[str, Any] = field(default_factory=dict)


class Prober:
    """Probes one script.

    Args:
        script: the program.
        work: a folder for executions.
        execute: the sandbox.
        seed: what positions are drawn with; drawn when the script is fixed.
        only: names of probes, all without any.
        note: takes lines of progress.
    """

    def __init__(
        self,
        script: Script,
        work: Path,
        execute: Execute,
        seed: int,
        only: Sequence[str] = (),
        note: Callable[[str], None] = lambda line: None,
        seconds: float = SECONDS,
    ):
        self.script, self.work, self.execute, self.seed, self.note = script, work, execute, seed, note
        self.only = set(only) or set(PROBES)
        self.limit = seconds
        self.result = Result(seed=seed)
        self.found: list[Verdict] = []
        self.shops: list[Workshop] = []
        self.orders: Plans = {}
        self.borders: Plans = {}
        self.plans: dict[str, Planned] = {}

    def run(self) -> Result:
        """All probes that were asked for."""
        shop = self._timed("executions", self._load)
        if shop is None:
            self.found += [Verdict(rule, "SKIP", self.result.loaded, "load") for rule in BY_RUNNING]
        else:
            self._judge(shop)
        self.result.verdicts = worst([one for one in self.found if self._asked(one)])
        for one in self.shops:
            self.result.runs += len([trial for trial in one.seen.values() if trial.seconds])
            self.result.memory = max([self.result.memory, *(trial.memory for trial in one.seen.values())])
        return self.result

    def _asked(self, verdict: Verdict) -> bool:
        return verdict.probe == "load" or verdict.probe in self.only

    def _timed(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        started = time.monotonic()
        self.note(f"probe: {name}")
        try:
            return function(*args)
        finally:
            self.result.seconds[name] = round(time.monotonic() - started, 2)

    def _load(self) -> Workshop | None:
        """The script at the first size that runs and can be followed; `loaded` says why none does."""
        said = []
        first = (SMALLER,) if len(self.script.text) > LONG else ()
        for number, sizes in enumerate(SIZES[:1] if self.script.ready else (*first, *SIZES)):
            try:
                shop = Workshop(self.script, sizes, self.work / f"size{number}", self.execute, self.limit, self.seed)
            except SyntaxError as error:
                self.result.loaded = not_read(error, self.script.text)
                return None
            except (ValueError, RecursionError, MemoryError) as error:
                self.result.loaded = f"the script cannot be made small: {type(error).__name__}"
                return None
            self.shops.append(shop)
            self.plan(shop)
            base = shop.seen["base"]
            if base.claim is not None:
                self.result.changed = {name: list(pair) for name, pair in shop.small.changed.items()}
                return shop
            said.append(why_not(base))
            if sizes is not SMALLER and not of_its_size(base):
                break
        self.result.loaded = f"the script could not be probed: {said[min(len(first), len(said) - 1)]}"
        return None

    def plan(self, shop: Workshop) -> None:
        """Execute the script as it is and with everything that is changed, at once: a sandbox takes seconds to start."""
        self.orders = order_probes.flips(shop) if "flip" in self.only else {}
        self.orders |= order_probes.suffixes(shop) if "suffix" in self.only else {}
        self.borders = order_probes.borders(shop, length_of(shop)) if "border" in self.only else {}
        plans = [Planned("base", shop.official), Planned("again", shop.official)]
        plans += [plan for plan, _ in (self.orders | self.borders).values()]
        if "poison" in self.only:
            shop.draw_for("poison")
            every = np.arange(len(shop.official.tokens))
            plans.append(Planned("poison", shop.official.changed(every, shop.random, shop.pieces)))
        if "absence" in self.only:
            plans.append(Planned("absence", shop.official, hide=True))
        self.plans = {plan.name: plan for plan in plans}
        shop.run(plans)
        for name in ("flip", "suffix", "border", "poison", "absence"):
            took = [trial.seconds for key, trial in shop.seen.items() if key.startswith(name)]
            if took:
                self.result.seconds[name] = round(sum(took), 2)

    def _judge(self, shop: Workshop) -> None:
        if self.orders and shop.seen["again"].claim is None:
            text = f"whether equal executions are equal is not known: {reason(shop.seen['again']) or 'not followed'}"
            self.found += [Verdict(rule, "SKIP", text, "flip") for rule in sorted({*order_probes.RULE_OF.values()})]
        elif self.orders:
            self.found += order_probes.order_verdicts(shop, self.orders, self._noise(shop))
        if "ledger" in self.only:
            self.found += claim_probes.ledger_verdicts(shop)
        if "bytes" in self.only:
            self.found.append(claim_probes.bytes_verdict(shop))
        if "border" in self.only:
            self.found.append(order_probes.border_verdict(shop, self.borders))
        if "poison" in self.only:
            self.found += data_probes.poison_verdicts(shop)
        if "absence" in self.only:
            self.found.append(data_probes.absence_verdict(shop))
        self.found = confirmed(shop, self.found, self.plans, self._noise(shop))
        if "substitution" in self.only:
            self._timed("substitution", self._normal, shop)

    def _noise(self, shop: Workshop) -> Places:
        """Positions whose score changes with nothing else changed."""
        size = len(shop.official.tokens) + 1
        (before, _), (after, _) = scores_of(shop.seen["base"], size), scores_of(shop.seen["again"], size)
        return np.nonzero(different(before, after, TOLERANCE))[0]

    def _normal(self, shop: Workshop) -> None:
        seen = any(one.status == "FAIL" and one.rule == "rule.causal" for one in self.found)
        self.found += normal_probe.normal_verdicts(shop, lambda: self._smaller(shop), seen and self._peeks())

    def _peeks(self) -> bool:
        """Does a distribution depend on its own target?"""
        places = itertools.chain.from_iterable(one.findings for one in self.found)
        return any(place.get("what") == "distribution" for place in places)

    def _smaller(self, shop: Workshop) -> Workshop | str:
        if self.script.ready or not shop.small.vocabulary or shop.vocabulary != VOCABULARY:
            return f"its vocabulary of {shop.vocabulary} tokens cannot be made small"
        sizes = Sizes(SMALL_VOCABULARY, 64)
        work = self.work / "substitution"
        small = Workshop(self.script, sizes, work, self.execute, self.limit, self.seed, SUBSTITUTION_TOKENS)
        self.shops.append(small)
        return small


def length_of(shop: Workshop) -> int:
    """Tokens of a window."""
    return next((int(new) for name, (_, new) in shop.small.changed.items() if "seq_len" in name.lower()), 64)


def not_read(error: SyntaxError, text: str) -> str:
    """A script that this Python does not read; perhaps a newer one does."""
    own = f"3.{sys.version_info.minor}"
    newer = [version for version, reads in parse(text).accepts.items() if reads is not False and version > own]
    more = f": install pgolf with Python {newer[-1]} and probe it there" if newer else ""
    return f"Python {own} does not read line {error.lineno or 0} of the script ({error.msg}){more}"


def of_its_size(base: Trial) -> bool:
    """May it be the size that an execution broke of?"""
    return bool(base.error) and not base.births.shape[1] and not any(mark in base.error for mark in NO_SIZE)


def why_not(base: Trial) -> str:
    """Why the unchanged script cannot be probed."""
    if base.error:
        return reason(base)
    if not base.births.shape[1]:
        return "no score of a validation token was seen to be picked from a distribution"
    if not base.claimed and not base.ledgers:
        return "it prints no val_loss or val_bpb"
    return "the score that it prints could not be followed back to tokens"
