"""One point of a sweep by the live engine: the functions that a run itself calls after its training, on given weights."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pgolf.logs import parse_log
from pgolf.resolve import load_entry
from pgolf.run.launch import TORCHRUN_NAMES, smoke_threads
from pgolf.runtime.calibrate import collect_statistics
from pgolf.runtime.distributed import start_world
from pgolf.runtime.environment import read_environment
from pgolf.runtime.export import encode_model, pack_artifact
from pgolf.runtime.finish import EXPORT_STATE, artifact_path, score_artifact, write_file
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_state
from pgolf.runtime.prepare import prepare_run
from pgolf.runtime.session import Session
from pgolf.runtime.train import make_deterministic

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.quantizer import Statistics
    from pgolf.requant.checkpoint import Checkpoint
    from pgolf.run.data import DataPaths
    from pgolf.runtime.program import Program
    from pgolf.runtime.records import Param

ENTRY_NAME = "pgolf_requant_entry"
RUN_ID = "requant"
AFTER_CALIBRATION = (
    *("adapter_optimizer", "base_update", "calibrated", "corrections", "distribution_transforms", "entropy_coder"),
    *("evaluation", "fit"),
    *("forward_scalars", "grouped", "plugins", "quantization_plan", "reserve", "stream_fields", "stream_layout"),
    *("tensor_recipes", "tensor_transforms", "train_fits", "windows"),
)
"""Fields of the program that no input statistics depend on."""


@dataclass
class Opened:
    """A session with the checkpoint's weights in its model."""

    session: Session
    state: dict[str, Tensor]
    lines: list[str]


@dataclass
class Statist:
    """Input statistics of the checkpoint, collected once for all points that share a model and a source.

    Attributes:
        folder: keeps them, in the format of `final_export.pt`, so that a build can export with them.
        given: those that the run itself has saved, which win; None to collect.
    """

    checkpoint: Checkpoint
    folder: Path
    given: Statistics | None
    known: dict[str, Statistics] = field(default_factory=dict)

    def find(self, key: str, session: Session, report: Callable[[str], None]) -> Statistics:
        """The statistics for one kind of model and source."""
        if session.program.calibration_source is None:
            return {}
        if self.given is not None:
            return on_device(self.given, session)
        if key not in self.known:
            self.known[key] = self._collect(self.folder / f"{key}.{EXPORT_STATE}", session, report)
        return on_device(self.known[key], session)

    def _collect(self, path: Path, session: Session, report: Callable[[str], None]) -> Statistics:
        """Read what an earlier sweep has kept, or run the source on the weights and keep it."""
        if path.is_file():
            found: Statistics = torch.load(path, "cpu", weights_only=True)[0]
            return found
        report("calibrate")
        session.training_data = session.program.calibration_source.reads == "train"  # type: ignore[union-attr]
        if session.training_data:
            session.open_loader(Ledger())
        collected, _ = collect_statistics(session)
        session.training_data = False
        found = {name: {key: value.cpu() for key, value in one.items()} for name, one in collected.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.chdir(path.parent):
            write_file(partial(torch.save, (found, {}, session.phases, False, 0.0)), path.name)
        return found


def on_device(statistics: Statistics, session: Session) -> Statistics:
    """The same where the model is."""
    device = session.world.device
    return {name: {key: value.to(device) for key, value in one.items()} for name, one in statistics.items()}


def statistics_key(entry: str, checkpoint: Checkpoint, data: DataPaths) -> str:
    """Equal for entries whose statistics are equal: the lines of what they depend on, the weights and the data."""
    known = entry.partition("def prepare_components")[0].splitlines()
    fields = tuple(f"        {name}=" for name in AFTER_CALIBRATION)
    lines = [line for line in known if line.startswith(" ") and not line.startswith(fields)]
    text = "\n".join([checkpoint.sha256, str(data.data_path), str(checkpoint.run and checkpoint.run[1]), *lines])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextlib.contextmanager
def as_a_run(smoke: bool) -> Iterator[None]:
    """Threads, determinism, ranks and seed of a program of its own; everything is as before afterwards."""
    threads, tf32 = torch.get_num_threads(), torch.backends.cuda.matmul.allow_tf32
    deterministic, warn_only = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    hidden = {name: os.environ.pop(name) for name in TORCHRUN_NAMES if name in os.environ}
    random = torch.get_rng_state()
    if smoke:
        torch.set_num_threads(smoke_threads())
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.set_rng_state(random)
        os.environ.update(hidden)
        sys.modules.pop(ENTRY_NAME, None)


def read_parameters(entry: str) -> Sequence[Param]:
    """The parameter records of an entry module."""
    parameters: Sequence[Param] = load_entry(entry, ENTRY_NAME).make_parameters()
    del sys.modules[ENTRY_NAME]
    return parameters


def open_session(
    entry: str, data: DataPaths, checkpoint: Checkpoint, name_weights: Callable[[Any], Mapping[str, Tensor]]
) -> Opened:
    """The session of an entry module on one rank, as `export` of its built file opens it.

    Args:
        name_weights: the checkpoint's tensors by canonical name, for the entry's parameter records.

    Raises:
        OSError, ValueError: what the program itself would stop for.
    """
    torch._dynamo.reset()  # compiled code of the points before is of no more use, and counts against a limit
    module = load_entry(entry, ENTRY_NAME)
    program: Program = module.make_program()
    parameters = module.make_parameters()
    weights = name_weights(parameters)
    env = read_environment(module.SETTINGS)._replace(
        data_path=str(data.data_path), tokenizer_path=str(data.tokenizer_path), run_id=RUN_ID, export=True, score=False
    )
    torch.manual_seed(env.seed)
    torch.use_deterministic_algorithms(False)
    if program.clock.deterministic or env.max_wallclock_seconds == 0:
        make_deterministic()
    lines: list[str] = []
    session = Session(module.SETTINGS, program, parameters, env, start_world(), lines.append, Ledger())
    prepare_run(session, module.prepare_components)
    every = tuple(spec.name for spec in program.phases)
    session.phases = every if checkpoint.run is None else tuple(name for name in every if name in checkpoint.run[1])
    state = canonical_state(session.model.state_dict(), parameters)
    for name, tensor in weights.items():
        state[name].copy_(tensor)
    return Opened(session, state, lines)


def run_point(
    opened: Opened, statistics: Statistics, code_size: int, folder: Path, report: Callable[[str], None]
) -> dict[str, Any]:
    """Quantize, pack, decode and score in `folder`, which gets artifact and score ledger; returns what came out.

    Args:
        code_size: bytes of the built file.
        report: is told which stage begins.
    """
    session, seconds = opened.session, {}
    program = session.program
    report("quantize")
    begin = time.perf_counter()
    encoded = encode_model(opened.state, session.parameters, program, statistics, session.ledger, code_size)
    seconds["quantize"] = time.perf_counter() - begin
    report("compress")
    begin = time.perf_counter()
    packed = pack_artifact(encoded, program, session.ledger)
    seconds["compress"] = time.perf_counter() - begin
    report("score")
    begin = time.perf_counter()
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder):
        artifact_path(program).write_bytes(packed)
        score_artifact(session)
    seconds["score"] = time.perf_counter() - begin
    record = parse_log("\n".join(opened.lines))
    final = record.headline
    assert final is not None
    return {
        "label": final.label,
        "val_loss": float(final.val_loss),
        "val_bpb": float(final.val_bpb),
        "scores": {line.label: float(line.val_bpb) for line in record.finals if line.exact},
        "artifact_bytes": len(packed),
        "code_bytes": code_size,
        "bytes_total": len(packed) + code_size,
        "artifact_sha256": hashlib.sha256(packed).hexdigest(),
        "artifact": str(folder / artifact_path(program)),
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
        "receipts": {plugin: text for plugin in program.plugins if (text := session.ledger.receipt(plugin))},
    }
