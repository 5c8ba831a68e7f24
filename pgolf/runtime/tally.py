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
    phases = session.scoring_phases()
    with torch.set_grad_enabled(adapter is not None and torch.is_grad_enabled()):
        if eager:  # a ledger tells kernels that nothing is compiled
            nll = session.model(x, y, phases=phases, fields=fields, reduction="none", adapter=adapter, ledger=Ledger())
        else:
            nll = session.forward(x, y, phases=phases, fields=fields, reduction="none", adapter=adapter)
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
        planned: (rows, width) -> how often this rank is about to score such rows; forecasts are made with it.
        done: the same of what it has scored.
        learning: whether there is time to learn.
        evaluated, begin, sums, learned, versions, warm, timed, told: the tally's own.
    """

    def __init__(self, session: Session):
        self.evaluated = session
        self.begin = time.perf_counter()
        self.sums = torch.zeros(3, dtype=torch.float64, device=session.world.device)
        self.clock = 0
        self.scored_at = torch.zeros(len(session.tokens), dtype=torch.int32)
        self.learned_at = torch.full_like(self.scored_at, NEVER)
        self.learned = False
        self.versions = self.weight_versions()
        self.planned: dict[tuple[int, int], float] = {}
        self.done: dict[tuple[int, int], int] = {}
        self.warm: set[tuple[int, int]] = set()
        self.timed: dict[tuple[int, int], tuple[float, int]] = {}
        self.learning, self.told = True, False

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
        shape = (places.size(0), places.size(1) - 1)
        calls = self.done.get(shape, 0)
        self.done[shape] = calls + 1
        # The first of a shape chooses kernels and gets memory, and says nothing of the others, of which every eighth is timed.
        timed = (calls > 0 or shape in self.warm) and (shape not in self.timed or calls % 8 == 1)
        begin = self.time_now() if timed else 0.0
        nll, sums = score_rows(self.evaluated, self.scored_at, self.clock, places, scored, adapter)
        self.sums += sums
        if begin:
            seconds, times = self.timed.get(shape, (0.0, 0))
            self.timed[shape] = (seconds + self.time_now() - begin, times + 1)
            expected = self.forecast()
            if self.planned and expected is not None and not self.told:
                self.told = True
                self.evaluated.log(f"eval: scoring the rest will take about {expected:.0f} s")
        return Scored(nll, places[:, 1:])

    def time_now(self) -> float:
        """Real time, once the device has done what it was given."""
        self.sums.cpu()
        return time.perf_counter()

    def forecast(self, more: int = 0) -> float | None:
        """Seconds that this rank will take to score what is left of the plan, and so many more places; None if unknown.

        A shape takes as long as it took, or one that was not timed yet as long as the next larger one. Nothing is concluded
        from smaller ones: short rows cost more for a place than long ones, many times as much where launching takes the time.
        """
        total = 0.0
        for shape, calls in self.planned.items():
            left = calls - self.done.get(shape, 0)
            if left > 0:
                seconds = self.seconds_of(shape[0] * shape[1])
                if seconds is None:
                    return None
                total += left * seconds
        if more:
            largest = max(self.timed, key=lambda shape: shape[0] * shape[1], default=None)
            if largest is None:
                return None
            seconds, times = self.timed[largest]
            total += more * seconds / times / (largest[0] * largest[1])
        return total

    def seconds_of(self, size: int) -> float | None:
        """Mean seconds of the smallest timed shape that has so many targets or more."""
        large = [shape for shape in self.timed if shape[0] * shape[1] >= size]
        if not large:
            return None
        seconds, times = self.timed[min(large, key=lambda shape: shape[0] * shape[1])]
        return seconds / times

    def may_learn(self, more: int = 0) -> bool:
        """Whether the rest of the scoring still fits into the time left after learning that costs as much as `more` places.

        While it is not known how long that takes, there is time until all of it is over. When learning ends, and when it begins
        again because the rest turned out to take clearly less, the log says so.
        """
        left, rest = self.seconds_left(), self.forecast(more)
        needed = 0.0 if rest is None else rest
        fits = left > 0 and needed < (left if self.learning else 0.9 * left)
        if fits != self.learning:
            self.learning = fits
            what = "learning again" if fits else "no more learning"
            self.evaluated.log(f"eval: {what}: scoring the rest takes about {needed:.0f} s, {left:.0f} s are left")
        return fits

    def all_may_learn(self, more: int) -> bool:
        """`may_learn` on every rank; waits for all of them."""
        return max_over_ranks(not self.may_learn(more), self.evaluated.world) == 0

    def rehearse(self, shapes: list[tuple[int, int]], adapter: Adapter | None = None, dynamic: bool = False) -> None:
        """Where the model is compiled, compile it for each (rows, width), on zeros; then time begins.

        With an adapter, forward and backward, unless gradients are off. What is `dynamic` is compiled for any other width, too.
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
                with torch.set_grad_enabled(adapter is not None and torch.is_grad_enabled()):
                    nll = session.forward(ids, targets, phases=phases, fields=fields, reduction="none", adapter=adapter)
                if nll.requires_grad:
                    nll.sum().backward()
                self.warm.add(shape)
            # What is compiled has run only when the device says so.
            self.sums.cpu()
            seconds = time.perf_counter() - self.begin
            session.log(f"eval: compiled {len(shapes)} shapes in {seconds:.0f} seconds")
            self.begin = time.perf_counter()

    def check_rows(self, places: Tensor, scored: Tensor) -> None:
        """Refuse targets that were scored before, and rows in which one could be given what lies after it."""
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

    def replay(self, places: Tensor, adapter: Adapter | None = None, **fields: object) -> Scored:
        """Run the model again over rows whose targets are all scored, to learn from them; counts for nothing.

        Args:
            places: (B,T+1) int64 on the CPU, in any order; the first of a row is only ever given.
            adapter: acts in this forward.
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
            adapter=adapter,
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
