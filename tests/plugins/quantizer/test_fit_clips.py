import re
import zlib

import pytest
import torch
from models import built, scramble

from pgolf.runtime.export import Requantizer, encode_model, quantization_classes
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.levers import group_of
from pgolf.runtime.parameters import canonical_state
from pgolf_plugins.quantizer.fit_clips import factor_clips, fit_by_clips

SIZES = {"model_dim": 64, "num_layers": 2, "mlp_hidden": 1200, "vocab_size": 1100}


def test_clips_follow_the_factor_alone():
    clip = torch.tensor([1.0, 2.0])
    assert factor_clips(torch.zeros(2, 3), clip, 31, {}, Ledger()) is clip
    assert factor_clips(torch.zeros(2, 3), clip, 31, {"clip_factor": torch.tensor(1.5)}, Ledger()).tolist() == [
        1.5,
        3.0,
    ]


@pytest.fixture(scope="module")
def quantized():
    """(encoded, requantizer, measure) of a model whose matrices see inputs of very different structure."""
    made = built("fit_clips", **SIZES)
    state = canonical_state(scramble(made.model).state_dict(), made.parameters)
    generator = torch.Generator().manual_seed(0)
    statistics = {}
    for name, tensor in state.items():
        if tensor.ndim == 2 and tensor.numel() > 65536 and name.startswith("blocks."):
            # The first layer's inputs get smaller from one to the next: errors there cost little.
            inputs = torch.randn(400, tensor.shape[1], generator=generator)
            if name.startswith("blocks.0."):
                inputs = inputs * (0.97 ** torch.arange(tensor.shape[1]))
            statistics[name] = {"hessian": inputs.T @ inputs / 400}
    program = made.program._replace(fit=None)
    whole = encode_model(state, made.parameters, program, statistics, Ledger())
    classes = quantization_classes(made.parameters)

    def measure(encoded):
        codes = b"".join(parts["codes"].numpy().tobytes() for parts in encoded.values() if "codes" in parts)
        return 5000 + len(zlib.compress(codes, 6))

    return whole, Requantizer(state, made.parameters, made.program, statistics, classes), measure


def weighted(requantizer, encoded):
    return sum(requantizer.error(name, parts) for name, parts in encoded.items() if "codes" in parts)


def test_the_error_is_that_of_the_outputs(quantized):
    """By a slower route: the mean square of what inputs with this Hessian make of the error."""
    whole, requantizer, _ = quantized
    name = "blocks.1.mlp.fc.weight"
    parts, hessian = whole[name], requantizer.statistics[name]["hessian"]
    error = requantizer.state[name] - parts["codes"].float() * parts["step"].float()[:, None]
    factor = torch.linalg.cholesky(hessian.double() + 1e-9 * torch.eye(len(hessian)))
    wanted = (error.double() @ factor).square().sum()
    assert requantizer.error(name, parts) == pytest.approx(wanted.item(), rel=1e-4)
    parts = whole["tok_emb.weight"]
    alone = Requantizer(requantizer.state, requantizer.parameters, requantizer.program, {}, requantizer.classes)
    sizes = [known["hessian"].diagonal().mean().item() for known in requantizer.statistics.values()]
    ratio = requantizer.error("tok_emb.weight", parts) / alone.error("tok_emb.weight", parts)
    assert ratio == pytest.approx(sum(sizes) / len(sizes))


@pytest.mark.parametrize("share", [0.97, 0.9])
def test_it_lands_just_under_the_target_with_less_error_than_one_factor_for_all(quantized, share):
    whole, requantizer, measure = quantized
    target, ledger, sizes = round(share * measure(whole)), Ledger(), []

    def counted(encoded):
        sizes.append(measure(encoded))
        return sizes[-1]

    found = fit_by_clips(whole, counted, requantizer, ledger, target, 2.0, "tensor", "", 6)
    assert 0.996 * target <= measure(found) <= target and len(sizes) <= 8
    names = [name for name, parts in whole.items() if "codes" in parts]
    low, high = 1.0, 2.0
    for _ in range(12):
        factor = (low + high) / 2
        alike = {**whole, **{name: requantizer.encode(name, {"clip_factor": torch.tensor(factor)}) for name in names}}
        low, high = (factor, high) if measure(alike) > measure(found) else (low, factor)
    assert weighted(requantizer, found) < 0.999 * weighted(requantizer, alike)
    text = ledger.receipt("fit_clips")
    cost = weighted(requantizer, found) / weighted(requantizer, whole)
    assert (
        f"weighted error {cost:.3f} times as large; 0 of " in text and f"{measure(whole)} -> {measure(found)}" in text
    )


def test_a_class_has_one_factor_which_a_recipe_could_have_had(quantized):
    """The factors of the receipt, put on the clips by hand, give the artifact again; more error than a factor for each."""
    whole, requantizer, measure = quantized
    target, ledger = round(0.9 * measure(whole)), Ledger()
    found = fit_by_clips(whole, measure, requantizer, ledger, target, 2.0, "class", "", 6)
    assert 0.996 * target <= measure(found) <= target
    said = {
        name: float(value) for name, value in re.findall(r", ([\w.]+) ([\d.]+)(?=[,;])", ledger.receipt("fit_clips"))
    }
    assert sorted(said) == ["mlp", "tok_emb.weight"]
    for name, parts in found.items():
        if "codes" in parts:
            factor = said[group_of(name, "class")]
            ratio = parts["step"].float() / whole[name]["step"].float()
            torch.testing.assert_close(ratio, torch.full_like(ratio, factor), rtol=2e-3, atol=0)
    apart = fit_by_clips(whole, measure, requantizer, Ledger(), measure(found), 2.0, "tensor", "", 6)
    assert weighted(requantizer, apart) < weighted(requantizer, found)


def test_the_embedding_is_left_alone_unless_it_is_asked_for(quantized):
    whole, requantizer, measure = quantized
    found = fit_by_clips(
        whole, measure, requantizer, Ledger(), round(0.9 * measure(whole)), 2.0, "tensor", "blocks.", 6
    )
    changed = {
        name
        for name in whole
        if not torch.equal(found[name].get("step", torch.zeros(1)), whole[name].get("step", torch.zeros(1)))
    }
    assert changed == {name for name, parts in whole.items() if name.startswith("blocks.") and "codes" in parts}
    assert found["tok_emb.weight"] is whole["tok_emb.weight"] and "codes" in whole["tok_emb.weight"]


def test_what_fits_is_left_alone(quantized):
    whole, requantizer, measure = quantized
    ledger = Ledger()
    assert fit_by_clips(whole, measure, requantizer, ledger, measure(whole), 2.0, "tensor", "", 6) is whole
    assert ledger.receipt("fit_clips").endswith("nothing changed")


def test_pruning_comes_last_and_what_cannot_fit_is_said(quantized):
    whole, requantizer, measure = quantized
    ledger = Ledger()
    target = round(0.88 * measure(whole))
    found = fit_by_clips(whole, measure, requantizer, ledger, target, 1.1, "tensor", "", 8)
    assert measure(found) <= target and "up to 1.100 times as coarse" in ledger.receipt("fit_clips")
    assert not ledger.receipt("fit_clips").split("; ")[1].startswith("0 of")
    fit_by_clips(whole, measure, requantizer, ledger, 1, 1.1, "tensor", "", 3)
    assert ledger.receipt("fit_clips").endswith("bytes too many")


MENDED = "blocks.0.mlp.fc.weight"


def lqer_model():
    """(encoded, requantizer, measure) where the codes of one matrix are off by what two columns can mend."""
    made = built("fit_clips", "lqer", lqer_top_k=2, lqer_asym_enabled=False, lqer_factor_bits=8, **SIZES)
    state = canonical_state(scramble(made.model).state_dict(), made.parameters)
    program = made.program._replace(fit=None, corrections=())
    whole = encode_model(state, made.parameters, program, {}, Ledger())
    whole[MENDED]["codes"][::2, 5] += 9
    whole[MENDED]["codes"][::3, 7] -= 9
    requantizer = Requantizer(state, made.parameters, made.program, {}, quantization_classes(made.parameters))

    def measure(encoded):
        parts = [part for found in requantizer.correct(encoded).values() for part in found.values()]
        return len(zlib.compress(b"".join(part.numpy().tobytes() for part in parts), 6))

    return whole, requantizer, measure


def total_error(requantizer, encoded):
    mended = requantizer.correct(encoded)
    return sum(requantizer.error(name, parts) for name, parts in mended.items() if "codes" in parts)


def test_columns_go_where_their_bytes_are_worth_more_elsewhere():
    """Columns of noise go first, and the two that mend stay; the same bytes by clips alone would cost more."""
    whole, requantizer, measure = lqer_model()
    ledger, target = Ledger(), measure(whole) - 16000
    found = fit_by_clips(whole, measure, requantizer, ledger, target, 2.0, "tensor", "", 6)
    assert 0.99 * target <= measure(found) <= target
    ranks = {name: int(parts["lqer.rank"]) for name, parts in found.items() if "lqer.rank" in parts}
    assert len(ranks) == 2 and ranks.pop(MENDED) == 2 and [*ranks.values()] == [0]
    text, after = ledger.receipt("fit_clips"), total_error(requantizer, found)
    assert ", 2 of 8 columns of lqer left, weighted error " in text
    assert f"weighted error {after / total_error(requantizer, whole):.3f} times as large" in text
    names = [name for name, parts in whole.items() if "codes" in parts and name != MENDED]
    low, high = 1.0, 2.0
    for _ in range(10):
        factor = torch.tensor((low + high) / 2)
        alike = {**whole, **{name: requantizer.encode(name, {"clip_factor": factor}) for name in names}}
        low, high = (factor.item(), high) if measure(alike) > measure(found) else (low, factor.item())
    assert after < total_error(requantizer, alike)


def test_the_artifact_holds_what_was_fitted_and_corrected_after():
    """A whole export: corrections are made of the codes that fit has left, in the ranks that it has chosen."""
    made = built(
        "fit_clips", "lqer", lqer_top_k=2, mlp_clip_sigmas=2.5, fit_target_bytes=1, fit_most_coarse=1.5, **SIZES
    )
    state = canonical_state(scramble(made.model).state_dict(), made.parameters)
    state["blocks.0.mlp.fc.weight"][:, :3] *= 30.0
    encoded = encode_model(state, made.parameters, made.program, {}, Ledger())
    assert not any(key.endswith(".rank") for parts in encoded.values() for key in parts)
