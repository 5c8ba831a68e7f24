"""Rules that the score ledgers of pgolf's own runs decide: each token scored once, and before anything learns from it."""

from __future__ import annotations

import hashlib

from pgolf.logs import RunRecord
from pgolf.verify.folder import Unreadable, View, printable
from pgolf.verify.ledgers import Ledger, NoLedger, read_ledger
from pgolf.verify.registry import Outcome, passed, warned

LEDGER_RULES = ("rule.scorefirst", "rule.onepass")


def by_ledgers(view: View, rule: str) -> Outcome | None:
    """The outcome, or None where not every run has a ledger that the shipped program has written.

    A ledger is a record of the run, as its log is. It can show a violation in any folder; it shows that the rule is kept only
    where the file that made the logs is the one that pgolf built.
    """
    runs = {name: run for name, run in view.evidence.judged.items() if run.headline is not None}
    ledgers, problems = _ledgers(view, runs)
    broken = {name: text for name, ledger in ledgers.items() if (text := _problem(ledger, rule))}
    for name, text in broken.items():
        return Outcome("FAIL", f"{printable(name)}: {text}", {"ledgers": _record(ledgers)})
    if problems:
        name, text = next(iter(problems.items()))
        return warned(f"{printable(name)}: {printable(text)}", problems=problems)
    if not ledgers or len(ledgers) < len(runs) or not _own(view, runs):
        return None
    learned = max(ledger.learned for ledger in ledgers.values())
    text = f"the score ledgers of {len(ledgers)} runs: every target is scored once"
    if rule == "rule.scorefirst":
        text += f", and before it is learnt from ({learned:,} tokens are)" if learned else ", and nothing learns"
    return passed(text, ledgers=_record(ledgers))


def _ledgers(view: View, runs: dict[str, RunRecord]) -> tuple[dict[str, Ledger], dict[str, str]]:
    found: dict[str, Ledger] = {}
    problems: dict[str, str] = {}
    for name, run in runs.items():
        places = [f"{name.removesuffix('.gz').rpartition('.')[0]}.scores.npz"]
        places.append(f"artifacts/seed{run.seed}/logs/train_seed{run.seed}.scores.npz")
        for place in places:
            try:
                with view.open(place) as file:
                    ledger = read_ledger(file)
            except Unreadable:
                continue
            except NoLedger as error:
                problems[place] = str(error)
                break
            if run.val_tokens is not None and ledger.tokens not in (run.val_tokens, run.val_tokens + 1):
                problems[place] = f"is of {ledger.tokens:,} tokens, the log of {run.val_tokens:,}"
            else:
                found[place] = ledger
            break
    return found, problems


def _problem(ledger: Ledger, rule: str) -> str:
    if rule == "rule.onepass" and ledger.unscored:
        return f"{ledger.unscored:,} targets are not scored, the first at {ledger.first_unscored:,}"
    if rule == "rule.scorefirst" and ledger.early:
        return f"{ledger.early:,} tokens are learnt from before they are scored, the first at {ledger.first_early:,}"
    return ""


def _own(view: View, runs: dict[str, RunRecord]) -> bool:
    """Did the file that pgolf built make the logs?"""
    lock, code = view.lock[0], view.code[0]
    if lock is None or code is None:
        return False
    found = hashlib.sha256(code).hexdigest()
    return found == lock.code_sha256 and all(run.code_sha256 == found for run in runs.values())


def _record(ledgers: dict[str, Ledger]) -> dict[str, object]:
    return {name: ledger._asdict() for name, ledger in ledgers.items()}
