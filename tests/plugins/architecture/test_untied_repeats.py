"""MLPs of their own for the repeats of depth_recurrence: which step uses which, gradients, the copy at the start."""

import pytest
import torch
from micro import micro, run_program
from models import built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.progress import Scalars, measure_progress

ON = ("recurrence",)
SIZES = {"num_layers": 5, "recur_layers": "1,2"}


def pair(*names, **settings):
    """The model with untied repeats, scrambled, and the one that shares, with the same tensors as far as it has them."""
    apart, shared = (
        built(*names, "depth_recurrence", *more, **SIZES, **(settings if more else {}))
        for more in (("untied_repeats",), ())
    )
    state = scramble(apart.model).state_dict()
    shared.model.load_state_dict({key: state[key] for key in shared.model.state_dict()})
    return apart.model, shared.model


@torch.no_grad()
def copy(model, layer, owner):
    for role in ("fc", "proj"):
        matrices = model.matrices()
        matrices[f"blocks.{owner}.mlp.{role}.weight"].copy_(matrices[f"blocks.{layer}.mlp.{role}.weight"])


@pytest.mark.parametrize("names", [(), ("banks",), ("fused_mlp",)], ids=["layers", "banks", "fused"])
def test_copies_are_the_model_that_shares(names):
    apart, shared = pair(*names)
    ids, targets = tokens()
    assert torch.equal(apart(ids, targets), shared(ids, targets))
    assert not torch.equal(apart(ids, targets, phases=ON), shared(ids, targets, phases=ON))
    copy(apart, 1, 5)
    copy(apart, 2, 6)
    assert torch.equal(apart(ids, targets, phases=ON), shared(ids, targets, phases=ON))


def test_only_the_repeat_reaches_its_matrices():
    """Before the phase nothing does; calibration and weight taps see them as layers of their own."""
    model, _ = pair()
    ids, targets = tokens()
    model(ids, targets).backward()
    assert model.blocks[5].mlp.fc.weight.grad is None and model.blocks[1].mlp.fc.weight.grad.any()
    seen, ledger = [], Ledger()
    model(ids, targets, phases=ON, observe=lambda role, layer, x: seen.append((role, layer)), ledger=ledger).backward()
    assert model.blocks[5].mlp.fc.weight.grad.any() and model.blocks[6].mlp.proj.weight.grad.any()
    assert [layer for role, layer in seen if role == "mlp.fc"] == [0, 1, 2, 5, 6, 3, 4]
    assert [layer for role, layer in seen if role == "attn.c_q"] == [0, 1, 2, 1, 2, 3, 4]
    assert ledger.receipt("untied_repeats") == "4 matrices"


def test_some_layers_alone_have_them():
    apart, shared = pair(repeat_untie_mlp_layers="2")
    copy(apart, 2, 5)
    ids, targets = tokens()
    assert torch.equal(apart(ids, targets, phases=ON), shared(ids, targets, phases=ON))
    assert "blocks.6.mlp.fc.weight" not in apart.matrices()


@pytest.mark.parametrize("layers", ["0", "1,1", "one", "1,", "2,3"])
def test_others_are_refused(layers):
    with pytest.raises(PgolfError, match="repeat_untie_mlp_layers"):
        resolved("untied_repeats", **SIZES, repeat_untie_mlp_layers=layers)


def test_they_are_zero_until_the_repeats_begin_and_copies_then():
    made = built("untied_repeats", "banks", **SIZES, recur_start_step=3)
    (copies,) = [part for part in made.program.schedules if type(part).__name__ == "CopyAtStart"]

    class Session:
        model, parameters = made.model, made.parameters

    copies.prepare(Session)
    matrices = made.model.matrices()
    for step in range(5):
        scalars = Scalars(0.5, 1.0, 0.9)
        with torch.no_grad():
            assert copies(measure_progress(step, 10, 0.0, 0.0), scalars, Ledger()) == scalars
        same = torch.equal(matrices["blocks.5.mlp.fc.weight"], matrices["blocks.1.mlp.fc.weight"])
        assert same == (step >= 3) and matrices["blocks.6.mlp.fc.weight"].any() == (step >= 3)


@pytest.mark.ci
def test_a_run_has_them_copied_trained_and_calibrated(tmp_path, micro_data):
    path = tmp_path / "entry.py"
    path.write_text(
        micro("untied_repeats", "banks", "gptq", "train_calibration", num_layers=4, recur_layers="1,2").entry
    )
    run = run_program(path, tmp_path / "run", micro_data)
    assert run.status == 0, run.output
    (receipt,) = [line for line in run.lines if line.startswith("receipt untied_repeats")]
    assert "copied at step 2" in receipt
    state = torch.load(run.folder / "final_model.pt", weights_only=True)
    assert state["blocks.4.mlp.fc.weight"].any()
    assert not torch.equal(state["blocks.4.mlp.fc.weight"], state["blocks.1.mlp.fc.weight"])
