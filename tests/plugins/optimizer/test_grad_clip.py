from types import SimpleNamespace

import torch
from pipeline_vectors import load_case

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer.grad_clip import clip_gradients, gradient_taps


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


def test_zero_is_off():
    assert gradient_taps(SimpleNamespace(grad_clip_norm=0.0)) is None
    assert gradient_taps(SimpleNamespace(grad_clip_norm=0.3)).arguments == {"max_norm": 0.3}
