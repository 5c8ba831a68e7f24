"""Clips by depth: which layers are of which part, and steps and codes of each."""

import pytest
import torch
from models import built, resolved

from pgolf.errors import PgolfError
from pgolf.runtime.export import decode_model, encode_model
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_state
from pgolf.settings import SettingsView
from pgolf_plugins.quantizer.layer_clips import PARTS, grids, parts_of

SIZES = {"model_dim": 320, "num_layers": 4, "vocab_size": 64}
PLAIN = {f"clip_mult_{part}": 1.0 for part in PARTS} | {"loop_layer_bits": 0, "loop_layer_clip_sigmas": 0.0}
PLAIN |= {"attn_clip_sigmas": 0.0, "mlp_clip_sigmas": 12.0, "matrix_clip_sigmas": 10.0, "matrix_bits": 6}


def view(**values):
    return SettingsView({**PLAIN, "num_layers": 11, "loop_start": 4, "loop_end": 5, **values}, {"layer_clips"})


def test_parts_of_the_record_and_of_a_model_without_a_loop():
    assert parts_of(view()) == ["early"] * 4 + ["loop"] * 2 + ["mid"] * 3 + ["late"] * 2
    without = SettingsView({**PLAIN, "num_layers": 9}, set())
    assert parts_of(without) == ["early"] * 3 + ["mid"] * 3 + ["late"] * 3
    assert "loop" not in {quant.split("_")[1] for quant in grids(view(num_layers=11, clip_mult_late=2.0))}


def test_the_loop_has_bits_and_clips_of_its_own_and_a_part_that_does_not_differ_none():
    assert grids(view()) == {}
    assert grids(view(clip_mult_early=1.5)) == {"attn_early": (6, 15.0), "mlp_early": (6, 18.0)}
    found = grids(view(clip_mult_loop=0.5, loop_layer_bits=7, loop_layer_clip_sigmas=14.0))
    assert found == {"attn_loop": (7, 7.0), "mlp_loop": (7, 7.0)}
    assert grids(view(loop_layer_clip_sigmas=12.0)) == {"attn_loop": (6, 12.0)}


def test_steps_are_the_multiple_and_the_decoder_knows():
    """Against sdclip alone: the last layer's steps are twice as large, the others the same."""
    made = built("layer_clips", clip_mult_late=2.0, **SIZES)
    plain = built("sdclip", **SIZES)
    generator = torch.Generator().manual_seed(1)
    state = canonical_state(made.model.state_dict(), made.parameters)
    for tensor in state.values():
        tensor.copy_(torch.randn(tensor.shape, generator=generator))
    ledger = Ledger()
    found = encode_model(state, made.parameters, made.program, {}, ledger)
    known = encode_model(state, plain.parameters, plain.program, {}, Ledger())
    names = [name for name, parts in known.items() if name.startswith("blocks.") and "codes" in parts]
    changed = [name for name in names if not torch.equal(found[name]["step"], known[name]["step"])]
    assert changed and changed == [name for name in names if name.startswith("blocks.3.")]
    for name in changed:
        torch.testing.assert_close(found[name]["step"].float(), 2 * known[name]["step"].float(), rtol=1e-3, atol=0)
    assert ledger.receipt("layer_clips").startswith(f"{len(changed)} matrices")
    back = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    decode_model(found, back, made.parameters, made.program)
    for name in changed:
        assert ((back[name] - state[name]).abs() <= 0.51 * found[name]["step"].float()[:, None]).all()


def test_what_changes_nothing_or_cannot_be_is_refused():
    with pytest.raises(PgolfError, match="nothing changes"):
        resolved("layer_clips")
    for setting, value in (("clip_mult_mid", 0), ("loop_layer_bits", 1)):
        with pytest.raises(PgolfError, match=setting):
            resolved("layer_clips", **{setting: value})
