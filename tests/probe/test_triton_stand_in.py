"""Kernels of Triton run as they are written, and give what torch gives."""

import pytest
from probe_runs import run_lines  # noqa: F401

HEAD = "import torch, triton, triton.language as tl\nimport torch.nn.functional as F\n"
SOFTMAX = """
@triton.autotune(configs=[triton.Config({"BLOCK": 8}, num_warps=4), triton.Config({"BLOCK": 16})], key=["n"])
@triton.heuristics({"EVEN": lambda args: args["n"] % args["BLOCK"] == 0})
@triton.jit
def softmax(out, x, n, stride, BLOCK: tl.constexpr, EVEN: tl.constexpr):
    assert not EVEN and BLOCK == 8
    row = tl.program_id(0).to(tl.int64)
    best, total = -float("inf"), 0.0
    for first in range(0, n, BLOCK):
        at = first + tl.arange(0, BLOCK)
        z = tl.load(x + row * stride + at, mask=at < n, other=-float("inf"))
        new = tl.maximum(best, tl.max(z, 0))
        total = total * tl.exp(best - new) + tl.sum(tl.exp(z - new), axis=0)
        best = new
    for first in tl.static_range(0, 16, BLOCK):
        at = first + tl.arange(0, BLOCK)
        z = tl.load(x + row * stride + at, mask=at < n)
        tl.store(out + row * stride + at, tl.exp(z - best) / total, mask=at < n)
x = torch.randn(3, 13, device="cuda")
out = torch.empty_like(x)
softmax[lambda meta: (triton.cdiv(x.shape[0], 1),)](out, x, 13, x.stride(0), num_warps=2)
assert torch.allclose(out, x.softmax(-1), atol=1e-6), out
"""
PRODUCT = """
@triton.jit
def halved(x):
    return x * 0.5
@triton.jit
def product(a, b, c, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    row, column = tl.program_id(0), tl.program_id(1)
    left = tl.make_block_ptr(a, (M, K), (K, 1), (row * BM, 0), (BM, BK), order=(1, 0))
    right = tl.make_tensor_descriptor(b, [K, N], [N, 1], [BK, BN])
    acc = tl.zeros([BM, BN], dtype=tl.float32)
    for k in range(tl.cdiv(K, BK)):
        acc = tl.dot(tl.load(left, boundary_check=(0, 1)), right.load([k * BK, column * BN]), acc)
        left = tl.advance(left, (0, BK))
    rows, columns = row * BM + tl.arange(0, BM), column * BN + tl.arange(0, BN)
    tl.store(c + rows[:, None] * N + columns[None, :], halved(acc), mask=(rows[:, None] < M) & (columns[None, :] < N))
a, b = torch.randn(19, 10), torch.randn(10, 21)
c = torch.zeros(19, 21)
product.run(a, b, c, 19, 21, 10, BM=8, BN=16, BK=4, grid=(3, 2))
assert torch.allclose(c, a @ b / 2, atol=1e-5)
"""
SUMS = """
@triton.jit
def add_up(total, x, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(total + at % 2, tl.load(x + at, mask=at < n, other=0.0), mask=at < n)
x, total = torch.arange(11.0), torch.zeros(2)
add_up[(2,)](total, x, 11, BLOCK=8)
assert total.tolist() == [30.0, 25.0]
"""


@pytest.mark.ci
@pytest.mark.parametrize("text", [SOFTMAX, PRODUCT, SUMS])
def test_kernels(run_lines, text):  # noqa: F811
    assert run_lines(HEAD + text).error == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@triton.jit\ndef it(x): pass\nit(1)\n", "is called without a grid"),
        ("@triton.jit\ndef it(x): tl.sort(x)\nit[(1,)](1)\n", "triton.language.sort has no stand-in"),
        ("@triton.jit\ndef it(x): pass\nit[(10**6,)](1)\n", "1,000,000 programs"),
        ("@triton.jit\ndef it(x): pass\nit[(1,)](1, SIZE=2)\n", "it has no parameter SIZE"),
    ],
)
def test_what_it_cannot(run_lines, text, said):  # noqa: F811
    assert said in run_lines(HEAD + text).error
