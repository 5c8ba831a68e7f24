import pytest
import torch
from pipeline_vectors import load_case

from pgolf import PgolfError
from pgolf.settings import SettingsView
from pgolf_plugins.quantizer.noisy_qat import add_noise, weight_taps


def test_values_and_gradients_are_those_of_the_fork():
    case = load_case("Q11_noisy_a")
    weight = case.inputs["W"].clone().requires_grad_()
    noisy = add_noise(weight, case.inputs["U"], 31)
    noisy.backward(case.inputs["G"])
    torch.testing.assert_close(noisy.detach(), case.outputs["W_fwd"], rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(weight.grad, case.outputs["grad"], rtol=1e-5, atol=1e-6)


def test_noise_has_the_mean_and_spread_of_a_rounding_error():
    weight = torch.full((1, 200_000), 3.1)
    weight[0, 0] = 31.0
    error = add_noise(weight, torch.rand(weight.shape, generator=torch.Generator().manual_seed(1)), 31)[0, 1:] - 3.1
    assert abs(error.mean()) < 0.005 and error.std() == pytest.approx(12**-0.5, rel=0.01)


def test_layers_are_checked():
    def tap(layers):
        values = {"noisy_qat_bits": 6, "noisy_qat_layers": layers, "num_layers": 4}
        return weight_taps(SettingsView(values, {"noisy_qat"})).arguments

    assert tap("") == {"top": 31, "layers": (0, 1, 2, 3)} and tap("1, 3")["layers"] == (1, 3)
    for wrong in ("4", "x"):
        with pytest.raises(PgolfError, match="layer numbers below 4"):
            tap(wrong)
