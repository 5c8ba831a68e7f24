import zlib

import pytest
import torch
from pipeline_vectors import load_case

from pgolf import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import int8_grid
from pgolf.settings import SettingsView
from pgolf_plugins.quantizer.coarse_int8 import CoarseInt8, tensor_recipes


@pytest.mark.parametrize("name", ["Q2_coarse_step4", "Q2_coarse_step16_prune"])
def test_codes_are_those_of_the_record(name):
    case = load_case(name)
    layers = tuple(int(part) for part in case.params["layers"].split(","))
    recipe = CoarseInt8(layers, case.params["step"], int(127 * case.params["prune_ratio"]))
    for tensor, codes in case.inputs.items():
        found = recipe.coarsen(tensor, codes, Ledger())
        assert found.dtype == torch.int8 and torch.equal(found, case.outputs[tensor]), tensor


def test_listed_layers_are_multiples_and_smaller_and_others_are_the_baselines():
    weight = torch.randn(260, 260, generator=torch.Generator().manual_seed(1))
    recipe, ledger = CoarseInt8((2,), 4, 0), Ledger()
    coarse = recipe.encode("blocks.2.mlp.fc.weight", weight, {}, ledger)
    fine = recipe.encode("blocks.1.mlp.fc.weight", weight, {}, ledger)
    codes, step = int8_grid(weight)
    assert torch.equal(fine["codes"], codes) and torch.equal(fine["step"], step)
    assert ((coarse["codes"] % 4 == 0) | (coarse["codes"].abs() == 127)).all()
    sizes = [len(zlib.compress(parts["codes"].numpy().tobytes(), 9)) for parts in (coarse, fine)]
    assert sizes[0] < 0.8 * sizes[1]
    error = (recipe.decode("", coarse, torch.float32) - weight).abs().amax(1)
    # Two codes by rounding to multiples of 4 (three where 127 stands for 128), a half by rounding to a code.
    assert (error <= 2.6 * step.float()).all() and error.max() > step.float().min()
    assert ledger.receipt("coarse_int8") == "1 coarse tensors, 1 fine tensors"
    assert "kept" in recipe.encode("tok_emb.weight", weight[:2], {}, ledger)


def test_layers_are_checked():
    def made(layers):
        values = {"int4_layers": layers, "int4_step": 4, "prune_ratio": 0.1, "num_layers": 4}
        return tensor_recipes(SettingsView(values, {"coarse_int8"}))["mlp"].arguments

    assert made("") == {"layers": (0, 1, 2, 3), "step": 4, "dead": 12} and made("1, 3")["layers"] == (1, 3)
    for wrong in ("4", "x"):
        with pytest.raises(PgolfError, match="layer numbers below 4"):
            made(wrong)
