import pytest
import torch
from pipeline_vectors import load_case
from simulated import scalars

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer.ema import Ema
from pgolf_plugins.optimizer.no_average import NoAverage


def test_average_of_five_steps():
    case, ledger = load_case("V1_ema_a"), Ledger()
    live = {name: torch.nn.Parameter(history[0].clone()) for name, history in case.inputs.items()}
    ema = Ema(case.params["decay"])
    ema.start(list(live.values()), [(name,) for name in live])
    for step in range(1, 6):
        for name, tensor in live.items():
            tensor.data.copy_(case.inputs[name][step])
        ema.update(list(live.values()), step, scalars())
        for name, shadow in zip(live, ema.shadow, strict=True):
            torch.testing.assert_close(shadow, case.outputs[f"E{step}:{name}"], rtol=1e-6, atol=1e-7)
    ema.apply(list(live.values()), ledger)
    for name, tensor in live.items():
        assert tensor.dtype == case.inputs[name].dtype
        torch.testing.assert_close(tensor.detach(), case.outputs[f"loaded:{name}"], rtol=1e-6, atol=1e-7)
    assert ledger.receipt("ema") == "5 updates"


def test_closed_form():
    """E_n = d^n W_0 + (1 - d) sum d^(n-k) W_k."""
    values, decay = [1.0, 4.0, -2.0, 8.0], 0.75
    tensor = torch.nn.Parameter(torch.tensor([values[0]]))
    ema = Ema(decay)
    ema.start([tensor], [("w",)])
    for value in values[1:]:
        tensor.data.fill_(value)
        ema.update([tensor], 1, scalars())
    expected = decay**3 * values[0] + 0.25 * sum(decay ** (3 - k) * values[k] for k in (1, 2, 3))
    assert ema.shadow[0].item() == pytest.approx(expected)


def test_starting_again_forgets():
    tensor, ema = torch.nn.Parameter(torch.ones(2)), Ema(0.5)
    ema.start([tensor], [("w",)])
    tensor.data.fill_(5.0)
    ema.update([tensor], 1, scalars())
    ema.start([tensor], [("w",)])
    assert torch.equal(ema.shadow[0], torch.full((2,), 5.0)) and ema.updates == 0


def test_no_average_keeps_the_last_weights():
    tensor, average, ledger = torch.nn.Parameter(torch.ones(2)), NoAverage(), Ledger()
    average.start([tensor], [("w",)])
    tensor.data.fill_(5.0)
    average.update([tensor], 1, scalars())
    average.apply([tensor], ledger)
    assert torch.equal(tensor.detach(), torch.full((2,), 5.0))
    assert ledger.receipt("no_average") == "last weights"
