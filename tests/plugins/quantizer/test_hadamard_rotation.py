from types import SimpleNamespace

import pytest
import torch

from pgolf import Param, PgolfError
from pgolf.runtime.export import decode_model, encode_model
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import zeros
from pgolf.settings import SettingsView
from pgolf_plugins.quantizer.gptq import Gptq
from pgolf_plugins.quantizer.hadamard_rotation import HadamardRotation, rotate_columns, tensor_transforms
from pgolf_plugins.quantizer.row_max import RowMax


@pytest.mark.parametrize("columns", [1, 2, 8, 24, 96])
def test_the_rotation_is_blocks_of_hadamard_matrices(columns):
    """Entry (i, j) of a block is (-1)^popcount(i & j) / sqrt(n): Sylvester's matrix, by its definition."""
    block = columns & -columns
    signs = [[(-1) ** (i & j).bit_count() for j in range(block)] for i in range(block)]
    small = torch.tensor(signs, dtype=torch.float32) / block**0.5
    whole = torch.block_diag(*[small] * (columns // block))
    matrix = torch.randn(5, columns, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(rotate_columns(matrix), matrix @ whole, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(whole @ whole, torch.eye(columns), rtol=1e-5, atol=1e-6)


def outliers():
    """A matrix some of whose weights are ten times the others'."""
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(260, 256, generator=generator)
    return weight * torch.where(torch.rand(weight.shape, generator=generator) < 0.01, 10.0, 1.0)


def error_after_export(weight, transforms):
    records = (Param("blocks.{}.mlp.fc.weight", tuple(weight.shape), "matrix", "mlp", zeros, layers=1),)
    program = SimpleNamespace(
        tensor_recipes={"mlp": RowMax(5, 65536)},
        fit=None,
        corrections=(),
        quantization_plan=(),
        tensor_transforms=transforms,
        grouped=(),
    )
    state = {"blocks.0.mlp.fc.weight": weight}
    encoded = encode_model(state, records, program, {}, Ledger())
    found = {"blocks.0.mlp.fc.weight": torch.zeros_like(weight)}
    decode_model(encoded, found, records, program)
    return (found["blocks.0.mlp.fc.weight"] - weight).square().mean().item()


def test_the_export_undoes_it_and_outliers_cost_less():
    plain, rotated = (error_after_export(outliers(), chosen) for chosen in ((), (HadamardRotation(("blocks.",)),)))
    assert rotated < 0.4 * plain


def test_the_rounding_sees_the_statistics_of_rotated_inputs():
    """gptq with them makes a smaller error, under the inputs as they are, than gptq with those of the plain inputs."""
    generator = torch.Generator().manual_seed(3)
    inputs = torch.randn(600, 256, generator=generator) @ torch.randn(256, 256, generator=generator)
    hessian, weight = inputs.T @ inputs, torch.randn(260, 256, generator=generator)
    turned, statistics = HadamardRotation(("w",)).apply(
        "w", weight, {"hessian": hessian, "factor": torch.tensor(2.0)}, Ledger()
    )
    assert statistics["factor"].item() == 2
    step = (turned.abs().amax(1) / 3).half()
    errors = []
    for known in (statistics, {"hessian": hessian}):
        codes = Gptq(64, 0.01)("w", turned, step, 3, known, Ledger())
        error = rotate_columns(codes * step.float()[:, None]) - weight
        errors.append((error @ hessian * error).sum().item())
    assert errors[0] < 0.7 * errors[1]


def test_only_large_matrices_with_the_name_are_rotated():
    transform, ledger = HadamardRotation(("blocks.",)), Ledger()
    for name, shape in (("tok_emb.weight", (300, 256)), ("blocks.0.scale", (70_000,)), ("blocks.0.w", (4, 4))):
        tensor = torch.ones(shape)
        assert transform.apply(name, tensor, {}, ledger)[0] is tensor and transform.undo(name, tensor) is tensor
    assert ledger.receipt("hadamard_rotation") == ""
    with pytest.raises(PgolfError, match="at least one beginning"):
        tensor_transforms(SettingsView({"hadamard_names": ","}, {"hadamard_rotation"}))
