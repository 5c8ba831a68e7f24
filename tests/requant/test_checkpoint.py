import pickle

import pytest
import torch
from models import built, registry, scramble

from pgolf.errors import PgolfError
from pgolf.requant.checkpoint import canonical_weights, other_layouts, read_checkpoint
from pgolf.runtime.parameters import canonical_state
from pgolf.testing import resolve_tiny


@pytest.fixture(scope="module")
def banked():
    """A model whose matrices are stacked in banks, as in the public scripts."""
    made = built("banks", "smear_gate")
    scramble(made.model)
    return made


def layouts():
    return other_layouts(registry(), resolve_tiny("smear_gate").selection.settings)


def test_banks_of_a_public_checkpoint_become_the_matrices_of_a_recipe_without_banks(banked):
    """The stored names and shapes are those of #549: slices of a bank are the layers of its members in their order."""
    flat = built("smear_gate")
    found = canonical_weights(banked.model.state_dict(), flat.parameters, layouts(), "x")
    wanted = canonical_state(banked.model.state_dict(), banked.parameters)
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    layers = flat.settings.num_layers
    assert torch.equal(found["blocks.1.attn.proj.weight"], banked.model.state_dict()["qo_bank"][layers + 1])


def test_matrices_of_layers_fill_the_banks_of_a_recipe(banked):
    state = canonical_state(banked.model.state_dict(), banked.parameters)
    found = canonical_weights(state, banked.parameters, [], "x")
    assert all(torch.equal(found[name], state[name]) for name in state)


def test_wrappers_and_axes_of_length_one_do_not_count(banked, tmp_path):
    state = banked.model.state_dict()
    wrapped = {f"module._orig_mod.{name}": tensor for name, tensor in state.items()}
    wrapped["module._orig_mod.smear.gate"] = state["smear.gate"][None]
    torch.save({"model": wrapped, "step": 7}, tmp_path / "theirs.pt")
    found = read_checkpoint(tmp_path / "theirs.pt")
    assert found.run is None and found.tensors.keys() == state.keys()
    named = canonical_weights(found.tensors, banked.parameters, [], "x")
    assert torch.equal(named["smear.gate"], state["smear.gate"])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda state: state.pop("smear.gate"), "lack smear.gate"),
        (lambda state: state.update(mtp=torch.zeros(3)), "no tensor mtp"),
        (lambda state: state.update(kv_bank=state["kv_bank"][:1]), "kv_bank has the shape"),
        (lambda state: state.update({"tok_emb.weight": state["tok_emb.weight"].T}), "tok_emb.weight has the shape"),
    ],
)
def test_weights_of_another_model_are_refused_by_name(banked, change, text):
    state = dict(banked.model.state_dict())
    change(state)
    with pytest.raises(PgolfError, match=text):
        canonical_weights(state, banked.parameters, [], "x")


class Hostile:
    def __reduce__(self):
        return (exec, ("raise SystemExit('it ran')",))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", pickle.dumps({"x": Hostile()}), pickle.dumps(3)])
def test_a_file_that_is_no_state_dict_is_one_line_and_runs_nothing(content, tmp_path):
    (tmp_path / "final_model.pt").write_bytes(content)
    with pytest.raises(PgolfError) as caught:
        read_checkpoint(tmp_path)
    assert caught.value.code == "PG001" and "\n" not in caught.value.message


def test_the_folder_of_a_submission_stands_for_its_only_run(tmp_path):
    for seed in (1, 2):
        (tmp_path / f"artifacts/seed{seed}").mkdir(parents=True)
        torch.save({"w": torch.zeros(2)}, tmp_path / f"artifacts/seed{seed}/final_model.pt")
    with pytest.raises(PgolfError, match="which final_model"):
        read_checkpoint(tmp_path)
    (tmp_path / "artifacts/seed2").rename(tmp_path / "artifacts/seed1.previous")
    assert read_checkpoint(tmp_path).path.parent.name == "seed1"
