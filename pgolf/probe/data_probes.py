"""Probes of what a script reads when: validation text before the artifact, training shards after it."""

from __future__ import annotations

from typing import Any

from pgolf.probe.trials import Trial
from pgolf.probe.verdicts import Verdict
from pgolf.probe.workshop import Workshop, reason


def poison_verdicts(shop: Workshop) -> list[Verdict]:
    """rule.calibval, and rule.scorefirst where the artifact has learnt from validation text."""
    base, again, poison = (shop.seen[name] for name in ("base", "again", "poison"))
    files = sorted(name for name, digest in base.artifacts.items() if again.artifacts.get(name) == digest)
    changed = [name for name in files if poison.artifacts.get(name) != base.artifacts[name]]
    if not base.artifacts:
        return [open_verdict("it writes no artifact before it prints its score")]
    if not files:
        return [open_verdict("two equal executions write different artifacts")]
    if poison.error:
        return [open_verdict(f"other validation text cannot be run: {reason(poison)}")]
    if not changed:
        return [Verdict("rule.calibval", "PASS", f"{', '.join(files[:3])} stays with other validation text", "poison")]
    return changed_verdicts(base, poison, changed)


def open_verdict(why: str) -> Verdict:
    """Whether the artifact depends on validation text is not known."""
    return Verdict("rule.calibval", "SKIP", why, "poison")


def changed_verdicts(base: Trial, poison: Trial, changed: list[str]) -> list[Verdict]:
    """Artifacts depend on validation text: by gradients of it, or as statistics."""
    name = changed[-1]
    written = [event for event in base.of("write") if event["name"] == name]
    taught = gradients_before(base, max((event["at"] for event in written), default=0))
    if taught:
        text = f"{changed[0]} depends on validation text: gradients of it are taken at line {taught[0]['line']}"
        places = tuple({"position": event["positions"][0], "line": event["line"]} for event in taught[:4])
        return [
            Verdict("rule.scorefirst", "FAIL", f"{text}, before anything is scored", "poison", places),
            open_verdict("the artifact has learnt from validation text, see rule.scorefirst"),
        ]
    line = written[-1]["line"] if written else 0
    text = f"{changed[0]} depends on validation text (written at line {line})"
    digests = {"before": base.artifacts[changed[0]], "after": poison.artifacts.get(changed[0])}
    return [Verdict("rule.calibval", "FAIL", text, "poison", ({"position": 0, "line": line, **digests},))]


def gradients_before(base: Trial, end: int) -> list[dict[str, Any]]:
    """Gradients of validation text that an optimizer used before an event."""
    steps = [step["at"] for step in base.of("step") if step["at"] < end]
    return [event for event in base.of("gradient") if any(event["at"] < at for at in steps)]


def absence_verdict(shop: Workshop) -> Verdict:
    """rule.calibtrain: training shards that are read once the artifact is there, or whose absence changes the score."""
    base, hidden = shop.seen["base"], shop.seen["absence"]
    writes = base.of("write")
    if not writes or base.claim is None:
        return Verdict(
            "rule.calibtrain", "SKIP", "it writes no artifact: where evaluation begins is not known", "absence"
        )
    late = late_reads(base)
    if late:
        line = late[0]["line"]
        place = {"line": line, "position": 0}
        return Verdict(
            "rule.calibtrain",
            "FAIL",
            f"training shards are opened after the artifact (line {line})",
            "absence",
            (place,),
        )
    if hidden.claim is None:
        text = f"without training shards it cannot be followed: {reason(hidden) or 'another score'}"
        return Verdict(
            "rule.calibtrain", "FAIL" if hidden.error and hidden.ended and not base.error else "SKIP", text, "absence"
        )
    before, after = base.claim.value, hidden.claim.value
    if abs(before - after) > 1e-6:
        place = {"position": 0, "before": before, "after": after}
        text = f"the score needs training shards after the artifact is written: {before:.6f} becomes {after:.6f}"
        return Verdict("rule.calibtrain", "FAIL", text, "absence", (place,))
    return Verdict(
        "rule.calibtrain", "PASS", "the score stays when training shards are emptied after the artifact", "absence"
    )


def late_reads(base: Trial) -> list[dict[str, object]]:
    """Openings of training shards between the artifact and the claim."""
    claim = base.claim
    assert claim is not None
    first = max(event["at"] for event in base.of("write") if event["at"] < claim.at) if base.of("write") else 0
    return [event for event in base.of("open") if event["what"] == "train" and first < event["at"] < claim.at]
