"""Fused softcapped cross-entropy: the operator with the kernels' formula in plain PyTorch, the plain form, and their use."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from models import Case, built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf_plugins.architecture import fused_cross_entropy as plugin


def row_by_row(out, z, targets, cap, found, g):
    """What the kernels compute, element by element."""
    s = torch.sigmoid(2 * z / cap)
    own = torch.arange(z.size(1)) == targets[:, None]
    if g is None:
        out[1] = (2 * cap * s).logsumexp(1)
        out[0] = out[1] - 2 * cap * s[own]
    else:
        out.copy_(g[:, None] * ((2 * cap * s - found[1][:, None]).exp() - own.to(z.dtype)) * 4 * s * (1 - s))


@pytest.fixture
def kernel(monkeypatch):
    """Puts plain PyTorch in the kernels' place, and counts their calls."""
    calls = []

    def run(*arguments):
        calls.append(arguments[-1] is None)
        row_by_row(*arguments)

    monkeypatch.setattr(plugin, "run_kernel", run)
    return calls


def losses_of(fused, cap, z, targets):
    component = plugin.FusedCrossEntropy(cap)
    component.fused = fused
    ctx = SimpleNamespace(training=True, fired=lambda *_: None)
    return component(None, z[None], targets[None], "none", ctx)[0]


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("cap", [10, 30, 60])
def test_losses_and_gradients_match_the_public_script(kernel, cap, fused):
    case = Case("unit_loss", f"softcap_ce_C{cap}")
    z, targets = case.inputs["z"].requires_grad_(), case.inputs["target"].long()
    losses = losses_of(fused, float(cap), z, targets)
    losses.mean().backward()
    for form in ("", "fused_"):
        case.check(form + "loss", losses.detach())
        case.check(form + "mean_grad", z.grad)
    assert kernel == ([True, False] if fused else [])


@pytest.mark.parametrize("fused", [True, False])
def test_float32_is_close_to_the_definition_in_float64(kernel, fused):
    generator = torch.Generator().manual_seed(3)
    z = (torch.randn(40, 257, generator=generator) * 25).requires_grad_()
    exact = z.detach().double().requires_grad_()
    targets, weights = torch.randint(257, (40,), generator=generator), torch.rand(40, generator=generator)
    wanted = F.cross_entropy(30 * torch.tanh(exact / 30), targets, reduction="none")
    (wanted * weights).sum().backward()
    found = losses_of(fused, 30.0, z, targets)
    (found * weights).sum().backward()
    assert (found - wanted).abs().max() < 2e-5 and (z.grad - exact.grad).abs().max() < 1e-6


def test_the_operator_is_what_torch_expects_and_its_gradient_is_right(kernel):
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(5, 7, dtype=torch.float64, generator=generator).requires_grad_()
    targets, g = torch.tensor([0, 6, 3, 3, 1]), torch.ones(5, dtype=torch.float64)
    torch.library.opcheck(plugin.fused_loss, (z, targets, 2.0, None, None))
    found = plugin.fused_loss(z.detach(), targets, 2.0, None, None)
    checks = ("test_schema", "test_faketensor")
    torch.library.opcheck(plugin.fused_loss, (z.detach(), targets, 2.0, found, g), test_utils=checks)
    torch.autograd.gradcheck(lambda z: plugin.fused_loss(z, targets, 2.0, None, None)[0], (z,))


def test_it_trains_and_scores_like_the_capped_cross_entropy(kernel):
    plain, fused = (scramble(built(*names, logit_softcap=5).model) for names in ((), ("fused_cross_entropy",)))
    for on in (False, True):
        fused.program.loss.fused = on
        for training in (True, False):
            losses = [model.train(training)(*tokens(), reduction="none") for model in (plain, fused)]
            torch.testing.assert_close(*losses, rtol=1e-5, atol=2e-5)
            assert torch.equal(*losses) != training
    assert kernel == [True]


def test_other_losses_get_the_right_loss_from_raw_logits():
    names = ("mtp", "mtp_tied")
    plain, fused = (scramble(built(*names, *more).model) for more in ((), ("fused_cross_entropy",)))
    torch.testing.assert_close(plain(*tokens()), fused(*tokens()), rtol=1e-5, atol=2e-5)


def test_prepare_says_that_a_cpu_runs_plain_pytorch():
    component = plugin.FusedCrossEntropy(30.0)
    session = SimpleNamespace(world=SimpleNamespace(device=torch.device("cpu")))
    assert component.prepare(session).startswith("plain PyTorch: ") and not component.fused


@pytest.mark.parametrize(
    "other", ["poly_softcap", "sigmoid_rescale", "asymmetric_logits", "z_loss", "byte_weighted_loss"]
)
def test_what_needs_other_caps_or_capped_logits_is_refused(other):
    with pytest.raises(PgolfError):
        resolved("fused_cross_entropy", other)
