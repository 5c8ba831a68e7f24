"""The fused MLP: its operators with the kernel's formula in plain PyTorch, the plain form, and when each is used."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from models import Case, built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.context import Context
from pgolf_plugins.architecture import fused_mlp as plugin


def product(a, b, p, slope, forward):
    """What the kernel computes, rounded where it rounds."""
    out = a @ (b.t() if forward else b)
    if forward:
        p.copy_(out)
        return torch.where(p > 0, p, slope * p) ** 2
    return out * torch.where(p > 0, 2 * p, 2 * slope**2 * p)


@pytest.fixture
def kernel(monkeypatch):
    """Puts plain PyTorch in the kernel's place, and counts its calls."""
    calls = []

    def run(*arguments):
        calls.append(arguments[-1])
        return product(*arguments)

    monkeypatch.setattr(plugin, "run_kernel", run)
    return calls


def mlp_of(model, fused):
    model.program.mlp.fused = fused
    return model.program.mlp


def context(model, training=True, phases=(), observe=None, adapter=None):
    return Context(None, phases, training, model.matrices(), {}, {}, adapter, observe, None)


@pytest.mark.parametrize("fused", [True, False])
def test_the_block_matches_the_public_script(kernel, fused):
    case = Case("unit_mlp_block", "leaky_relu2")
    model = built("fused_mlp", model_dim=24, mlp_mult=2, num_layers=2).model
    fc, proj = model.blocks[0].mlp.fc.weight, model.blocks[0].mlp.proj.weight
    with torch.no_grad():
        fc.copy_(case.inputs["up_w"])
        proj.copy_(case.inputs["down_w"])
    x = case.inputs["x"].clone().requires_grad_()
    y = mlp_of(model, fused)(model, x, 0, 0, context(model))
    (y * case.inputs["w"]).sum().backward()
    for name, found in (("y", y), ("grad_x", x.grad), ("grad_up_w", fc.grad), ("grad_down_w", proj.grad)):
        case.check(f"fused_{name}", found.detach())
    assert kernel == ([True, False] if fused else [])


@pytest.mark.parametrize("slope", [0.5, 0.0, 0.3])
def test_the_operators_are_what_torch_expects_and_their_gradient_is_right(kernel, slope):
    torch.manual_seed(1)
    x, fc, proj = (torch.randn(*size, dtype=torch.float64) for size in ((6, 4), (8, 4), (4, 8)))
    x[0] = 0  # where P is 0, so is the derivative
    given = [tensor.requires_grad_() for tensor in (x, fc, proj)]
    torch.library.opcheck(plugin.fused_mlp, (*given, slope))
    torch.library.opcheck(plugin.hidden_gradient, (torch.randn(6, 4), torch.randn(4, 8), torch.randn(6, 8), slope))
    torch.autograd.gradcheck(lambda *tensors: plugin.fused_mlp(*tensors, slope)[0], given)
    wanted = F.linear(F.leaky_relu(F.linear(x, fc), slope).square(), proj)
    torch.testing.assert_close(plugin.fused_mlp(*given, slope)[0], wanted)


def test_on_a_cpu_it_is_leaky_relu2_bit_for_bit():
    results = []
    for name in ("fused_mlp", "leaky_relu2"):
        model = scramble(built(name, negative_slope=0.3).model)
        loss = model(*tokens())
        loss.backward()
        results.append([loss.detach(), *(tensor.grad for tensor in model.parameters())])
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


@pytest.mark.parametrize("layout", [(), ("banks",)])
def test_the_fused_form_is_the_plain_one_in_both_layouts_with_weight_taps(kernel, layout):
    qat = ("bank_qat",) if layout else ()
    model = scramble(built("fused_mlp", *layout, *qat).model)
    results = []
    for fused in (False, True):
        mlp_of(model, fused)
        model.zero_grad()
        loss = model(*tokens(), phases=qat)
        loss.backward()
        results.append([loss.detach(), *(tensor.grad for tensor in model.parameters())])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    assert kernel == [True] * 4 + [False] * 4
    mlp_of(model, True)
    if qat:
        assert not torch.equal(model(*tokens(), phases=qat), model(*tokens()))


def test_scoring_calibration_and_adapters_see_both_products(kernel):
    model = scramble(built("fused_mlp").model)
    mlp, x, seen = mlp_of(model, True), torch.randn(2, 8, 64), []
    adapter = SimpleNamespace(sites=("mlp.fc",), delta=lambda x, site, position: x.new_ones(128))
    mlp(model, x, 1, 1, context(model, training=False))
    mlp(model, x, 1, 1, context(model, observe=lambda role, layer, x: seen.append((role, layer, x.shape[-1]))))
    adapted = mlp(model, x, 1, 1, context(model, adapter=adapter))
    assert seen == [("mlp.fc", 1, 64), ("mlp.proj", 1, 128)] and not kernel
    assert not torch.equal(adapted, mlp(model, x, 1, 1, context(model))) and kernel == [True]


def test_prepare_says_that_a_cpu_runs_plain_pytorch():
    model = built("fused_mlp").model
    session = SimpleNamespace(model=model, world=SimpleNamespace(device=torch.device("cpu")))
    assert model.program.mlp.prepare(session).startswith("plain PyTorch: ") and not model.program.mlp.fused


def test_one_mlp_at_a_time():
    with pytest.raises(PgolfError):
        resolved("fused_mlp", "leaky_relu2")
