import pytest
import torch
from pipeline_vectors import load_case
from simulated import scalars

from pgolf import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.settings import SettingsView
from pgolf_plugins.optimizer.stochastic_weight_average import StochasticWeightAverage, average


def run(case):
    """The average of the case's snapshots, and the steps at which one was taken."""
    live = {name: torch.nn.Parameter(history[0].clone()) for name, history in case.inputs.items()}
    tensors, found, ledger, taken = list(live.values()), None, Ledger(), []
    found = StochasticWeightAverage(case.params["start_frac"], case.params["every"])
    found.start(tensors, [(name,) for name in live])
    for index, (step, multiplier) in enumerate(zip(case.params["step"], case.params["mul"], strict=True)):
        for name, tensor in live.items():
            tensor.data.copy_(case.inputs[name][index])
        before = found.count
        found.update(tensors, step, scalars(lr_mul=multiplier))
        taken += [step] * (found.count - before)
    found.apply(tensors, ledger)
    return live, taken, ledger


def test_snapshots_follow_the_vectors():
    case = load_case("V2_swa_pr162")
    live, taken, ledger = run(case)
    assert taken == case.outputs["steps_used"].tolist() and len(taken) == int(case.outputs["count"])
    torch.testing.assert_close(live["w"].detach(), case.outputs["avg:w"], rtol=1e-6, atol=1e-7)
    assert ledger.receipt("stochastic_weight_average") == f"{len(taken)} snapshots"


def test_a_bfloat16_tensor_is_the_rounded_mean_of_its_snapshots():
    """The public sum rounds after every snapshot; this one rounds once."""
    case = load_case("V2_swa_pr162")
    live, taken, _ = run(case)
    rows = [case.params["step"].index(step) for step in taken]
    exact = case.inputs["emb_bf16"][rows].double().mean(0)
    assert live["emb_bf16"].dtype == torch.bfloat16
    torch.testing.assert_close(live["emb_bf16"].detach(), exact.bfloat16(), rtol=0, atol=0)
    public = (case.outputs["avg:emb_bf16"].double() - exact).abs().max()
    assert (live["emb_bf16"].double() - exact).abs().max() <= public


def test_no_snapshot_keeps_the_last_weights_and_starting_again_forgets():
    tensor, found, ledger = torch.nn.Parameter(torch.ones(2)), StochasticWeightAverage(0.5, 10), Ledger()
    found.start([tensor], [("w",)])
    found.update([tensor], 10, scalars(lr_mul=0.4))
    found.start([tensor], [("w",)])
    tensor.data.fill_(5.0)
    found.update([tensor], 10, scalars(lr_mul=0.5))
    found.update([tensor], 11, scalars(lr_mul=0.4))
    found.apply([tensor], ledger)
    assert torch.equal(tensor.detach(), torch.full((2,), 5.0))
    assert not ledger.receipt("stochastic_weight_average")


def test_a_start_at_which_none_is_ever_due_is_refused():
    with pytest.raises(PgolfError, match="no snapshot is ever due"):
        average(SettingsView({"swa_start_frac": 0.0, "swa_every": 50}, {"stochastic_weight_average"}))
