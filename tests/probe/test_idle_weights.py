"""Weights of zero get values from the gradients of training text, the same ones in every execution."""

import pytest
import torch
from probe_runs import run_lines  # noqa: F401

from pgolf.probe.inside.idle_weights import graph_leaves, wake


def test_what_is_zero_as_a_whole_is_filled_alike():
    found = []
    for _ in range(2):
        idle, half, whole = torch.zeros(4, 4), torch.tensor([0.0, 1.0]), torch.ones(3)
        parts = [part.requires_grad_() for part in (idle, half, whole)]
        leaves = graph_leaves((parts[0].sum() * parts[1].sum(), parts[2].sum()))
        assert {id(leaf) for leaf in leaves} == {id(part) for part in parts}
        wake(leaves)
        assert half.tolist() == [0.0, 1.0] and whole.tolist() == [1.0, 1.0, 1.0]
        found.append(idle.detach().clone())
    assert torch.equal(*found) and (found[0].abs() > 1 / 254).float().mean() > 0.5, (
        "as coarse as int8 of public scripts"
    )


def test_numbers_and_what_is_no_leaf_stay():
    steps = torch.zeros(2, dtype=torch.int64)
    wake([steps, torch.zeros(0)])
    assert steps.tolist() == [0, 0]
    weight = torch.zeros(2, requires_grad=True)
    assert [id(leaf) for leaf in graph_leaves((weight * 2).sum())] == [id(weight)]
    assert graph_leaves(torch.ones(1)) == []


SCRIPT = """
import glob, torch, numpy as np
import torch.nn.functional as F
weight = torch.nn.Parameter(torch.zeros(8, 8))
(torch.ones(2, 8) @ weight).square().mean().backward()
tokens = torch.from_numpy(np.fromfile(glob.glob("data/datasets/*/fineweb_val_*.bin")[0], "<u2", offset=1024).astype(np.int64))
torch.manual_seed(0)
vocab_size = 1024
adapter = torch.nn.Parameter(torch.zeros(vocab_size))
loss = F.cross_entropy(torch.randn(vocab_size, vocab_size)[tokens[:-1]] + adapter, tokens[1:])
loss.backward()
print("trained", bool(weight.any()), "adapter", bool(adapter.any()))
print(f"val_loss {loss:.6f}")
"""


@pytest.mark.ci
def test_a_script_that_trains_and_one_that_adapts(run_lines):  # noqa: F811
    """An adapter that learns from scores begins at zero, and stays what it is."""
    base = run_lines(SCRIPT)
    assert base.claim is not None and base.of("gradient") and "trained True adapter False" in base.printed, base.error
