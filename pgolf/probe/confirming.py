"""A failure seen by comparing executions is told only where equal ones are equal: threads and clocks make some differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pgolf.probe.dependence import TOLERANCE, different, scores_of
from pgolf.probe.trials import Places, Trial
from pgolf.probe.verdicts import Verdict
from pgolf.probe.workshop import Planned, Workshop

COMPARING = ("flip", "suffix", "poison", "absence")
ONCE_MORE = "-once-more"


def confirmed(shop: Workshop, verdicts: list[Verdict], plans: Mapping[str, Planned], noise: Places) -> list[Verdict]:
    """The verdicts; failures by comparing become open ones where the same execution gives something else a second time.

    Args:
        plans: what was executed, by name.
        noise: positions that are known to change by themselves.
    """
    asked = {number: execution_of(one) for number, one in enumerate(verdicts) if one.status == "FAIL"}
    names = sorted({name for name in asked.values() if name in plans})
    if not names:
        return verdicts
    again = [replace(plans[name], name=f"{name}{ONCE_MORE}") for name in ("base", *names)]
    shop.run(again)
    unlike = {name for name in ("base", *names) if differ(shop, name, noise)}
    if not unlike:
        return verdicts
    return [
        open_again(one) if asked.get(number) in plans and unlike & {"base", asked[number]} else one
        for number, one in enumerate(verdicts)
    ]


def execution_of(verdict: Verdict) -> str:
    """The name of the execution that a failure was seen in; "" where nothing was compared."""
    if verdict.probe not in COMPARING:
        return ""
    return str(next((place["probe"] for place in verdict.findings if "probe" in place), verdict.probe))


def differ(shop: Workshop, name: str, noise: Places) -> bool:
    """Did the same execution give other scores, or another artifact? What was not run a second time did not."""
    first, second = shop.seen[name], shop.seen[f"{name}{ONCE_MORE}"]
    if not second.ended:
        return False
    return scores_differ(first, second, len(shop.official.tokens) + 1, noise) or any(
        second.artifacts.get(file) != digest for file, digest in first.artifacts.items() if file in stable(shop)
    )


def scores_differ(first: Trial, second: Trial, size: int, noise: Places) -> bool:
    """Other scores, or none where there were some."""
    if (first.claim is None) != (second.claim is None):
        return True
    changed = different(scores_of(first, size)[0], scores_of(second, size)[0], TOLERANCE)
    changed[noise[noise < size]] = False
    return bool(np.any(changed))


def stable(shop: Workshop) -> set[str]:
    """Artifacts that the first two executions wrote alike."""
    base, again = shop.seen["base"], shop.seen["again"]
    return {file for file, digest in base.artifacts.items() if again.artifacts.get(file) == digest}


def open_again(verdict: Verdict) -> Verdict:
    """Not judged."""
    text = (
        f"not judged: an execution that is repeated gives other scores or another artifact; seen was: {verdict.message}"
    )
    return replace(verdict, status="SKIP", message=text, findings=())
