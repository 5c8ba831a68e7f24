import pytest
import torch
from models import built, tokens
from pipeline_vectors import load_case

from pgolf.runtime.export import decode_tensor, encode_model
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_state
from pgolf.runtime.quantize import fake_quantize
from pgolf.testing import scramble, tiny_context
from pgolf_plugins.quantizer.fp_storage import Float8, FourBits


def test_the_edges_of_e4m3():
    case = load_case("Q26_fp8_edges")
    weight = case.inputs["W"][None].repeat(2, 1)
    parts = Float8().encode("w", weight, {}, Ledger())
    inside = case.inputs["W"].abs() <= 448
    assert torch.equal(parts["float8"][0][inside], case.outputs["code"].view(torch.uint8)[inside])
    found = Float8().decode("w", parts, torch.float32)[0]
    assert torch.equal(found[inside], case.outputs["value"][inside]) and (found[~inside].abs() == 448).all()


@pytest.mark.parametrize("name", ["Q27_int4_a", "Q27_int4_odd"])
def test_pairs_of_codes_are_those_of_the_record(name):
    case = load_case(name)
    parts = FourBits().encode("w", case.inputs["W"], {}, Ledger())
    assert torch.equal(parts["pairs"], case.outputs["packed"]) and torch.equal(parts["step"], case.outputs["scale"])
    torch.testing.assert_close(FourBits().decode("w", parts, torch.float32), case.outputs["dequant"], rtol=1e-6, atol=0)


@pytest.mark.parametrize(("name", "recipe", "rtol"), [("fp8", Float8(), 1e-6), ("fp4", FourBits(), 5e-4)])
def test_training_is_straight_through(name, recipe, rtol):
    """fp4 stores its step in float16, and trains with it; the record trains with the float32 one."""
    case = load_case(f"Q26_Q27_ste_{name}_a")
    weight = case.inputs["W"].clone().requires_grad_()
    used = fake_quantize(recipe, "w", weight)
    (used * case.inputs["G"]).sum().backward()
    torch.testing.assert_close(used.detach(), case.outputs["W_fwd"], rtol=rtol, atol=1e-7)
    assert torch.equal(weight.grad, case.outputs["grad"])


@pytest.mark.parametrize("form", ["fp8", "fp4"])
@pytest.mark.parametrize("head", ["tied_head", "untied_head", "factored_embedding"])
def test_training_looks_up_the_rows_of_the_artifact(form, head):
    classes = {"tied_head": "embed", "untied_head": "embed,head", "factored_embedding": "embed,aux"}[head]
    names = ["fp_storage", *[head] * (head != "tied_head")]
    width = {"embed_dim": 24} if head == "factored_embedding" else {}
    made = built(*names, fp_storage=form, fp_storage_classes=classes, num_layers=2, **width)
    model = scramble(made.model)
    state = canonical_state(model.state_dict(), made.parameters)
    encoded = encode_model(state, made.parameters, made.program, {}, Ledger())
    stored = {
        name: decode_tensor(name, encoded[name], quant, made.program, torch.float32)
        for name, quant in (
            ("tok_emb.weight", "embed"),
            ("lm_head.weight", "head"),
            ("embed_proj.weight", "aux"),
            ("embed_proj_rev.weight", "aux"),
        )
        if name in encoded
    }
    ids, targets = tokens()
    ledger = Ledger()
    loss = model(ids, targets, ledger=ledger)
    loss.backward()
    inside = 3 if head == "factored_embedding" else 1
    assert ledger.receipt("fp_storage") == f"1 stems, {inside} matrices in training"
    with torch.no_grad():
        trained = {name: state[name].clone() for name in stored}
        for name, tensor in stored.items():
            assert not torch.equal(tensor, state[name]) and model.get_parameter(name).grad.any()
            state[name].copy_(tensor)
        model.eval()
        assert model(ids, targets).item() == pytest.approx(loss.item(), rel=1e-5)
        for name, tensor in trained.items():
            state[name].copy_(tensor)
        assert model(ids, targets).item() != pytest.approx(loss.item(), rel=1e-6), (
            "scoring sees the weights as they are"
        )


def test_only_matrices_are_stored_so():
    for recipe in (Float8(), FourBits()):
        parts = recipe.encode("w", torch.ones(7), {}, Ledger())
        assert parts["kept"].dtype == torch.float16 and recipe.decode("w", parts, torch.float32).tolist() == [1.0] * 7
    assert tiny_context().training
