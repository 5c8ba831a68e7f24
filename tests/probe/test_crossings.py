"""Scores on their way through %, logging, JSON, lists, NumPy and back, threads, and products with learnt weights."""

import numpy as np
import pytest
from probe_runs import run_lines  # noqa: F401

HEAD = """
import glob, json, logging, math, statistics, threading, torch, numpy as np
import torch.nn.functional as F
tokens = torch.from_numpy(np.fromfile(glob.glob("data/datasets/*/fineweb_val_*.bin")[0], "<u2", offset=1024).astype(np.int64))
torch.manual_seed(0)
vocab_size = 1024
table = torch.randn(vocab_size, vocab_size)
x, y = tokens[:-1], tokens[1:]
nll = F.cross_entropy(table[x], y, reduction="none")
"""
WAYS = {
    "percent": 'print("val_loss: %8.5f after %d" % (nll.mean().item(), 3))',
    "percent of a dict": 'print("val_loss: %(loss).5f %%" % {"loss": nll.mean().item()})',
    "logging": 'logging.basicConfig(); logging.warning("val_loss: %.5f bytes %s", nll.mean().item(), 4)',
    "json": 'print(json.dumps({"step": 1, "val_loss": nll.mean().item()}))',
    "round": 'print("val_loss", round(nll.mean().item(), 5))',
    "a mean of a list": 'print(f"val_loss {np.mean(nll.tolist()):.6f}")',
    "a mean of statistics": 'print(f"val_loss {statistics.fmean(nll.tolist()):.6f}")',
    "an array of a list": 'print(f"val_loss {np.array(nll.tolist()).mean():.6f}")',
    "from NumPy": 'print(f"val_loss {torch.from_numpy(nll.numpy() * 1.0).mean().item():.6f}")',
    "a tensor of an array": 'print(f"val_loss {torch.tensor(nll.numpy()).mean():.6f}")',
    "a thread": (
        "t = threading.Thread(target=lambda: print(f'val_loss {F.cross_entropy(table[x], y):.6f}'))\nt.start()\nt.join()"
    ),
    "a view of sums": 's = torch.zeros(2); a, b = s[0], s[1]; a += nll.sum(); b += 1536\nprint(f"val_loss {s[0] / s[1]:.6f}")',
    "a product": 'm = torch.stack([nll, 2 * nll], -1) @ torch.tensor([1.0, 0.0])\nprint(f"val_loss {m.mean():.6f}")',
    "einsum": (
        'm = torch.einsum("kn,k->n", torch.stack([nll, nll]), torch.tensor([0.5, 0.5]))\nprint(f"val_loss {m.mean():.6f}")'
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_scores_are_followed(run_lines, way):  # noqa: F811
    base = run_lines(HEAD + WAYS[way])
    assert base.error == "" and base.claim is not None, base.printed
    assert np.array_equal(np.sort(base.claim.positions), np.arange(1, 1537))
    assert abs(base.claim.scores.mean() - base.claim.value) < 1e-4


@pytest.mark.ci
def test_experts_token_by_token_with_learnt_weights(run_lines):  # noqa: F811
    text = """
weights, losses = torch.zeros(2), []
for at in range(len(y)):
    experts = torch.stack([table[x[at]].softmax(-1), torch.full((vocab_size,), 1 / vocab_size)])
    share = weights.softmax(0)
    mixed = share @ experts[:, y[at]]
    losses.append(-math.log(float(mixed)))
    weights = weights + 0.1 * share * (experts[:, y[at]] / mixed - 1.0)
print(f"val_loss:{sum(losses) / len(losses):.6f}")
"""
    base = run_lines(HEAD + text)
    assert base.error == "" and np.array_equal(base.claim.positions, np.arange(1, 1537))
