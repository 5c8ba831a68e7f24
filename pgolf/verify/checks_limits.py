"""The check of limits: what was not looked at is said, and a folder that is too much has not passed."""

from __future__ import annotations

from pgolf.verify.evidence import TOO_LONG
from pgolf.verify.folder import View, printable
from pgolf.verify.registry import Outcome, check, passed, violated


@check(
    "pkg.limits",
    "FAIL",
    "all of the folder can be judged within the verifier's limits of time, memory and size",
    "pgolf: what is not looked at is not fine",
    "a log of 400,000 lines",
)
def check_limits(view: View) -> Outcome:
    """Judged after all others, which note what was too much for them."""
    reasons = [*view.exceeded]
    if view.cut.startswith("there are more"):
        reasons.append(view.cut)
    reasons += [f"{name} {TOO_LONG}" for name, problem in view.unreadable_logs.items() if problem == TOO_LONG]
    if not reasons:
        return passed("all of it is judged")
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return violated(printable(f"not all of it is judged: {reasons[0]}{more}"), reasons=reasons[:50])
