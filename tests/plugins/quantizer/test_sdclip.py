"""Steps and codes of the spread recipe, classes and settings of sdclip."""

import pytest
import torch
from models import resolved
from pipeline_vectors import load_case

from pgolf.component import Component
from pgolf.errors import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import SpreadRecipe, damped_hessian, nearest_codes
from pgolf.settings import SettingsView
from pgolf_plugins.quantizer.gptq import Gptq
from pgolf_plugins.quantizer.sdclip import grid, tensor_recipes


def recipe(bits=6, sigmas=12.85, rounding=nearest_codes):
    return SpreadRecipe("sdclip", f"int{bits}", 2 ** (bits - 1) - 1, sigmas, (), rounding)


def large(rows=300, columns=300, seed=1):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", ["Q13_sdclip_b32_a", "Q15_Q19_bits8_k20_a", "Q15_Q19_bits7_k14_a"])
def test_steps_and_plainly_rounded_codes(name):
    """The golden matrices are smaller than what is quantized, so they are tiled; columns alone decide the spread."""
    case = load_case(name)
    weight, top = case.inputs["W"], case.params["clip_range"]
    bits = {31: 6, 63: 7, 127: 8}[top]
    rows = -(-65537 // weight.numel())
    parts = recipe(bits, case.params["clip_sigmas"]).encode("w", weight.repeat(rows, 1), {}, Ledger())
    assert torch.equal(parts["step"][: len(weight)], case.outputs["scale"])
    assert torch.equal(parts["codes"][: len(weight)], case.outputs["rtn_q"])


def test_the_step_by_hand():
    weight = large() * torch.logspace(-3, 1, 300)[:, None]
    parts = recipe().encode("w", weight, {}, Ledger())
    rows = weight.double()
    spread = ((rows - rows.mean(1, keepdim=True)).square().sum(1) / 299).sqrt()
    torch.testing.assert_close(parts["step"].double(), 12.85 * spread / 31, rtol=6e-4, atol=6e-8)
    error = (recipe().decode("w", parts, torch.float32) - weight).abs()
    assert (error <= 0.5001 * parts["step"].float()[:, None]).all(), "nothing is clipped at 12.85 sigmas"


def test_rows_without_spread_are_zeros_and_not_nan():
    weight = large()
    weight[3], weight[4] = 0.0, 1e-9 * weight[4]
    parts = recipe().encode("w", weight, {}, Ledger())
    assert not parts["codes"][3].any() and not parts["codes"][4].any() and (parts["step"] > 0).all()
    assert recipe().decode("w", parts, torch.float32).isfinite().all()
    hessian = {"hessian": torch.eye(300)}
    parts = recipe(rounding=Gptq(128, 0.01)).encode("w", weight, hessian, Ledger())
    assert not parts["codes"][3].any() and recipe().decode("w", parts, torch.float32).isfinite().all()


def test_small_tensors_are_kept_and_other_shapes_have_one_step():
    ledger = Ledger()
    assert recipe().encode("w", torch.ones(256, 256), {}, ledger)["kept"].dtype == torch.float16
    parts = recipe().encode("w", large().reshape(3, 100, 300), {}, ledger)
    assert parts["step"].ndim == 0 and parts["codes"].shape == (3, 100, 300)
    assert recipe().decode("w", parts, torch.bfloat16).dtype == torch.bfloat16
    assert ledger.receipt("sdclip") == "1 tensors kept, 1 tensors quantized"


def test_classes_have_bits_and_clips_of_their_own():
    """A whole mixed state: tok_emb at 7 bits, k by class, GPTQ of all, one Hessian for the four matrices."""
    case = load_case("Q17_Q20_Q21_mixed_asym")
    values = {**case.params["h"], "sdclip_classes": "attn,embed,head,mlp"}
    settings = SettingsView(values, ())
    solver = Component(Gptq, block=128, damp=0.01)
    classes = {"tok_emb.weight": "embed", "head_like.weight": "head"}
    classes |= {"blocks.0.mlp.fc.weight": "mlp", "blocks.0.attn.c_q.weight": "attn"}
    made = tensor_recipes(settings, solver, ())
    assert {key: grid(settings, key) for key in made} == {
        "attn": (6, 13.0),
        "embed": (7, 14.0),
        "head": (6, 12.85),
        "mlp": (6, 11.5),
    }
    for name, quant in classes.items():
        arguments = {**made[quant].arguments, "rounding": solver.target(**solver.arguments)}
        found = SpreadRecipe(**arguments).encode(
            name, case.inputs[f"w:{name}"], {"hessian": case.inputs["H"]}, Ledger()
        )
        assert torch.equal(found["step"], case.outputs[f"r:{name}.scale"])
        assert torch.equal(found["codes"], case.outputs[f"r:{name}.q"])


def test_damping_mends_dead_columns_first():
    hessian = torch.diag(torch.tensor([4.0, 0.0, 2.0]))
    damped, dead = damped_hessian(hessian, 0.5)
    assert dead.tolist() == [False, True, False]
    torch.testing.assert_close(damped.diagonal(), torch.tensor([4.0, 1.0, 2.0]) + 0.5 * 7 / 3)
    assert not hessian[1].any()


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"matrix_bits": 9}, "matrix_bits is 9, wanted 2 to 8"),
        ({"matrix_bits": 1}, "matrix_bits is 1, wanted at least 2"),
        ({"embed_bits": 16}, "embed_bits is 16, wanted 2 to 8"),
        ({"matrix_clip_sigmas": 0}, "matrix_clip_sigmas is 0.*, wanted more than 0"),
        ({"embed_clip_sigmas": -1}, "embed_clip_sigmas is -1"),
        ({"sdclip_classes": "attn,mpl"}, "'mpl'"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, complaint):
    with pytest.raises(PgolfError, match=complaint):
        resolved("sdclip", **settings)


def test_the_class_settings_follow_the_matrices():
    entry = resolved("sdclip", matrix_clip_sigmas=10, mlp_clip_sigmas=12).entry
    assert "sigmas=10.0" in entry and "sigmas=12.0" in entry and "sigmas=20.0" in entry
