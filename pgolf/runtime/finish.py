"""After training: checkpoint, quantize, compress, decode into a fresh model, score, receipts."""

from __future__ import annotations

import hashlib
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from pgolf.runtime.calibrate import collect_statistics
from pgolf.runtime.distributed import max_over_ranks
from pgolf.runtime.evaluate import chunk_spans, run_evaluation, score_spans
from pgolf.runtime.export import decode_model, encode_model, pack_artifact, unpack_artifact
from pgolf.runtime.log import code_bytes
from pgolf.runtime.parameters import canonical_state
from pgolf.runtime.tally import write_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from torch import Tensor

    from pgolf.contracts.quantizer import Statistics
    from pgolf.runtime.program import Program
    from pgolf.runtime.session import Session
    from pgolf.runtime.tally import Score

CHECKPOINT = "final_model.pt"
# What export needs besides the weights: statistics, receipts, phases, whether the run has failed, its clock.
EXPORT_STATE = "final_export.pt"


def grid_name(program: Program) -> str:
    """Name of the matrices' grid, e.g. "int8"; it is part of file names and log lines."""
    return program.tensor_recipes["mlp"].name


def artifact_path(program: Program) -> Path:
    """The artifact in the working directory."""
    return Path(f"final_model.{grid_name(program)}.ptz")


def export_and_score(session: Session, step: int) -> None:
    """Checkpoint, calibrate, and make and score the artifact.

    The weights are on disk before anything that can fail, and what export needs besides before quantization.

    Args:
        step: steps that were trained.
    """
    state = canonical_state(session.model.state_dict(), session.parameters)
    for fold in session.program.folds:
        fold(state, session.ledger)
    if session.world.rank == 0:
        # One that is there belongs to other weights.
        Path(EXPORT_STATE).unlink(missing_ok=True)
        write_file(partial(torch.save, state), CHECKPOINT)
    if session.program.train_fits:
        session.program.clock.start()
        fit_on_training(session)
        check_clock(session, step)
        session.stages.end("fit", "train")
        if session.world.rank == 0:
            write_file(partial(torch.save, state), CHECKPOINT)
    statistics = calibrate(session, step)
    if session.world.rank == 0:
        found = (statistics, session.ledger.done, session.phases, session.failed, session.stages.begin_ms)
        write_file(partial(torch.save, found), EXPORT_STATE)
    export_weights(session, state, statistics)


def export_weights(session: Session, state: Mapping[str, Tensor], statistics: Statistics) -> None:
    """Score the trained weights, write the artifact on rank 0, and score what decodes from it on every rank."""
    score = session.validate()
    session.stages.end("diagnostic", "val")
    session.log(
        f"diagnostic pre-quantization post-ema val_loss:{score.val_loss:.8f} val_bpb:{score.val_bpb:.8f} "
        f"eval_time:{score.eval_ms:.0f}ms"
    )
    if session.world.rank == 0:
        export_model(session, state, statistics)
    # No rank reads the artifact before rank 0 has written it.
    max_over_ranks(0.0, session.world)
    score_artifact(session)


def write_file(write: Callable[[Path], object], path: str | Path) -> None:
    """`write(unfinished)` makes a file, which is on the disk when it gets its name; if it fails, nothing stays."""
    unfinished = Path("final_model.tmp")
    try:
        write(unfinished)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def export_checkpoint(session: Session) -> None:
    """Go on where a run ended after training: the saved weights become the artifact. Reads no training data.

    Raises:
        OSError: for a file that is not there.
        ValueError: for one that is damaged, or of another model.
    """
    state = canonical_state(session.model.state_dict(), session.parameters)
    weights = read_file(CHECKPOINT, session)
    found = read_file(EXPORT_STATE, session)
    wrong = [name for name in state if name not in weights or weights[name].shape != state[name].shape]
    if wrong:
        raise ValueError(f"{CHECKPOINT} is of another model: {wrong[0]} is missing or has another shape")
    for name, tensor in state.items():
        tensor.copy_(weights[name])
    statistics, receipts, session.phases, session.failed, session.stages.begin_ms = found
    session.ledger.done.update(receipts)
    session.stages.set_clock(session.stages.begin_ms)
    export_weights(session, state, statistics)


def read_file(path: str, session: Session) -> Any:
    """What a run has saved, on the device; ValueError where it is damaged."""
    try:
        return torch.load(path, session.world.device, weights_only=True)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is damaged: {str(error)[:99]!r}") from error


def calibrate(session: Session, step: int) -> Statistics:
    """Input statistics of the trained weights by canonical name, {} without a source.

    A source that reads training data runs while the clock does. For any other the clock has stopped, and training data are
    closed then; they are for all that follows.
    """
    source = session.program.calibration_source
    statistics: Statistics = {}
    if session.program.calibration_source is not None:
        session.training_data = source.reads == "train"  # type: ignore[union-attr]
        if session.training_data:
            session.program.clock.start()
        statistics, batches = collect_statistics(session)
        if session.training_data:
            check_clock(session, step)
        session.stages.end("calibration", (source.reads or "none") + f" batches:{batches}")  # type: ignore[union-attr]
    session.training_data = False
    return statistics


def fit_on_training(session: Session) -> None:
    """Tensors that are set from training text."""
    session.model.eval()
    for fit in session.program.train_fits:
        fit(session)
    session.model.train()


def check_clock(session: Session, step: int) -> None:
    """Stops the clock that ran while training data were read: a part of training time; the run fails where it is too late."""
    clock, budget = session.program.clock, 1000.0 * session.env.max_wallclock_seconds
    # Pausing waits for the GPU.
    clock.pause(session.ledger)
    clock.start()
    elapsed_ms = max_over_ranks(clock.elapsed_ms(step), session.world)
    session.stages.set_clock(elapsed_ms)
    if 0 < budget < elapsed_ms:
        session.fail(
            f"what reads training data ended at {elapsed_ms:.0f}ms, after the {budget:.0f}ms of "
            "max_wallclock_seconds: build with more time in reserve"
        )


def export_model(session: Session, state: Mapping[str, Tensor], statistics: Statistics) -> None:
    """Quantize the canonical `state`, write the artifact, complete when it gets its name, and log the sizes."""
    program = session.program
    encoded = encode_model(state, session.parameters, program, statistics, session.ledger, code_bytes())
    session.stages.end("quantize", "none")
    data = pack_artifact(encoded, program, session.ledger)
    session.stages.end("compress", "none")
    write_file(partial(Path.write_bytes, data=data), artifact_path(program))
    label = f"{grid_name(program)}+{program.entropy_coder.name}"
    session.log(
        f"Serialized model: {Path(CHECKPOINT).stat().st_size} bytes\nCode size: {code_bytes()} bytes\n"
        f"Serialized model {label}: {len(data)} bytes\n"
        f"Total submission size {label}: {len(data) + code_bytes()} bytes"
    )


def load_artifact(session: Session) -> None:
    """Overwrite every tensor of the model: first with zeros, so that nothing trained can remain, then decoded.

    The log gets the hash of what was read. To be scored alone, an artifact must be one of those that the logs here are of,
    if any of them says: not every coder has a checksum.

    Raises:
        ValueError: for another artifact, or one that cannot be decoded.
    """
    parameters, program = session.parameters, session.program
    state = canonical_state(session.model.state_dict(), parameters)
    for tensor in state.values():
        tensor.zero_()
    data = artifact_path(program).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if session.env.score:
        logged = "".join(path.read_text() for path in Path("logs").glob("*.txt"))
        if "artifact_sha256:" in logged and digest not in logged:
            raise ValueError("the artifact is not that of the logs in logs/")
    session.log("artifact_sha256:" + digest)
    decode_model(unpack_artifact(data, state, program), state, parameters, program)
    for fold in session.program.folds:
        fold.restore(state)


def score_artifact(session: Session) -> None:
    """Score the decoded artifact: in windows side by side, then with the chosen windows, then by the evaluation.

    The score ledger beside the log is that of the last one.
    """
    program = session.program
    grid = grid_name(session.program)
    if session.world.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    load_artifact(session)
    session.stages.end("decode", "none")
    if program.stream_fields:
        session.open_stream_fields()
        session.stages.end("fields", "val")
    # Where an evaluation makes the score, no other walk uses the graph of this one; to compile it takes longer than it saves.
    eager = program.evaluation is not None and not program.windows.label
    score, marks = score_spans(session, chunk_spans(len(session.tokens), session.seq_len), eager)
    session.stages.end("score", "val")
    log_final(session, f"{grid}_{program.entropy_coder.name}_roundtrip", score)
    if program.windows.label:
        score, marks = score_spans(session, program.windows.spans(len(session.tokens), session.seq_len))
        session.stages.end("score", "val")
        log_final(session, f"{grid}_{program.windows.label}", score)
    write_marks(session, marks)
    session.ledger.count(program.windows.name, "targets", score.tokens)
    if program.evaluation is not None:
        score = run_evaluation(session)
        session.stages.end("adapt", "val")
        log_final(session, f"{grid}_{program.evaluation.label}", score)
    session.log(f"eval: peak memory allocated: {torch.cuda.max_memory_allocated() >> 20} MiB")


def log_final(session: Session, label: str, score: Score) -> None:
    """A final line with four digits and its exact twin, as the public scripts print them."""
    session.log(
        f"final_{label} val_loss:{score.val_loss:.4f} val_bpb:{score.val_bpb:.4f} eval_time:{score.eval_ms:.0f}ms\n"
        f"final_{label}_exact val_loss:{score.val_loss:.8f} val_bpb:{score.val_bpb:.8f}"
    )


def report_receipts(session: Session) -> bool:
    """Log one receipt per plugin, an error line for those that did nothing; returns whether any did nothing.

    A plugin whose phase never began did nothing, whatever the probe counted. What ranks but the first did is not all
    that was done, so they have no say. A fallback may find nothing left. An artifact that is scored alone says nothing of
    plugins that had nothing to count in that: what they do is done before.
    """
    late = [spec.plugin for spec in session.program.phases if spec.name not in session.phases]
    counted = [plugin for plugin, _ in session.ledger.done]
    idle = False
    for name in session.program.plugins:
        receipt = session.ledger.receipt(name)
        if session.program.fallbacks and name in session.program.fallbacks:
            receipt = receipt or "nothing was left"
        if session.env.score and name not in counted:
            continue
        if receipt and name not in late:
            session.log(f"receipt {name}: {receipt}")
        else:
            session.log(f"error: plugin {name} did nothing")
            idle = session.world.rank == 0
    return idle
