"""A plan as lines of text."""

from __future__ import annotations

from pgolf.plan.trace import Plan, Step, Variant

HEADINGS = ("step", "half", "layer", "time", "skip from", "lanes", "elements", "tensors beside its own")


def heading(variant: Variant) -> str:
    """What is on, and how long the walk is."""
    encoder = sum(not step.decoder for step in variant.steps)
    decoder = len(variant.steps) - encoder
    lanes = max(step.lanes[1] for step in variant.steps)
    repeats = sum(step.time > 1 for step in variant.steps)
    parts = [
        f"{encoder} encoder and {decoder} decoder steps",
        f"{variant.skips} skips",
        f"{lanes} lane{'s' * (lanes > 1)}" if lanes else "lanes unknown: the wiring walks by itself",
    ]
    parts += [f"{repeats} steps repeat a layer"] * (repeats > 0)
    return f"phases {', '.join(variant.phases) or 'none'}: {', '.join(parts)}"


def order(variant: Variant) -> str:
    """The layers in one line, halves apart, repeats in brackets."""
    halves = [
        " ".join(
            f"({step.layer})" if step.time > 1 else str(step.layer) for step in variant.steps if step.decoder == half
        )
        for half in (False, True)
    ]
    return " | ".join(halves)


def cells(step: Step, plan: Plan) -> tuple[str, ...]:
    """One row under `HEADINGS`."""
    before, after = step.lanes
    others = [name for name in step.reads if not name.startswith(f"blocks.{step.layer}.")]
    return (
        str(step.position),
        "decoder" if step.decoder else "encoder",
        str(step.layer),
        str(step.time),
        "" if step.skip is None else str(step.skip),
        "?" if not after else str(after) if before == after else f"{before} to {after}",
        f"{sum(plan.sizes.get(name, 0) for name in step.reads):,}",
        ", ".join(others),
    )


def remarks(variant: Variant) -> list[str]:
    """What is read outside of steps, and what is never read."""
    lines = [f"outside of steps: {', '.join(variant.outside)}"]
    if variant.idle:
        lines.append(f"nothing reads: {', '.join(variant.idle)}")
    return lines


def ending(plan: Plan) -> str:
    """Variants that are compiled."""
    return (
        f"{plan.compiled} compiled variants of {plan.limit} allowed: {plan.trained} of training, one for each set of "
        f"phases, and {plan.compiled - plan.trained} of scoring; {sum(plan.sizes.values()):,} parameters"
    )
