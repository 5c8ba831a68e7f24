"""After training: checkpoint, quantize, compress, decode into a fresh model, score, receipts."""

from pathlib import Path

import torch

from pgolf.runtime.calibrate import collect_statistics
from pgolf.runtime.distributed import max_over_ranks
from pgolf.runtime.evaluate import score_spans
from pgolf.runtime.export import decode_model, encode_model, pack_artifact, unpack_artifact
from pgolf.runtime.log import code_bytes
from pgolf.runtime.parameters import canonical_state


def grid_name(program):
    """Name of the matrices' grid, e.g. "int8"; it is part of file names and log lines."""
    return program.tensor_recipes["mlp"].name


def artifact_path(program):
    """The artifact in the working directory."""
    return Path(f"final_model.{grid_name(program)}.ptz")


def export_and_score(session):
    """Save the trained weights, write the artifact on rank 0, and score what decodes from it on every rank.

    Files are complete when they get their names, and the weights are on disk before anything that can fail.
    """
    program, main = session.program, session.world.rank == 0
    raw, partial = Path("final_model.pt"), Path("final_model.tmp")
    state = canonical_state(session.model.state_dict(), session.parameters)
    if main:
        torch.save(state, partial)
        partial.replace(raw)
    score, statistics = session.validate(), {}
    session.log(
        f"diagnostic pre-quantization post-ema val_loss:{score.val_loss:.8f} val_bpb:{score.val_bpb:.8f} "
        f"eval_time:{score.eval_ms:.0f}ms"
    )
    if program.calibration_source is not None:
        statistics = collect_statistics(session)
    if main:
        encoded = encode_model(state, session.parameters, program, statistics, session.ledger)
        data = pack_artifact(encoded, program, session.ledger)
        partial.write_bytes(data)
        partial.replace(artifact_path(program))
        label = f"{grid_name(program)}+{program.entropy_coder.name}"
        session.log(
            f"Serialized model: {raw.stat().st_size} bytes\nCode size: {code_bytes()} bytes\n"
            f"Serialized model {label}: {len(data)} bytes\n"
            f"Total submission size {label}: {len(data) + code_bytes()} bytes"
        )
    # No rank reads the artifact before rank 0 has written it.
    max_over_ranks(0.0, session.world)
    score_artifact(session)


def load_artifact(session):
    """Overwrite every tensor of the model: first with zeros, so that nothing trained can remain, then decoded."""
    parameters, program = session.parameters, session.program
    state = canonical_state(session.model.state_dict(), parameters)
    for tensor in state.values():
        tensor.zero_()
    encoded = unpack_artifact(artifact_path(program).read_bytes(), state, program)
    decode_model(encoded, state, parameters, program)


def score_artifact(session):
    """Score the decoded artifact: in windows side by side, then with the chosen windows and adapter."""
    program, label = session.program, session.program.windows.label or "adapted"
    load_artifact(session)
    score = session.validate()
    log_final(session, f"{grid_name(program)}_{program.entropy_coder.name}_roundtrip", score)
    if program.windows.label or program.adapter is not None:
        if program.adapter is not None:
            program.adapter.open(session.model)
        score = score_spans(session, program.windows.spans(len(session.tokens), session.seq_len), program.adapter)
        log_final(session, f"{grid_name(program)}_{label}", score)
    session.ledger.count(program.windows.name, "targets", score.tokens)


def log_final(session, label, score):
    """A final line with four digits and its exact twin, as the public scripts print them."""
    session.log(
        f"final_{label} val_loss:{score.val_loss:.4f} val_bpb:{score.val_bpb:.4f} eval_time:{score.eval_ms:.0f}ms\n"
        f"final_{label}_exact val_loss:{score.val_loss:.8f} val_bpb:{score.val_bpb:.8f}"
    )


def report_receipts(session):
    """Log one receipt per plugin, an error line for those that did nothing; returns whether any did nothing.

    A plugin whose phase never began did nothing, whatever the probe counted. What ranks but the first did is not all
    that was done, so they have no say.
    """
    late = [spec.plugin for spec in session.program.phases if spec.name not in session.phases]
    idle = False
    for name in session.program.plugins:
        receipt = session.ledger.receipt(name)
        if receipt and name not in late:
            session.log(f"receipt {name}: {receipt}")
        else:
            session.log(f"error: plugin {name} did nothing")
            idle = session.world.rank == 0
    return idle
