from functools import partial
from types import SimpleNamespace

import pytest
import torch
from pipeline_vectors import load_case
from simulated import ALONE, ThreadGroup, program, scalars

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.optimize import Optimizers
from pgolf.runtime.parameters import register_parameters, zeros
from pgolf.runtime.records import Group, Param
from pgolf_plugins.optimizer.adam import ElementAdam
from pgolf_plugins.optimizer.grad_clip import clip_gradients, clip_mean, gradient_taps, mean_gradient_taps
from pgolf_plugins.optimizer.parallel_muon import ParallelMuon


def test_each_rank_clips_its_own_gradient():
    case, ledger = load_case("O5_clip_a"), Ledger()
    clipped = {"A": [], "B": []}
    for rank in range(len(case.inputs["A"])):
        tensors = {name: torch.nn.Parameter(torch.zeros_like(case.inputs[name][rank])) for name in clipped}
        for name, tensor in tensors.items():
            tensor.grad = case.inputs[name][rank].clone()
        clip_gradients(list(tensors.values()), [(name,) for name in tensors], ledger, case.params["max_norm"])
        for name, tensor in tensors.items():
            clipped[name].append(tensor.grad)
    for name, ranks in clipped.items():
        wanted = case.outputs[f"mean_of_clipped_{name}"]
        assert (torch.stack(ranks).mean(0) - wanted).abs().max() <= 1e-5 * wanted.abs().max()
    assert ledger.receipt("grad_clip") == "4 steps"


def test_small_gradients_and_missing_ones_are_left_alone():
    small, missing = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(2))
    small.grad = torch.tensor([0.03, 0.04])
    clip_gradients([small, missing], [("small",), ("missing",)], Ledger(), 0.1)
    torch.testing.assert_close(small.grad, torch.tensor([0.03, 0.04]))
    assert missing.grad is None


def test_mixed_dtypes_share_one_norm():
    first, second = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1, dtype=torch.bfloat16))
    first.grad, second.grad = torch.tensor([3.0]), torch.tensor([4.0], dtype=torch.bfloat16)
    clip_gradients([first, second], [("first",), ("second",)], Ledger(), 1.0)
    torch.testing.assert_close(first.grad, torch.tensor([0.6]))
    torch.testing.assert_close(second.grad, torch.tensor([0.8], dtype=torch.bfloat16))


def test_of_the_mean_every_rank_clips_alike(monkeypatch):
    """Every rank holds B, and two of the six rows of A, padded to eight."""
    case = load_case("O5_clip_a")
    mean = {name: gradients.mean(0) for name, gradients in case.inputs.items()}
    rows = torch.cat([mean["A"], torch.zeros(2, 5)])

    def clip(world):
        share, whole, ledger = rows[2 * world.rank :][:2].clone(), mean["B"].clone(), Ledger()
        clip_mean([share, whole], [("a", "a"), ("b",)], [False, True], world, ledger, case.params["max_norm"])
        assert ledger.receipt("grad_clip") == "1 steps"
        return share, whole

    found = ThreadGroup(4).run(monkeypatch, clip)
    clipped = torch.cat([share for share, _ in found])
    torch.testing.assert_close(clipped[:6], case.outputs["clipped_mean_A"], rtol=1e-5, atol=0)
    assert not clipped[6:].any()
    for _, whole in found:
        torch.testing.assert_close(whole, case.outputs["clipped_mean_B"], rtol=1e-5, atol=0)


def test_small_means_are_left_alone_bit_for_bit():
    gradient = torch.tensor([0.03, 0.04])
    clip_mean([gradient], [("w",)], [True], ALONE, Ledger(), 0.1)
    assert torch.equal(gradient, torch.tensor([0.03, 0.04]))


@pytest.mark.parametrize("world_size", [1, 4])
def test_taps_get_the_mean_gradient_of_all_ranks(monkeypatch, world_size):
    """Of a bank and of what is replicated; their updates then start from the clipped mean."""
    records = (
        Param("tok_emb.weight", (3, 4), "embed", "embed", zeros, "test"),
        Param(
            "bank", (6, 8, 4), "matrix", "attn", (zeros, zeros), "test", members=("a.{}", "b.{}"), reduction="sharded"
        ),
    )
    generator = torch.Generator().manual_seed(6)
    locals_ = [[torch.randn(record.shape, generator=generator) for record in records] for _ in range(world_size)]

    def work(world):
        model, seen = torch.nn.Module(), []
        register_parameters(model, records, torch.device("cpu"), torch.float32)
        probe = program(
            matrix_optimizer=ParallelMuon(0.1, 5),
            element_optimizer=ElementAdam(0.9, 0.95, 1e-8),
            groups=(Group("embed", 0.1),),
            mean_gradient_taps=(
                partial(clip_mean, max_norm=0.5),
                lambda gradients, names, replicated, world, ledger: seen.extend((gradients, names, replicated)),
            ),
        )
        optimizers = Optimizers(probe, model, records, world)
        for parameter, gradient in zip(optimizers.tensors, locals_[world.rank], strict=True):
            parameter.grad = gradient.clone()
        optimizers.step(scalars(), Ledger())
        (bank,) = probe.matrix_optimizer.banks
        assert torch.equal(bank.momentum, seen[0][1].bfloat16())
        return [gradient.clone() for gradient in seen[0]], seen[1], seen[2]

    found = ThreadGroup(world_size).run(monkeypatch, work) if world_size > 1 else [work(ALONE)]
    sent = [[gradients[0], gradients[1].bfloat16().float()] for gradients in locals_]
    wanted = [torch.nn.Parameter(torch.zeros(record.shape)) for record in records]
    for parameter, ranks in zip(wanted, zip(*sent, strict=True), strict=True):
        parameter.grad = torch.stack(ranks).mean(0)
    torch.nn.utils.clip_grad_norm_(wanted, 0.5)
    shares = torch.cat([gradients[1] for gradients, _, _ in found])
    torch.testing.assert_close(shares[:6], wanted[1].grad)
    for gradients, names, replicated in found:
        torch.testing.assert_close(gradients[0], wanted[0].grad)
        assert names[0] == ("tok_emb.weight",) and replicated == [True, False]
    held = [name for _, names, _ in found for name in names[1]]
    assert held == ["a.0", "a.1", "a.2", "b.0", "b.1", "b.2"] + [""] * (len(held) - 6)


def clips(norm, quirk):
    """Arguments of both hooks' components."""
    settings = SimpleNamespace(grad_clip_norm=norm, quirk_clip_each_rank=quirk)
    return [component and component.arguments for component in (gradient_taps(settings), mean_gradient_taps(settings))]


def test_one_of_the_two_and_zero_is_off():
    assert clips(0.0, True) == clips(0.0, False) == [None, None]
    assert clips(0.3, True) == [{"max_norm": 0.3}, None]
    assert clips(0.3, False) == [None, {"max_norm": 0.3}]
