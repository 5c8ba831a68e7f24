import zlib

import pytest
import torch
from pipeline_vectors import load_case

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.prune import Candidates
from pgolf_plugins.quantizer.selective_prune import fit_by_pruning


def encoded_of(case, keep=lambda name: True):
    """The case's codes and steps by canonical name, in its order."""
    names = [key.removesuffix(".q") for key in case.inputs if key.endswith(".q")]
    return {
        name: {"codes": case.inputs[f"{name}.q"], "step": case.inputs[f"{name}.scale"]} for name in names if keep(name)
    }


@pytest.mark.parametrize("name", ["Q23_prune_pr1019", "Q23_prune_floored", "Q23_prune_fast"])
def test_the_order_and_the_codes_are_those_of_the_public_scripts(name):
    case = load_case(name)
    encoded = encoded_of(case)
    candidates = Candidates(encoded, "blocks.")
    tensors = [tensor.removesuffix(".q") for tensor in case.expected["tensor_names"]]
    starts, offset = {}, 0
    for tensor in candidates.names:
        starts[tensor] = offset
        offset += encoded[tensor]["codes"].numel()
    wanted = [
        starts[tensors[index]] + flat
        for index, flat in zip(case.outputs["order_tensor"].tolist(), case.outputs["order_flat"].tolist(), strict=True)
    ]
    assert candidates.order.tolist() == wanted
    pruned = candidates.without(int(case.outputs["n_pruned"]))
    for tensor in encoded:
        assert torch.equal(pruned[tensor]["codes"], case.outputs[f"after:{tensor}.q"])


def model(seed=0):
    """Codes like those of trained matrices, with steps that differ, and a tensor that is kept."""
    generator = torch.Generator().manual_seed(seed)
    parts = {}
    for index in range(4):
        codes = (torch.randn(64, 96, generator=generator) * 3).round().clamp(-31, 31).to(torch.int8)
        parts[f"blocks.{index}.mlp.fc.weight"] = {"codes": codes, "step": torch.rand(64, generator=generator).half()}
    codes = torch.ones(8, 8, dtype=torch.int8)
    return {**parts, "tok_emb.weight": {"codes": codes, "step": torch.ones(8).half()}, "skip": {"kept": codes.half()}}


def measured(encoded):
    """A real compressor on the codes, and 1,000 bytes of code."""
    return 1000 + len(
        zlib.compress(b"".join(parts["codes"].numpy().tobytes() for parts in encoded.values() if "codes" in parts))
    )


def test_it_lands_just_under_the_target():
    encoded, sizes, ledger = model(), [], Ledger()

    def measure(trial):
        sizes.append(measured(trial))
        return sizes[-1]

    whole = measured(encoded)
    found = fit_by_pruning(encoded, measure, None, ledger, whole - 300, "blocks.", 8)
    assert whole - 330 <= measured(found) <= whole - 300 and len(sizes) <= 9
    assert ledger.receipt("selective_prune").endswith(" codes of one pruned")
    for name, parts in encoded.items():
        for key, tensor in parts.items():
            changed = tensor != found[name][key]
            assert not changed.any() or (name.startswith("blocks.") and key == "codes")
            assert (tensor[changed].abs() == 1).all() and not found[name][key][changed].any()


def test_the_cheapest_codes_go_first():
    encoded = model()
    found = Candidates(encoded, "blocks.").without(500)
    gone = [
        step
        for name, parts in encoded.items()
        if name.startswith("blocks.")
        for step in parts["step"][(parts["codes"] != found[name]["codes"]).nonzero()[:, 0]].tolist()
    ]
    left = [
        step
        for name, parts in found.items()
        if name.startswith("blocks.")
        for step in parts["step"][(parts["codes"].abs() == 1).nonzero()[:, 0]].tolist()
    ]
    assert len(gone) == 500 and max(gone) <= min(left)


def test_what_fits_is_left_alone_and_measured_once():
    encoded, ledger = model(), Ledger()
    assert fit_by_pruning(encoded, measured, None, ledger, measured(encoded), "blocks.", 8) is encoded
    assert ledger.receipt("selective_prune").startswith("0 of ")


def test_codes_without_steps_are_no_candidates():
    ternary = {"codes": torch.ones(4, 4, dtype=torch.int8), "scale": torch.ones(4, 1).half()}
    encoded = {"blocks.9.mlp.fc.weight": ternary, **model()}
    candidates = Candidates(encoded, "blocks.")
    assert "blocks.9.mlp.fc.weight" not in candidates.names and len(candidates.names) == 4
    assert candidates.without(10)["blocks.9.mlp.fc.weight"] is ternary


def test_what_cannot_fit_is_said():
    encoded, ledger = model(), Ledger()
    found = fit_by_pruning(encoded, measured, None, ledger, 1, "blocks.", 8)
    assert all((parts["codes"].abs() != 1).all() for name, parts in found.items() if name.startswith("blocks."))
    assert ledger.receipt("selective_prune").endswith(" bytes too many")
    assert "0 of 0" in fit_nothing(encoded)


def fit_nothing(encoded):
    """The receipt where no tensor has candidates."""
    ledger = Ledger()
    assert torch.equal(
        fit_by_pruning(encoded, measured, None, ledger, 1, "none.", 8)["skip"]["kept"], encoded["skip"]["kept"]
    )
    return ledger.receipt("selective_prune")
