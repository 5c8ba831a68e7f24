"""Training: the loop of the public baseline with its clock, schedules and phases as components."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import torch

from pgolf.runtime.calibrate import check_statistics
from pgolf.runtime.distributed import (
    MICRO_BATCHES,
    gather_over_ranks,
    max_over_ranks,
    start_world,
    stop_world,
)
from pgolf.runtime.environment import read_environment
from pgolf.runtime.finish import export_and_score, export_checkpoint, report_receipts, score_artifact
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.log import RunLog, log_machine
from pgolf.runtime.optimize import Optimizers
from pgolf.runtime.prepare import prepare_run
from pgolf.runtime.progress import Scalars, measure_progress
from pgolf.runtime.session import Session
from pgolf.runtime.warmup import probe_plugins, warm_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from pgolf.runtime.distributed import World
    from pgolf.runtime.environment import Environment
    from pgolf.runtime.program import Program
    from pgolf.runtime.records import Param
    from pgolf.runtime.settings import Settings


def train(
    settings: Settings,
    program: Program,
    parameters: Sequence[Param],
    prepare_components: Callable[[Session], Any],
) -> None:
    """Run the whole program: train, average, export, decode, score; or parts of it on what is there, see `Environment`.

    `prepare_components(session)` lets every component try what it will need, before anything else is done.

    Exits with status 1 when a selected plugin did nothing or calibration took too long, with the artifact and the log
    complete, and when the trained model cannot be calibrated, exported or scored, with one line and the weights on disk;
    with status 2 and one line for what is wrong before training: environment, data, machine or files.
    """
    try:
        env = read_environment(settings)
        world = start_world()
        ledger = Ledger()
        # Ranks that are started without RUN_ID name the run each for itself.
        log = RunLog(gather_over_ranks(env.run_id, world)[0], world.rank, env.export)
    except (OSError, ValueError) as error:
        # There is no log yet.
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    torch.manual_seed(env.seed)
    torch.backends.cuda.matmul.allow_tf32 = True
    if program.clock.deterministic or env.max_wallclock_seconds == 0:
        make_deterministic()
    log_machine(log, world.device)
    log("plugins:" + " ".join(program.plugins))
    session = open_session(settings, program, parameters, env, world, log, ledger, prepare_components)
    if session.training_data:
        log_header(session)
        probe_plugins(session)
        warm_up(session, run_step)
        step = train_loop(session)
        try:
            export_and_score(session, step)
        except (OSError, ValueError) as error:
            # The weights are on disk. Other ranks may wait for this one, so it leaves without them.
            log.log_error(str(error))
            sys.exit(f"error: rank {world.rank}: {error}")
    bad = report_receipts(session) or session.failed
    stop_world(world)
    if bad:
        sys.exit(1)


def open_session(
    settings: Settings,
    program: Program,
    parameters: Sequence[Param],
    env: Environment,
    world: World,
    log: RunLog,
    ledger: Ledger,
    prepare_components: Callable[[Session], Any],
) -> Session:
    """A session with its data checked, and with the artifact made or scored if that is all there is to do.

    What is wrong with the data, the machine or the files is one line and exit status 2, not a traceback. An artifact
    alone is scored with every phase of the finished model on.
    """
    try:
        if program.reserve is not None and 0 < env.max_wallclock_seconds <= program.reserve:
            raise ValueError(
                f"MAX_WALLCLOCK_SECONDS is {env.max_wallclock_seconds:g}, wanted more than the {program.reserve:g} reserved"
            )
        session = Session(settings, program, parameters, env, world, log, ledger)
        prepare_run(session, prepare_components)
        if env.export:
            export_checkpoint(session)
        elif env.score:
            session.phases = tuple(spec.name for spec in program.phases)
            score_artifact(session)
        else:
            session.open_loader(Ledger())
            if program.calibrated:
                check_statistics(session)
        return session
    except (OSError, ValueError) as error:
        log.log_error(str(error))
        # The first rank packs alone, while others wait for it: it leaves without them.
        if not env.export:
            stop_world(world)
        sys.exit(2)


def make_deterministic() -> None:
    """Deterministic kernels, where nothing depends on real time, so that runs can be equal."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)


def log_header(session: Session) -> None:
    """The lines that log parsers read before the first step."""
    settings, env, world_size = session.settings, session.env, session.world.world_size
    session.log(
        f"model_params:{sum(tensor.numel() for tensor in session.model.parameters())}\n"
        f"world_size:{world_size} grad_accum_steps:{MICRO_BATCHES // world_size}\nseed:{env.seed}\n"
        f"train_batch_tokens:{settings.train_batch_tokens} train_seq_len:{settings.train_seq_len} "
        f"iterations:{env.iterations} warmup_steps:{settings.warmup_steps} "
        f"max_wallclock_seconds:{env.max_wallclock_seconds:.3f}"
    )
    if session.program.reserve is not None and env.max_wallclock_seconds > 0:
        session.log(f"reserve_seconds:{session.program.reserve:.3f}")


def run_step(
    session: Session, optimizers: Optimizers, phases: tuple[str, ...], scalars: Scalars, ledger: Ledger
) -> Any:
    """Gradient accumulation over this rank's micro-steps and one optimizer step; returns the mean loss, a tensor."""
    micro_steps = MICRO_BATCHES // session.world.world_size
    total: Any = 0.0
    for _ in range(micro_steps):
        x, y, fields = session.next_batch(phases)
        if session.program.forward_scalars:
            fields = {**fields, **session.forward_scalars}
        loss = session.forward(x, y, phases=phases, fields=fields) / micro_steps
        total += loss.detach()
        loss.backward()
    optimizers.step(scalars, ledger)
    return total  # type: ignore[no-any-return]


def read_schedules(session: Session, step: int, elapsed_ms: float, cap_ms: float) -> Scalars:
    """The step's scalars; switches phases on as they begin, and sets what the forward reads."""
    progress = measure_progress(step, session.env.iterations, elapsed_ms, cap_ms)
    scalars = Scalars(1.0, 1.0, 0.0)
    for schedule in session.program.schedules:
        scalars = schedule(progress, scalars, session.ledger)
    for spec in session.program.phases:
        if spec.name not in session.phases and spec.start(progress._replace(lr_mul=scalars.lr_mul)):
            session.phases = tuple(
                other.name for other in session.program.phases if other.name in session.phases or other is spec
            )
            session.ledger.note(spec.plugin, f"on at step {step}")
            session.log(f"phase {spec.name} on at step:{step} train_time:{elapsed_ms:.0f}ms")
    if session.program.forward_scalars:
        for name, scalar in session.program.forward_scalars:
            session.forward_scalars[name].fill_(scalar(progress._replace(lr_mul=scalars.lr_mul)))
    return scalars


def training_budget(session: Session) -> float:
    """Milliseconds that training may take: the budget less what is reserved for later work on the clock; 0 for no limit."""
    budget = session.env.max_wallclock_seconds
    if session.program.reserve is not None and budget > 0:
        budget -= session.program.reserve
    return 1000.0 * budget  # type: ignore[no-any-return]


def train_loop(session: Session) -> int:
    """Steps until the iterations or the wall-clock budget are used up; averaged weights are live when it returns.

    Returns:
        the number of steps.
    """
    env, clock, average = session.env, session.program.clock, session.program.average
    optimizers = Optimizers(session.program, session.model, session.parameters, session.world)
    average.start(optimizers.averaged, optimizers.averaged_names)
    cap_ms = training_budget(session)
    step = 0
    elapsed_ms = 0.0
    if session.program.checkpoints is not None:
        step, elapsed_ms = session.program.checkpoints.resume(session, optimizers)
    clock.start()
    while True:
        last = step == env.iterations or 0 < cap_ms <= elapsed_ms
        if last or (env.val_loss_every > 0 and step % env.val_loss_every == 0):
            clock.pause(session.ledger)
            score = session.validate()
            log_step(session, step, f"val_loss:{score.val_loss:.4f} val_bpb:{score.val_bpb:.4f}", elapsed_ms)
            if last:
                break
            clock.start()
        scalars = read_schedules(session, step, elapsed_ms, cap_ms)
        loss = run_step(session, optimizers, session.phases, scalars, session.ledger)
        step += 1
        average.update(optimizers.averaged, step, scalars)
        elapsed_ms = max_over_ranks(clock.elapsed_ms(step), session.world)
        if env.train_log_every > 0 and (step <= 10 or step % env.train_log_every == 0):
            log_step(session, step, f"train_loss:{loss:.4f}", elapsed_ms)
            if loss != loss:
                raise ValueError("the training loss is not a number")
        if session.program.checkpoints is not None:
            session.program.checkpoints.save(session, optimizers, step, elapsed_ms)
    if step < env.iterations:
        session.log(f"stopping_early: wallclock_cap train_time:{elapsed_ms:.0f}ms step:{step}/{env.iterations}")
    allocated = torch.cuda.max_memory_allocated() >> 20
    reserved = torch.cuda.max_memory_reserved() >> 20
    session.log(f"peak memory allocated: {allocated} MiB reserved: {reserved} MiB")
    average.apply(optimizers.averaged, session.ledger)
    if session.program.phases_after_training:
        session.phases += session.program.phases_after_training
        for name in session.program.phases_after_training:
            session.log(f"phase {name} on at step:{step} train_time:{elapsed_ms:.0f}ms")
    session.stages.set_clock(elapsed_ms)
    session.stages.end("train", "train")
    return step


def log_step(session: Session, step: int, result: str, elapsed_ms: float) -> None:
    """One line of training or validation in the public format."""
    session.log(
        f"step:{step}/{session.env.iterations} {result} "
        f"train_time:{elapsed_ms:.0f}ms step_avg:{elapsed_ms / max(step, 1):.2f}ms"
    )
