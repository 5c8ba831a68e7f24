"""Training: the loop of the public baseline with its clock, schedules and phases as components."""

import os
import random
import sys

import numpy
import torch

from pgolf.runtime.distributed import max_over_ranks, start_world, stop_world
from pgolf.runtime.environment import read_environment
from pgolf.runtime.finish import export_and_score, report_receipts, score_artifact
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.log import RunLog, log_machine, peak_memory
from pgolf.runtime.optimize import Optimizers
from pgolf.runtime.progress import Scalars, measure_progress
from pgolf.runtime.session import Session
from pgolf.runtime.warmup import probe_plugins, warm_up


def train(settings, program, parameters):
    """Run the whole program: train, average, export, decode, score; or score an artifact that exists.

    Exits with status 1 when a selected plugin did nothing; the artifact and the log are complete by then.
    """
    env, world, ledger = read_environment(settings), start_world(), Ledger()
    log = RunLog(env.run_id, world.rank)
    seed_everything(env.seed, program.clock.deterministic or env.max_wallclock_seconds == 0)
    log_machine(log, world.device)
    log("plugins:" + " ".join(program.plugins))
    session, idle = open_session(settings, program, parameters, env, world, log, ledger), []
    if not env.score:
        log_header(session)
        probe_plugins(session)
        warm_up(session, run_step)
        train_loop(session)
        export_and_score(session)
        idle = report_receipts(session)
    stop_world(world)
    if idle:
        sys.exit(1)


def open_session(settings, program, parameters, env, world, log, ledger):
    """A session with its data checked, and with the artifact scored if that is all there is to do.

    What is wrong with the data or the artifact is one line and exit status 2, not a traceback.
    """
    try:
        session = Session(settings, program, parameters, env, world, log, ledger)
        if env.score:
            score_artifact(session)
        else:
            session.open_loader(ledger)
        return session
    except (OSError, ValueError) as error:
        log(f"error: {error}")
        stop_world(world)
        sys.exit(2)


def seed_everything(seed, deterministic):
    """Seeds of every generator; deterministic kernels where nothing depends on real time, so that runs can be equal."""
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True


def log_header(session):
    """The lines that log parsers read before the first step."""
    settings, env, log = session.settings, session.env, session.log
    log(f"model_params:{sum(tensor.numel() for tensor in session.model.parameters())}")
    log(f"world_size:{session.world.world_size} grad_accum_steps:{8 // session.world.world_size}")
    log(f"seed:{env.seed}")
    log(
        f"train_batch_tokens:{settings.train_batch_tokens} train_seq_len:{settings.train_seq_len} "
        f"iterations:{env.iterations} warmup_steps:{settings.warmup_steps} "
        f"max_wallclock_seconds:{env.max_wallclock_seconds:.3f}"
    )


def run_step(session, optimizers, phases, scalars, ledger):
    """Gradient accumulation over this rank's micro-steps and one optimizer step; returns the mean loss, a tensor."""
    micro_steps = 8 // session.world.world_size
    total = torch.zeros((), device=session.world.device)
    for _ in range(micro_steps):
        x, y, fields = session.next_batch()
        loss = session.forward(x, y, phases=phases, fields=fields)
        total += loss.detach() / micro_steps
        (loss / micro_steps).backward()
    optimizers.step(scalars, ledger)
    return total


def read_schedules(session, step, elapsed_ms, cap_ms):
    """The step's scalars; switches phases on as they begin."""
    progress = measure_progress(step, session.env.iterations, elapsed_ms, cap_ms)
    scalars = Scalars(1.0, 1.0, 0.0)
    for schedule in session.program.schedules:
        scalars = schedule(progress, scalars, session.ledger)
    progress = progress._replace(lr_mul=scalars.lr_mul)
    for spec in session.program.phases:
        if spec.name not in session.phases and spec.start(progress):
            session.phases = tuple(
                other.name for other in session.program.phases if other.name in session.phases or other is spec
            )
            session.ledger.note(spec.plugin, f"on at step {step}")
            session.log(f"phase {spec.name} on at step:{step} train_time:{elapsed_ms:.0f}ms")
    return scalars


def train_loop(session):
    """Steps until the iterations or the wall-clock budget are used up; averaged weights are live when it returns."""
    env, program, log, world = session.env, session.program, session.log, session.world
    optimizers = Optimizers(program, session.model, session.parameters, world)
    averaged = averaged_tensors(session)
    program.average.start(averaged)
    clock, cap_ms, step, elapsed_ms, stop_after = program.clock, 1000.0 * env.max_wallclock_seconds, 0, 0.0, -1
    clock.start()
    while True:
        last = step == env.iterations or step == stop_after
        if last or (env.val_loss_every > 0 and step % env.val_loss_every == 0):
            clock.pause(session.ledger)
            log_validation(session, step, elapsed_ms)
            clock.start()
        if last:
            break
        scalars = read_schedules(session, step, elapsed_ms, cap_ms)
        loss = run_step(session, optimizers, session.phases, scalars, session.ledger)
        program.average.update(averaged)
        step += 1
        elapsed_ms = max_over_ranks(clock.elapsed_ms(step), world)
        if env.train_log_every > 0 and (step <= 10 or step % env.train_log_every == 0):
            log_step(session, step, loss, elapsed_ms)
        if stop_after < 0 and 0 < cap_ms <= elapsed_ms:
            stop_after = step
    clock.pause(session.ledger)
    if step < env.iterations:
        log(f"stopping_early: wallclock_cap train_time:{elapsed_ms:.0f}ms step:{step}/{env.iterations}")
    allocated, reserved = peak_memory(world.device)
    log(f"peak memory allocated: {allocated} MiB reserved: {reserved} MiB")
    program.average.apply(averaged, session.ledger)


def averaged_tensors(session):
    """The live tensors whose records take part in weight averaging."""
    left_out = tuple(record.name for record in session.parameters if not record.average)
    return [tensor for name, tensor in session.model.named_parameters() if name not in left_out]


def log_step(session, step, loss, elapsed_ms):
    """One training line in the public format; a loss that is not a number stops the run before it wastes more."""
    value = loss.item()
    session.log(
        f"step:{step}/{session.env.iterations} train_loss:{value:.4f} "
        f"train_time:{elapsed_ms:.0f}ms step_avg:{elapsed_ms / step:.2f}ms"
    )
    if value != value:
        raise FloatingPointError(f"the training loss is not a number at step {step}")


def log_validation(session, step, elapsed_ms):
    """One validation line in the public format."""
    score = session.validate()
    session.log(
        f"step:{step}/{session.env.iterations} val_loss:{score.val_loss:.4f} val_bpb:{score.val_bpb:.4f} "
        f"train_time:{elapsed_ms:.0f}ms step_avg:{elapsed_ms / max(step, 1):.2f}ms"
    )
