"""The MLP's output gate by hand, its start, and that adapters are not gated."""

import pytest
import torch
from models import built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.context import Context


@torch.no_grad()
def test_every_group_of_channels_by_hand():
    model = scramble(built("mlp_output_gate", gate_window=5).model)
    (gate,) = model.program.mlp_outputs
    y, n = torch.randn(2, 2, 7, 64, generator=torch.Generator().manual_seed(0))
    ctx = Context(None, (), True, model.matrices(), {}, {}, None, None, None)
    weight = model.blocks[2].mlp.mlp_gate_proj.weight
    want = y.clone()
    for group in range(4):
        want[..., 16 * group : 16 * group + 16] *= (2 / (1 + (-(n[..., :5] @ weight[group])).exp()))[..., None]
    torch.testing.assert_close(gate(model, y, n, 2, 2, ctx), want)


def test_it_starts_as_the_identity_and_learns():
    gated, plain = built("mlp_output_gate"), built()
    ids, targets = tokens()
    assert torch.equal(gated.model(ids, targets), plain.model(ids, targets))
    scramble(gated.model)(ids, targets).backward()
    assert gated.model.blocks[0].mlp.mlp_gate_proj.weight.grad.any()


@torch.no_grad()
def test_an_adapter_of_the_branch_is_added_after_the_gate():
    """A gate that is shut leaves what the adapter adds."""
    from pgolf.runtime.wiring import scaled_mlp

    class Adapter:
        sites = frozenset({"mlp"})

        def delta(self, x, site, position):
            return torch.full_like(x, 7.0)

    model = scramble(built("mlp_output_gate").model)
    object.__setattr__(model, "program", model.program._replace(mlp_outputs=(lambda m, y, n, *rest: 0 * y,)))
    ctx = Context(None, (), False, model.matrices(), {}, {}, Adapter(), None, None)
    found = scaled_mlp(model, torch.randn(1, 3, 64), 1, 1, ctx)
    torch.testing.assert_close(found, (7 * model.blocks[1].mlp_scale).expand(1, 3, 64))


def test_a_window_wider_than_the_stream_is_refused():
    with pytest.raises(PgolfError, match="gate_window is 65, wanted at most 64"):
        resolved("mlp_output_gate", gate_window=65)
