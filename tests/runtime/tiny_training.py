"""The runtime's own step and warm-up on a tiny model whose gradients add up exactly; as a script, one rank of several.

The loss is the product of every weight with integers that depend on the step, the micro-batch and the weight's canonical
name. Sums over micro-batches are then exact, in bfloat16 too, in whatever order and on whatever ranks they are taken.
"""

import hashlib
import sys
from functools import partial
from types import SimpleNamespace

import torch

from pgolf.runtime.distributed import MICRO_BATCHES, World, start_world, stop_world
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.optimize import CompiledOrthogonalizer, Optimizers
from pgolf.runtime.parameters import canonical_state, initialize, normal, ones, register_parameters
from pgolf.runtime.progress import Scalars
from pgolf.runtime.records import Group, Param, Phase
from pgolf.runtime.train import run_step
from pgolf.runtime.warmup import warm_up
from pgolf_plugins.optimizer.adam import ElementAdam
from pgolf_plugins.optimizer.adam_stream import SideStream
from pgolf_plugins.optimizer.muon import Muon
from pgolf_plugins.optimizer.newton_schulz import iterate_newton_schulz
from pgolf_plugins.optimizer.normuon import RowMoments
from pgolf_plugins.optimizer.paired_muon import PairedHeads
from pgolf_plugins.optimizer.parallel_muon import ParallelMuon
from pgolf_plugins.optimizer.split_matrix_lr import rate_by_depth

CPU, STEPS, LR = torch.device("cpu"), 10, 0.05
ALONE = World(0, 1, 0, CPU)
DOUBLED, FROZEN, DECAYED = "blocks.0.attn.c_q.weight", "blocks.1.attn.proj.weight", "blocks.2.mlp.fc.weight"


def start(tensor, generator, ledger):
    """Normal values that do not depend on the layout."""
    normal(tensor, generator, ledger, 0.5)


OTHERS = (
    Param("tok_emb.weight", (6, 4), "embed", "embed", start, "test"),
    Param("blocks.{}.attn.q_gain", (2,), "scalar", "control", ones, "test", layers=3),
)
LAYOUTS = {
    "layers": (
        *OTHERS,
        Param("blocks.{}.attn.c_q.weight", (8, 12), "matrix", "attn", start, "test", layers=3),
        Param("blocks.{}.attn.proj.weight", (8, 12), "matrix", "attn", start, "test", layers=3),
        Param("blocks.{}.mlp.fc.weight", (16, 8), "matrix", "mlp", start, "test", layers=3),
    ),
    "banks": (
        *OTHERS,
        Param(
            "qo_bank",
            (6, 8, 12),
            "matrix",
            "attn",
            (start, start),
            "test",
            members=("blocks.{}.attn.c_q.weight", "blocks.{}.attn.proj.weight"),
            reduction="sharded",
        ),
        Param(
            "mlp_bank",
            (3, 16, 8),
            "matrix",
            "mlp",
            (start,),
            "test",
            members=(DECAYED.replace("2", "{}"),),
            reduction="sharded",
        ),
    ),
}


def part(tensor, names, name):
    """The matrix `name` of a tensor, in a list of none or one."""
    return [tensor[names.index(name)] if tensor.ndim == 3 else tensor] if name in names else []


def double_gradient(tensors, names, ledger):
    """A gradient tap for one matrix."""
    for tensor, held in zip(tensors, names, strict=True):
        for gradient in part(tensor.grad, held, DOUBLED):
            gradient.mul_(2)
            ledger.count("double", "matrices")


def halve_mean(gradients, names, replicated, world, ledger):
    """A tap on mean gradients for one matrix."""
    for gradient, held in zip(gradients, names, strict=True):
        for matrix in part(gradient, held, DOUBLED):
            matrix.mul_(0.5)


def freeze_update(update, names, ledger):
    """An update tap for one matrix."""
    for matrix in part(update, names, FROZEN):
        matrix.zero_()
    return update


def halve_weight(tensor, update, names, lr, scalars, ledger):
    """An apply tap for one matrix; it sees the update."""
    for weight, change in zip(part(tensor, names, DECAYED), part(update, names, DECAYED), strict=True):
        assert change.any()
        weight.mul_(0.5)


class TinyModel(torch.nn.Module):
    """`forward(x, y, phases, fields)` where x is (step, micro-batch); a phase turns the sign of the loss."""

    def __init__(self, records, noise):
        super().__init__()
        self.records, self.noise = records, noise
        register_parameters(self, records, CPU, torch.float32)
        initialize(self, records, 1, Ledger())

    def forward(self, x, y, phases, fields):
        total = torch.zeros(())
        for name, weight in canonical_state(dict(self.named_parameters()), self.records).items():
            digest = hashlib.sha256(f"{name} {x}".encode()).digest()
            generator = torch.Generator().manual_seed(int.from_bytes(digest[:4], "little"))
            factors = torch.randint(-8, 9, weight.shape, generator=generator).float()
            if self.noise:
                factors = factors + torch.randint(-2, 3, weight.shape)
            total = total + (weight * factors).sum()
        return -total if "turned" in phases else total


class TinySession:
    """What a step and the warm-up read of a session."""

    def __init__(self, layout, world, warmup_steps=0, noise=False):
        torch.manual_seed(7)
        banks = layout == "banks"
        self.parameters, self.world, self.ledger, self.lines = LAYOUTS[layout], world, Ledger(), []
        self.model = self.forward = TinyModel(self.parameters, noise)
        self.log = self.lines.append
        self.env, self.settings = SimpleNamespace(seed=7), SimpleNamespace(warmup_steps=warmup_steps)
        self.program = SimpleNamespace(
            matrix_optimizer=(ParallelMuon if banks else Muon)(LR, 5),
            orthogonalizer=CompiledOrthogonalizer(
                "newton_schulz", partial(iterate_newton_schulz, scale_first=not banks)
            ),
            row_blocks=PairedHeads(2, 1),
            matrix_rate=partial(rate_by_depth, early=LR / 2, late=LR, split=1),
            element_stream=SideStream(),
            orthogonal_taps=(RowMoments(0.9),),
            element_optimizer=ElementAdam(0.9, 0.95, 1e-8),
            groups=(Group("embed", LR), Group("scalar", LR)),
            gradient_taps=(double_gradient,),
            mean_gradient_taps=(halve_mean,),
            forward_scalars=(),
            stream_fields=(),
            update_taps=(freeze_update,),
            apply_taps=(halve_weight,),
            phases=(Phase("turned", None, plugin="test"), Phase("scored", None, plugin="test")),
            phases_after_training=("scored",),
        )

    def open_loader(self, ledger):
        self.position = 0

    def next_batch(self, phases=None):
        rounds = MICRO_BATCHES // self.world.world_size
        step, local = divmod(self.position, rounds)
        self.position += 1
        return (step, local * self.world.world_size + self.world.rank), None, {}

    def train(self, steps=STEPS):
        """Canonical weights after warm-up and `steps` steps."""
        warm_up(self, run_step)
        optimizers = Optimizers(self.program, self.model, self.parameters, self.world)
        for _ in range(steps):
            run_step(self, optimizers, (), Scalars(1.0, 1.0, 0.9), self.ledger)
        state = canonical_state(self.model.state_dict(), self.parameters)
        return {name: tensor.clone() for name, tensor in state.items()}


@torch.enable_grad()
def train_everything(world):
    """Both layouts on this rank, and each again after a warm-up."""
    found = {}
    for layout in LAYOUTS:
        session = TinySession(layout, world)
        found[layout] = session.train()
        found[layout + " receipts"] = [session.ledger.receipt(name) for name in ("paired_muon", "double")]
        found[layout + " warm"] = TinySession(layout, world, warmup_steps=2).train()
    return found


def main(path):
    """One rank of a gloo group."""
    torch.set_num_threads(1)
    world = start_world()
    torch.save(train_everything(world), path)
    stop_world(world)


if __name__ == "__main__":
    main(sys.argv[1])
