"""After training: checkpoint, quantize, compress, decode into a fresh model, score, receipts."""

import time
from pathlib import Path

import torch

from pgolf.runtime.calibrate import collect_hessians
from pgolf.runtime.distributed import barrier
from pgolf.runtime.evaluate import chunk_spans
from pgolf.runtime.export import decode_model, encode_model, pack_artifact, unpack_artifact, write_artifact
from pgolf.runtime.log import code_bytes
from pgolf.runtime.parameters import canonical_state, stored_state


def artifact_format(program):
    """Name of the matrices' grid, e.g. "int8"; it is part of file names and log lines."""
    return program.tensor_recipes["mlp"].name


def export_and_score(session):
    """Save the trained weights, write the artifact on rank 0, and score what decodes from it on every rank."""
    program, log, model = session.program, session.log, session.model
    state = canonical_state(dict(model.state_dict()), session.parameters)
    if session.world.rank == 0:
        torch.save(state, "final_model.pt.tmp")
        Path("final_model.pt.tmp").replace("final_model.pt")
    score = session.validate()
    log(
        f"diagnostic pre-quantization post-ema val_loss:{score.val_loss:.8f} val_bpb:{score.val_bpb:.8f} "
        f"eval_time:{score.eval_ms:.0f}ms"
    )
    name = artifact_format(program)
    path = f"final_model.{name}.ptz"
    hessians = {}
    if program.calibration_source is not None:
        hessians = collect_hessians(session)
    if session.world.rank == 0:
        raw_bytes = Path("final_model.pt").stat().st_size
        log(f"Serialized model: {raw_bytes} bytes")
        begin = time.perf_counter()
        encoded = encode_model(state, session.parameters, program, hessians, session.ledger)
        data = pack_artifact(encoded, program, session.ledger)
        write_artifact(path, data)
        suffix = f"{name}+{program.entropy_coder.name}"
        log(f"Code size: {code_bytes()} bytes")
        log(f"Serialized model {suffix}: {len(data)} bytes")
        log(f"Total submission size {suffix}: {len(data) + code_bytes()} bytes")
        log(f"serialize_time:{1000.0 * (time.perf_counter() - begin):.0f}ms")
    barrier(session.world)
    load_artifact(session, path)
    final_scores(session)


@torch.no_grad()
def load_artifact(session, path):
    """Overwrite every tensor of the model: first with zeros, so that nothing trained can remain, then decoded."""
    model, parameters = session.model, session.parameters
    for tensor in model.parameters():
        tensor.zero_()
    encoded = unpack_artifact(Path(path).read_bytes(), parameters, session.program)
    live = dict(model.state_dict())
    decoded = stored_state(
        decode_model(encoded, canonical_state(live, parameters), parameters, session.program), parameters
    )
    for name, tensor in live.items():
        tensor.copy_(decoded[name])


def final_scores(session):
    """Score the decoded weights: in windows side by side, then with the chosen windows and adapter."""
    program, model = session.program, session.model
    name = artifact_format(program)
    count, phases = len(session.scorer.tokens), session.scoring_phases()
    model.eval()
    score = session.scorer.score(session.forward, chunk_spans(count, session.seq_len), phases)
    log_final(session, f"final_{name}_{program.entropy_coder.name}_roundtrip", score)
    if program.windows.label or program.adapter is not None:
        if program.adapter is not None:
            program.adapter.open(model)
        spans = program.windows.spans(count, session.seq_len)
        score = session.scorer.score(session.forward, spans, phases, program.adapter)
        label = program.windows.label or "adapted"
        log_final(session, f"final_{name}_{label}", score)
    session.ledger.count(program.windows.name, "targets", score.tokens)


def log_final(session, label, score):
    """A final line with four digits and its exact twin, as the public scripts print them."""
    session.log(f"{label} val_loss:{score.val_loss:.4f} val_bpb:{score.val_bpb:.4f} eval_time:{score.eval_ms:.0f}ms")
    session.log(f"{label}_exact val_loss:{score.val_loss:.8f} val_bpb:{score.val_bpb:.8f}")


def score_artifact(session):
    """Score the artifact in the working directory, with every phase of the finished model on."""
    session.phases = tuple(spec.name for spec in session.program.phases)
    load_artifact(session, f"final_model.{artifact_format(session.program)}.ptz")
    final_scores(session)


def report_receipts(session):
    """Log one receipt per plugin; returns the plugins that did nothing, each with an error line.

    A plugin whose phase never began did nothing, whatever the probe counted.
    """
    lines, idle = session.ledger.lines(session.program.plugins)
    late = [spec.plugin for spec in session.program.phases if spec.name not in session.phases]
    for line in lines:
        if line.split(":")[0].split(" ")[1] not in late:
            session.log(line)
    idle = sorted(idle + late)
    if session.world.rank == 0:
        for name in idle:
            session.log(f"error: plugin {name} was selected and did nothing in this run")
        return idle
    return []
