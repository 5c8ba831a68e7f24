"""What training can do for the coded bytes: late changes of one training, each compared at equal bytes. Small, on a CPU.

    train_for_rate.py DATA WORK [--seeds 0,1,2] [--steps 200] [--variants plain,noise,...]

For each seed one trunk at a constant rate is trained to 3/4 of its steps; from its end every variant cools down to 0 alone:

    plain     nothing
    noise     every forward sees large matrices with uniform noise as wide as their steps (clip 12.85 of 6 bits)
    rate      gradient of price * n log2(std of a row): what the row's bits cost at steps that stay, at the quantizer's price
    decay4    four times the weight decay
    decay0    none
    ema       the average of the last steps (1 - 1/10 kept) in place of the last weights

A line for each: float BPB, and BPB and gap at 3.2 and 2.6 bits a weight (steps by "half", GPTQ, ideal entropy, by a secant).
The last lines are means of the differences to plain over the seeds and their standard errors.
"""

import argparse
import math
import os
import statistics
from pathlib import Path

from gpu_rate_distortion import PLUGINS, SETTINGS, open_data
from long_training import LongTraining, say
from rate_distortion import Bench, find_packages, open_session

SMALL = {
    **{"num_layers": 2, "model_dim": 272, "num_heads": 4, "num_kv_heads": 4, "mlp_mult": 2.0, "vocab_size": 1024},
    **{"train_batch_tokens": 2048, "train_seq_len": 128, "eval_seq_len": 128, "val_batch_size": 16384},
    **{"muon_momentum_warmup_steps": 20, "gptq_calibration_batches": 16, "sensitivity_batches": 8},
}
VARIANTS = ("plain", "noise", "rate", "decay4", "decay0", "ema")
BITS = (3.2, 2.6)
PRICE = 1e-3 / 8e6
KEEP = 0.9


class Variant(LongTraining):
    """Training with one of the variants on."""

    kind = "plain"

    def scalars(self, number, rate):
        """With another decay."""
        found = super().scalars(number, rate)
        return found._replace(weight_decay_mul={"decay4": 4.0, "decay0": 0.0}.get(self.kind, 1.0))

    def matrices(self):
        """Those that will have codes."""
        return [tensor for tensor in self.session.model.parameters() if tensor.ndim == 2 and tensor.numel() > 65536]

    def gradients(self):
        """With noise, or with the rate's share."""
        import torch

        kept = [tensor.detach().clone() for tensor in self.matrices()]
        with torch.no_grad():
            for tensor in self.matrices() if self.kind == "noise" else ():
                tensor += (torch.rand_like(tensor) - 0.5) * tensor.std(1, keepdim=True) * (12.85 / 31)
        loss = super().gradients()
        with torch.no_grad():
            for tensor, old in zip(self.matrices(), kept, strict=True):
                tensor.copy_(old)
                if self.kind == "rate":
                    tensor.grad += PRICE / math.log(2) * old / old.square().mean(1, keepdim=True)
        return loss

    def cool(self, first, last):
        """The branch of a variant; its weights."""
        average = None
        for number in range(first, last):
            self.step(number, (last - number) / (last - first))
            state = self.session.model.state_dict()
            if average is None:
                average = {name: tensor.detach().clone() for name, tensor in state.items()}
            for name, tensor in state.items():
                average[name].lerp_(tensor.detach(), 1 - KEEP)
        chosen = average if self.kind == "ema" else self.session.model.state_dict()
        return {name: tensor.detach().clone() for name, tensor in chosen.items()}


class FloatOrthogonalizer:
    """Another one in float32, since bfloat16 is slow on a CPU."""

    def __init__(self, other):
        self.name, self.iterate = other.name, other.iterate

    def __call__(self, update, names, steps):
        """As the other one."""
        return self.iterate(update.float(), steps)


def begin_session(options, seed):
    """A session of the small model."""
    from pgolf.manager import load_registry
    from pgolf.recipe import Recipe
    from pgolf.resolve import resolve

    made = resolve(Recipe("small", layers=(PLUGINS,), settings={**SETTINGS, **SMALL}), load_registry([]))
    entry = options.work / f"small{seed}.py"
    entry.write_text(made.entry)
    os.environ["SEED"] = str(seed)
    session = open_session(entry.resolve(), open_data(options, SMALL["vocab_size"]))
    session.program = session.program._replace(orthogonalizer=FloatOrthogonalizer(session.program.orthogonalizer))
    return session


def one_seed(options, seed):
    """variant -> figures."""
    session, found = begin_session(options, seed), {}
    session.program.token_loader.random.bit_generator.advance(seed)
    training = Variant(session, options.work / f"seed{seed}", ("late",), 2048)
    leave = 3 * options.steps // 4
    for number in range(leave):
        loss = training.step(number, 1.0)
    say(seed=seed, trunk=leave, loss=loss.item())
    start = training.capture()
    for kind in options.variants.split(","):
        training.put_back(start)
        training.kind = kind
        bench = Bench(session, training.cool(leave, options.steps), 8)
        found[kind] = {"float": bench.base}
        for bits in BITS:
            point, _ = bench.point(0.5, 0, bench.amount_exact(0.5, 0, bits, 4))
            found[kind] |= {f"bpb{bits}": point["val_bpb"], f"gap{bits}": point["gap"], f"bytes{bits}": point["bytes"]}
        say(seed=seed, variant=kind, **found[kind])
    return found


def main():
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "work"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--variants", default=",".join(VARIANTS))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    find_packages(options.work)
    every = [one_seed(options, int(seed)) for seed in options.seeds.split(",")]
    for kind in options.variants.split(","):
        for column in ("float", *(f"bpb{bits}" for bits in BITS)):
            away = [found[kind][column] - found["plain"][column] for found in every]
            error = statistics.stdev(away) / math.sqrt(len(away)) if len(away) > 1 else math.nan
            say(variant=kind, column=column, mean=statistics.mean(away), error=error)


if __name__ == "__main__":
    main()
