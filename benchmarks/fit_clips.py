"""`fit_clips` at several targets against one clip for all matrices of the same bytes, in BPB, on one trained model.

    fit_clips.py CHECKPOINT RECIPE DATA TOKENIZER [CODES]      CODES: a folder for the codes at 12.85, for compressors.py

RECIPE is what the weights were trained with, without a quantizer; DATA has shards of a training and a validation stream. The
targets are the bytes of one clip, so that both rows of a pair have the same bytes. Prints a table for results.md.
"""

import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from pgolf.manager import load_registry
from pgolf.recipe import load_recipe
from pgolf.resolve import load_entry, resolve
from pgolf.runtime.calibrate import HessianObserver, observe_batch
from pgolf.runtime.export import decode_model, encode_model, pack_artifact
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.model import GPT
from pgolf.runtime.parameters import canonical_state, canonical_tensors, matrix_role

EXPORTER = ("gptq", "sdclip", "train_calibration", "lzma")
WINDOWS, CALIBRATION, PROGRAM = 200, 160, 12_000
Statistics = dict[str, dict[str, torch.Tensor]]


def read_tokens(folder: str, kind: str) -> torch.Tensor:
    """The first shard of a stream."""
    path = min(Path(folder).glob(f"fineweb_{kind}_*.bin"))
    return torch.from_numpy(np.fromfile(path, "<u2")[512:].astype(np.int64))


class Bench:
    """One checkpoint, its calibration and the tokens that score it."""

    def __init__(self, checkpoint: str, recipe: str, data: str, tokenizer: str) -> None:
        self.saved = torch.load(checkpoint, map_location="cpu")
        self.recipe = load_recipe(Path(recipe))
        opened = self.open(EXPORTER)
        length = opened.settings.train_seq_len
        stream = read_tokens(data, "val")[: WINDOWS * length + 1]
        self.x, self.y = stream[:-1].view(-1, length), stream[1:].view(-1, length)
        counter = opened.program.byte_counter
        counter.open(tokenizer, data, opened.settings.vocab_size, torch.device("cpu"), Ledger())
        places = torch.arange(1, self.x.numel() + 1).view(self.x.shape)
        self.bytes = int(counter.count(self.x, self.y, places).sum())
        session = SimpleNamespace(model=opened.model, program=opened.program)
        observer = HessianObserver()
        # Far from where a short training began.
        for ids in read_tokens(data, "train")[5_000_000:][: CALIBRATION * length].view(-1, length).split(32):
            observe_batch(session, ids, (), observer)
        roles = {name: matrix_role(name, record.tap) for name, _, record in canonical_tensors(opened.parameters)}
        self.statistics = {
            name: {"hessian": (observer.sums[role] / 5).float()}
            for name, role in roles.items()
            if role in observer.sums
        }
        self.floating = self.score(opened.model)

    def open(self, plugins: tuple[str, ...], **settings: Any) -> SimpleNamespace:
        """The model with the trained weights, and how it is exported."""
        chosen = {"max_wallclock_seconds": 0.0, **settings}
        module = load_entry(resolve(self.recipe.override(plugins, chosen), load_registry()).entry)
        program, parameters = module.make_program(), module.make_parameters()
        model = GPT(module.SETTINGS, program, parameters, torch.device("cpu"), torch.float32).eval()
        state = canonical_state(model.state_dict(), parameters)
        for name, tensor in state.items():
            tensor.copy_(self.saved[name])
        return SimpleNamespace(
            model=model, program=program, parameters=parameters, state=state, settings=module.SETTINGS
        )

    def score(self, model: GPT) -> float:
        """BPB."""
        nats = sum(
            model(x, y, reduction="none").sum().item() for x, y in zip(self.x.split(40), self.y.split(40), strict=True)
        )
        return nats / math.log(2) / self.bytes

    def point(self, label: str, plugins: tuple[str, ...], codes: str = "", **settings: Any) -> int:
        """A row of the table; returns the bytes of the artifact."""
        opened, ledger = self.open(plugins, **settings), Ledger()
        state = {name: tensor.clone() for name, tensor in opened.state.items()}
        encoded = encode_model(state, opened.parameters, opened.program, self.statistics, ledger, PROGRAM)
        size = len(pack_artifact(encoded, opened.program, Ledger()))
        decode_model(encoded, opened.state, opened.parameters, opened.program)
        gap = self.score(opened.model) - self.floating
        print(f"| {label} | {size:,} | {gap:+.5f} | {ledger.receipt('fit_clips')} |", flush=True)
        if codes:
            kinds = {"codes": "q", "step": "scale"}
            flat = {
                f"{name}.{kinds.get(part, part)}": value.numpy()
                for name, parts in encoded.items()
                for part, value in parts.items()
            }
            Path(codes).mkdir(parents=True, exist_ok=True)
            np.savez(Path(codes, "codes.npz"), **flat)
        return size


@torch.no_grad()
def main(checkpoint: str, recipe: str, data: str, tokenizer: str, codes: str = "") -> None:
    """Pairs of equal bytes."""
    torch.set_num_threads(1)
    bench = Bench(checkpoint, recipe, data, tokenizer)
    print(f"float {bench.floating:.5f} BPB on {bench.x.numel():,} tokens\n")
    print("| | bytes | cost, BPB | fit |\n| --- | --- | --- | --- |")
    bench.point("12.85 sigmas", EXPORTER, codes, matrix_clip_sigmas=12.85)
    for sigmas in (18.0, 25.0, 15.0):
        size = bench.point(f"{sigmas:g} sigmas", EXPORTER, matrix_clip_sigmas=sigmas)
        fitting, target = (*EXPORTER, "fit_clips"), {"fit_target_bytes": size + PROGRAM, "matrix_clip_sigmas": 12.85}
        bench.point(f"fit_clips at the bytes of {sigmas:g}", fitting, **target)


if __name__ == "__main__":
    main(*sys.argv[1:])
