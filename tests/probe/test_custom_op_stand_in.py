"""Custom operators as plain Python: results, gradients and the ways to register."""

import pytest
from probe_runs import run_lines  # noqa: F401

TEXT = """
import torch
from torch import Tensor
@torch.library.custom_op("own::cube", mutates_args=(), device_types="cuda")
def cube(x: Tensor, scale: float = 1.0) -> Tensor:
    return scale * x.bfloat16() ** 3
@cube.register_fake
def _(x, scale=1.0):
    return torch.empty_like(x)
def backward(ctx, grad):
    return grad * 3 * ctx.scale * ctx.saved_tensors[0] ** 2, None
def setup(ctx, inputs, output):
    ctx.save_for_backward(inputs[0])
    ctx.scale = inputs[1]
cube.register_autograd(backward, setup_context=setup)
x = torch.tensor([2.0, 3.0], device="cuda", requires_grad=True)
torch.ops.own.cube(x, 2.0).sum().backward()
assert x.grad.tolist() == [24.0, 54.0] and torch.ops.own.cube.default(x).tolist() == [8.0, 27.0]
@torch.library.custom_op("own::add", mutates_args={"x"})
def add(x: Tensor, y: Tensor) -> None:
    x.add_(y)
@torch.library.register_fake("own::add")
def _(x, y):
    pass
y = torch.zeros(2)
add(y, torch.ones(2))
assert y.tolist() == [1.0, 1.0]
torch.library.register_kernel("own::add", "cpu", lambda x, y: x.add_(2 * y))
add(y, torch.ones(2))
assert y.tolist() == [3.0, 3.0]
@torch.library.triton_op("own::twice", mutates_args=())
def twice(x: Tensor) -> Tensor:
    return 2 * x
assert twice(y).tolist() == [6.0, 6.0]
"""


@pytest.mark.ci
def test_operators(run_lines):  # noqa: F811
    assert run_lines(TEXT).error == ""
