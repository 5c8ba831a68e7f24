"""Sample plugin for tests: an evaluation in which the last rank comes to an end of some kind.

    raise: an exception;   kill: SIGKILL;   twice: it scores a target twice
    late: it has no work, and must still join the others

Source: pgolf's tests.
"""

import os
import signal

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.evaluate import chunk_spans, span_rows

PLUGIN = Plugin(
    name="failing_evaluation",
    summary="Fails on the last rank.",
    source="pgolf tests",
    family="eval",
    settings=(Setting("failure", "late", "what happens", choices=("raise", "kill", "late", "twice")),),
)


class FailingEvaluation:
    """Windows one by one, shared out; every rank notes what it was given."""

    name = "failing_evaluation"
    label = "failing"

    def __init__(self, failure):
        self.failure = failure

    def __call__(self, session, tally):
        last = session.world.rank == session.world.world_size - 1
        if last and self.failure == "raise":
            raise RuntimeError("the last rank gives up")
        if last and self.failure == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        spans = chunk_spans(len(session.tokens), session.seq_len)
        if last and self.failure == "twice":
            for _ in range(2):
                tally.score(*span_rows(spans[:1], 1, session.seq_len))
        done = []
        if not last or session.world.world_size == 1:
            for number in session.share_work(len(spans)):
                tally.score(*span_rows(spans[number : number + 1], 1, session.seq_len))
                done.append(number)
        tally.share()
        session.log(f"all scored: {bool((tally.scored_at[1:] > 0).all())}, {len(done)} here")


@hookimpl
def evaluation(settings):
    return Component(FailingEvaluation, failure=settings.failure)
