"""The tally: the one way from the model to a score. What it refuses cannot be scored.

A place is an index into the validation stream. A row of T targets is given by the T + 1 places of its tokens, so inputs and
targets are always the stream's own. Three rules hold by construction; whoever breaks one ends the run:

- every place but the first is scored once, on all ranks together;
- a row's places rise, so what a target is given lies before it (place 0 pads on the right);
- an update learns from scored places alone, and is declared by `learn`.

`write_marks` leaves both facts beside the log; `pgolf.score_ledger` has the format and checks it again.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.distributed as dist

from pgolf.runtime.distributed import max_over_ranks, sum_over_ranks
from pgolf.runtime.ledger import Ledger

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.evaluation import Adapter
    from pgolf.runtime.distributed import World
    from pgolf.runtime.session import Session

LOG_TWO = 0.6931471805599453
NEVER = 2147483647
FINENESS = 16777216


class Score(NamedTuple):
    """`val_loss` in nats per token, `val_bpb` in bits per byte, the number of targets, the time in milliseconds."""

    val_loss: float
    val_bpb: float
    tokens: int
    eval_ms: float


class Scored(NamedTuple):
    """Rows after a forward. Only the tally makes one, of places that are scored: having it is the licence to learn from it.

    Attributes:
        nll: (B,T) in nats, with its graph.
        targets: places (B,T) of the targets, on the CPU.
    """

    nll: torch.Tensor
    targets: torch.Tensor


def refuse(places: Tensor, fault: str) -> None:
    """ValueError naming the first of some places, if there is one."""
    if places.numel():
        raise ValueError(f"target {places[0]} of the validation stream {fault}")


def look_up(session: Session, places: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """(ids, targets, fields) of rows of places (B,T+1), on the device."""
    # Python's own type stands for the dtype int64.
    ids = session.tokens[places].to(session.world.device, torch.int64)
    x = ids[:, :-1].contiguous()
    return x, ids[:, 1:].contiguous(), make_fields(session, x)


def make_fields(session: Session, ids: Tensor) -> dict[str, Tensor]:
    """The batch fields of ids (B,T)."""
    return {name: field(ids, session.ledger) for name, field in session.program.batch_fields}


def stream_values(session: Session, targets: Tensor) -> dict[str, Tensor]:
    """What the stream fields say of targets (B,T), places on the CPU."""
    return {name: values[targets].to(session.world.device) for name, values in session.stream_fields.items()}


def score_rows(
    session: Session,
    marks: Tensor,
    event: int,
    places: Tensor,
    scored: Tensor,
    adapter: Adapter | None = None,
    eager: bool = False,
) -> tuple[Tensor, Tensor]:
    """Score the chosen targets of rows, and mark them with the number of this event; see `Tally.score`.

    What is `eager` runs the model as it is, not compiled.

    Returns:
        nll (B,T), and the sums (3,) float64 of nats, targets and UTF-8 bytes.
    """
    targets, device = places[:, 1:], session.world.device
    marks[targets[scored]] = event
    session.stages.say(f"eval: batch {event}")
    x, y, fields = look_up(session, places)
    if session.program.stream_fields:
        fields = {**fields, **stream_values(session, targets)}
    # A ledger tells kernels that nothing is compiled.
    forward = partial(session.model, ledger=Ledger()) if eager else session.forward
    with torch.set_grad_enabled(adapter is not None and torch.is_grad_enabled()):
        nll = forward(x, y, phases=session.scoring_phases(), fields=fields, reduction="none", adapter=adapter)
    counts = session.program.byte_counter.count(x, y, targets.to(device))
    mask = scored.to(device)
    # Multiples of 2^-24 add up to the same float64 in any order (below 2^29 nats).
    nats = (nll.detach().double() * FINENESS).round() / FINENESS
    parts = nats * mask, mask, counts * mask
    return nll, torch.stack([part.sum().double() for part in parts])


def merge(marks: Tensor, operation: dist.ReduceOp.RedOpType, world: World) -> Tensor:
    """Marks of all ranks brought together, on the CPU."""
    if world.world_size > 1:
        marks = marks.to(world.device)
        dist.all_reduce(marks, operation)
    return marks.cpu()


def close_marks(session: Session, marks: Tensor, sums: Tensor, begin: float) -> Score:
    """The score from merged marks and each rank's sums; ValueError unless every target was scored once."""
    refuse(1 + (marks[1:] == 0).nonzero().flatten(), "is not scored")
    nats, tokens, size = sum_over_ranks(sums, session.world).tolist()
    if tokens > len(marks) - 1:
        raise ValueError("a target of the validation stream is scored twice")
    return Score(nats / tokens, nats / LOG_TWO / size, int(tokens), 1000.0 * (time.perf_counter() - begin))


def write_marks(session: Session, scored_at: Tensor, learned_at: Tensor | None = None) -> None:
    """The score ledger `logs/<run id>.scores.npz`, on rank 0; its format is in `pgolf.score_ledger`."""
    if session.world.rank == 0:
        path = f"logs/{session.env.run_id}.scores.npz"
        if learned_at is None:
            np.savez_compressed(path, scored_at=scored_at.numpy())
        else:
            np.savez_compressed(path, scored_at=scored_at.numpy(), learned_at=learned_at.numpy())


class Tally:
    """The sums and marks of an evaluation that is a plugin's; every rank has its own, `share` brings them together.

    Attributes:
        clock: number of the last event on this rank; scores and updates count, and `share` sets it to the highest of all
            ranks, so events before it have lower numbers than events after it everywhere.
        scored_at, learned_at: for each place the event that scored it (0: none yet), the first update that learnt from it.
        planned: places in rows, padding included, that this rank is about to score; forecasts are made with it.
        learning: whether there was always time to learn.
        evaluated, begin, sums, learned, shapes, versions, calls, done, sampled, spent: the tally's own.
    """

    def __init__(self, session: Session):
        self.evaluated = session
        self.begin = time.perf_counter()
        self.sums = torch.zeros(3, dtype=torch.float64, device=session.world.device)
        self.clock = 0
        self.scored_at = torch.zeros(len(session.tokens), dtype=torch.int32)
        self.learned_at = torch.full_like(self.scored_at, NEVER)
        self.learned = False
        self.shapes: set[tuple[int, int]] = set()
        self.versions = self.weight_versions()
        self.planned = self.calls = self.done = self.sampled = 0
        self.spent = 0.0
        self.learning = True

    def score(self, places: Tensor, scored: Tensor, adapter: Adapter | None = None) -> Scored:
        """Score targets: nats and UTF-8 bytes are added up, the places are marked, nothing of it can be taken back.

        Args:
            places: (B,T+1) int64 on the CPU, those of a row's tokens; 0 pads on the right.
            scored: (B,T) bool on the CPU, which targets count; the others are context.
            adapter: acts in this forward, and the result has a graph unless gradients are off.

        Raises:
            ValueError: for a target that is scored a second time, a row that falls, a weight that changed unseen.
        """
        self.check_rows(places, scored)
        self.check_weights()
        self.clock += 1
        # Every eighth is timed, and not the first, which may compile.
        self.calls += 1
        begin = self.time_now() if self.calls % 8 == 2 else 0.0
        nll, sums = score_rows(self.evaluated, self.scored_at, self.clock, places, scored, adapter)
        self.sums += sums
        self.done += places.numel()
        if begin:
            self.spent += self.time_now() - begin
            self.sampled += places.numel()
            if self.calls == 2 and self.planned:
                self.evaluated.log(f"eval: scoring alone will take about {self.forecast():.0f} s")
        return Scored(nll, places[:, 1:])

    def time_now(self) -> float:
        """Real time, once the device has done what it was given."""
        self.sums.cpu()
        return time.perf_counter()

    def forecast(self, more: int = 0) -> float:
        """Seconds that this rank will take to score what is left of `planned` places, and so many more."""
        return (max(self.planned - self.done, 0) + more) * self.spent / max(self.sampled, 1)

    def may_learn(self, more: int = 0) -> bool:
        """Whether the rest of the scoring still fits into the time left after learning that costs as much as `more` places.

        It is said once when it does not; from then on there is no learning.
        """
        if self.learning and self.forecast(more) >= self.seconds_left():
            self.learning = False
            self.evaluated.log(
                f"eval: no more learning: scoring the rest takes about {self.forecast():.0f} s, "
                f"{self.seconds_left():.0f} s are left"
            )
        return self.learning

    def all_may_learn(self, more: int) -> bool:
        """`may_learn` on every rank; waits for all of them."""
        return max_over_ranks(not self.may_learn(more), self.evaluated.world) == 0

    def rehearse(self, shapes: list[tuple[int, int]], adapter: Adapter | None = None, dynamic: bool = False) -> None:
        """Where the model is compiled, compile it for each (rows, width), on zeros; then time begins.

        With an adapter, forward and backward. What is `dynamic` is compiled for any other width, too.
        """
        session = self.evaluated
        if session.forward is not session.model:
            torch._dynamo.config.recompile_limit += len(shapes)
            phases = session.scoring_phases()
            for shape in shapes:
                ids = torch.zeros(shape, dtype=torch.int64, device=session.world.device)
                # A tensor of its own: code that is compiled for targets that are the inputs fits nothing else.
                targets, fields = ids.clone(), make_fields(session, ids)
                if session.program.stream_fields:
                    fields = {**fields, **stream_values(session, torch.zeros(shape, dtype=torch.int64))}
                if dynamic:
                    for tensor in (ids, targets, *fields.values()):
                        torch._dynamo.mark_dynamic(tensor, 1)
                with torch.set_grad_enabled(adapter is not None):
                    nll = session.forward(ids, targets, phases=phases, fields=fields, reduction="none", adapter=adapter)
                if adapter is not None:
                    nll.sum().backward()
            # What is compiled has run only when the device says so.
            self.sums.cpu()
            seconds = time.perf_counter() - self.begin
            session.log(f"eval: compiled {len(shapes)} shapes in {seconds:.0f} seconds")
            self.begin = time.perf_counter()

    def check_rows(self, places: Tensor, scored: Tensor) -> None:
        """Refuse targets that were scored before, and rows in which one could be given what lies after it."""
        self.shapes.add((places.size(0), places.size(1) - 1))
        targets = places[:, 1:]
        before = places.cummax(1).values[:, :-1]
        refuse(targets[(targets <= before) & (targets != 0)], "stands after a later one in its row")
        refuse(places[places < 0], "is outside it")
        chosen, times = targets[scored].unique(return_counts=True)
        refuse(chosen[(times > 1) | (self.scored_at[chosen] > 0) | (chosen == 0)], "is scored twice, or first")

    def check_weights(self) -> None:
        """Refuse base weights that changed without `learn`, or that nothing may change."""
        versions = self.weight_versions()
        for (name, adapt, before), (_, _, now) in zip(self.versions, versions, strict=True):
            if before != now and not (adapt and self.learned):
                raise ValueError(f"{name} has changed, wanted only records with `adapt`, by updates through `learn`")
        self.versions = versions
        self.learned = False

    def weight_versions(self) -> list[tuple[str, bool, int]]:
        """(name, may it change, number of changes) of every base weight."""
        model = self.evaluated.model
        records = [(name, record.adapt) for record in self.evaluated.parameters for name in record.stored_names()]
        return [(name, adapt, model.get_parameter(name)._version) for name, adapt in records]

    def replay(self, places: Tensor, **fields: object) -> Scored:
        """Run the model again over rows whose targets are all scored, to learn from them; counts for nothing.

        Args:
            places: (B,T+1) int64 on the CPU, in any order; the first of a row is only ever given.
            fields: more of `ctx.fields`, such as `segments`.

        Raises:
            ValueError: for a target that is not scored yet.
        """
        targets = places[:, 1:]
        refuse(targets[self.scored_at[targets] == 0], "is replayed before it is scored")
        session = self.evaluated
        x, y, known = look_up(session, places)
        # The model as it is, not compiled, since such rows come in any shape; a ledger tells kernels so.
        nll = session.model(
            x,
            y,
            phases=session.scoring_phases(),
            fields={**known, **fields},
            reduction="none",
            ledger=Ledger(),
        )
        return Scored(nll, targets)

    def learn(self, scored: Scored, weights: Tensor) -> None:
        """Declare an update and do its backward pass: gradients of sum(weights * nll) are added to `.grad`.

        Args:
            scored: from `score` or `replay`.
            weights: (B,T) float32 on the CPU; a row without weight is not learnt from, padding has none.

        Raises:
            ValueError: for a row with a weight that holds a target that is not scored yet.
        """
        seen = scored.targets[(weights != 0).any(1)]
        seen = seen[seen > 0]
        refuse(seen[self.scored_at[seen] == 0], "is learnt from before it is scored")
        self.clock += 1
        self.learned_at[seen] = self.learned_at[seen].clamp(max=self.clock)
        self.learned = True
        (scored.nll * weights.to(scored.nll.device)).sum().backward()

    def share(self, first: int = 0, end: int | None = None) -> None:
        """Wait for every rank, and know from here on what all of them have scored; a rank without work must join too.

        Args:
            first, end: the places of which this is wanted; all of a long stream take their time.
        """
        world = self.evaluated.world
        self.scored_at[first:end] = merge(self.scored_at[first:end], dist.ReduceOp.MAX, world)
        self.learned_at[first:end] = merge(self.learned_at[first:end], dist.ReduceOp.MIN, world)
        self.clock = int(max_over_ranks(self.clock, world))

    def seconds_left(self) -> float:
        """What is left of `max_eval_seconds` on this rank; infinite without a limit, and where kernels are deterministic,
        since nothing may depend on real time there."""
        limit = 0 if torch.are_deterministic_algorithms_enabled() else self.evaluated.settings.max_eval_seconds
        return (limit or float("inf")) - (time.perf_counter() - self.begin)
