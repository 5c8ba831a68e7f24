import pytest
import torch
from pipeline_vectors import load_case

from pgolf import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.settings import SettingsView
from pgolf_plugins.quantizer.magnitude_prune import MagnitudePrune, quantile, tensor_transforms


def test_weights_are_those_of_the_record():
    case, transform, ledger = load_case("Q22_magnitude_a"), MagnitudePrune(0.03), Ledger()
    for name, tensor in case.inputs.items():
        before, known = tensor.clone(), {"hessian": torch.ones(1)}
        found, statistics = transform.apply(name, tensor, known, ledger)
        assert torch.equal(found, case.outputs[name]) and statistics is known
        assert torch.equal(tensor, before) and transform.undo(name, found) is found
    assert ledger.receipt("magnitude_prune") == "1 matrices"


@pytest.mark.parametrize("share", [0.001, 0.03, 0.5, 0.999])
def test_the_quantile_is_torchs(share):
    values = torch.randn(501, 7, generator=torch.Generator().manual_seed(2)).abs()
    torch.testing.assert_close(quantile(values, share), torch.quantile(values.flatten(), share), rtol=1e-5, atol=1e-7)


def test_a_share_of_nothing_is_refused():
    with pytest.raises(PgolfError, match="more than 0"):
        tensor_transforms(SettingsView({"magnitude_prune_share": 0.0}, {"magnitude_prune"}))
