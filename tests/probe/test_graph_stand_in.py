"""CUDA graphs: a replay does again what was captured, with what its inputs hold now, and scores are followed through it."""

import numpy as np
import pytest
from probe_runs import run_lines  # noqa: F401

TEXT = """
import glob, torch, numpy as np
import torch.nn.functional as F
tokens = torch.from_numpy(np.fromfile(glob.glob("data/datasets/*/fineweb_val_*.bin")[0], "<u2", offset=1024).astype(np.int64))
torch.manual_seed(0)
vocab_size = 1024
table = torch.randn(vocab_size, vocab_size, device="cuda")
x, y = torch.zeros(64, dtype=torch.int64, device="cuda"), torch.zeros(64, dtype=torch.int64, device="cuda")
graph = torch.cuda.CUDAGraph()
with torch.cuda.stream(torch.cuda.Stream()), torch.cuda.graph(graph):
    nll = F.cross_entropy(table[x], y, reduction="none")
total, wanted, count = 0.0, 0.0, 0
for start in range(0, 1536, 64):
    x.copy_(tokens[start : start + 64])
    y.copy_(tokens[start + 1 : start + 65])
    graph.replay()
    total += nll.sum().item()
    wanted += F.cross_entropy(table[x], y, reduction="sum").double().item()
    count += 64
assert abs(total - wanted) < 1e-2, (float(total), float(wanted))
print(f"val_loss:{total / count:.6f}")
"""


@pytest.mark.ci
def test_a_captured_loss(run_lines):  # noqa: F811
    base = run_lines(TEXT)
    assert base.error == "" and np.array_equal(base.claim.positions, np.arange(1, 1537))
