"""In which order the parts of the forward act, and what each reads: noted in one forward of a model that has nearly all."""

import functools
import sys

import pytest
import torch
from models import built, scramble, tokens

from pgolf.runtime import attention, wiring
from pgolf.runtime import model as whole
from pgolf.runtime.layers import rms_norm
from pgolf.runtime.model import GPT

SIZES = {"num_layers": 4, "bigram_vocab_size": 64, "bigram_dim": 24, "rope_dims": 8, "ve_dim": 16}
SIZES |= {"ve_layers": "0,1,2,3", "xsa_last_n": 4}
NAMES = ("bigram_hash", "smear_gate_v3", "ln_scale", "iha", "qat", "value_embedding", "partial_rope", "pko", "xsa")
NAMES = (*NAMES, "sparse_attention_gate", "skip_gates")
TAPS = ("stem_terms", "stem_raw", "branch_inputs", "weight_taps", "value_terms", "query_key_taps")
TAPS = (*TAPS, "attention_outputs", "logit_taps")
SLOTS = ("rotary", "attention_kernel", "mlp", "skip", "head", "loss")
MATRICES = ("attn.c_q", "attn.c_k", "attn.c_v", "attn.proj", "mlp.fc", "mlp.proj")


class Notes(list):
    """(name, arguments, result) of what acted, in order."""

    def watch(self, name, function):
        def noted(*arguments, **named):
            result = function(*arguments, **named)
            self.append((name or arguments[2], arguments, result))
            return result

        return noted

    def names(self):
        return [name for name, _, _ in self]


def name_of(part):
    """The function or class that a plugin names."""
    part = part.func if isinstance(part, functools.partial) else part
    return getattr(part, "__name__", type(part).__name__)


def noted_forward(monkeypatch, *names, **settings):
    """Notes of one training forward of a scrambled model; matrices are noted by their role."""
    made, notes = built(*names, **settings), Notes()
    scramble(made.model)
    taps = {
        hook: tuple(notes.watch(name_of(part), part) for part in getattr(made.program, hook))
        for hook in TAPS
        if hook != "weight_taps"
    }
    slots = {hook: notes.watch(hook, getattr(made.program, hook)) for hook in SLOTS}
    made.model.program = made.program._replace(**taps, **slots)
    for module in (attention, whole, wiring):
        monkeypatch.setattr(module, "rms_norm", notes.watch("norm", rms_norm))
    monkeypatch.setattr(GPT, "project", notes.watch("", GPT.project))
    monkeypatch.setattr(wiring, "residual_mix", notes.watch("mix", wiring.residual_mix))
    made.model(*tokens(), phases=made.phases)
    return notes


def only(notes, *names):
    """The names among these, in order."""
    return [name for name in notes.names() if name in names]


def test_the_stem_adds_terms_mixes_the_raw_embedding_and_norms(monkeypatch):
    notes = noted_forward(monkeypatch, *NAMES, **SIZES)
    assert notes.names()[:3] == ["BigramHash", "smear_raw", "norm"]
    assert notes[2][1][0] is notes[1][2]


def test_the_second_smear_gate_reads_the_normed_embedding():
    made, notes = built("smear_gate"), Notes()
    assert made.program.stem_normed and not made.program.stem_raw
    scramble(made.model)
    made.model.program = made.program._replace(stem_normed=(notes.watch("smear", made.program.stem_normed[0]),))
    made.model(*tokens())
    x = notes[0][1][1]
    torch.testing.assert_close(x.square().mean(-1), torch.ones(x.shape[:2]), rtol=1e-4, atol=1e-4)


def test_a_branch_reads_the_skip_then_the_mix_then_the_norm_then_the_scale(monkeypatch):
    notes = noted_forward(monkeypatch, *NAMES, **SIZES)
    start = notes.names().index("skip")
    assert notes.names()[start : start + 5] == ["skip", "mix", "norm", "scale_by_depth", "attn.c_q"]
    skip, mix, norm, scale, query = notes[start : start + 5]
    chain = [(mix, skip), (norm, mix), (scale, norm), (query, scale)]
    for later, earlier in chain:
        assert any(given is earlier[2] for given in later[1]), f"{later[0]} reads what {earlier[0]} made"


def test_the_gate_of_heads_reads_what_their_matrices_read(monkeypatch):
    notes = noted_forward(monkeypatch, *NAMES, **SIZES)
    gate, query = (next(entry for entry in notes if entry[0] == name) for name in ("gate_sparsely", "attn.c_q"))
    assert any(given is query[1][1] for given in gate[1])


def test_matrices_are_mixed_then_fake_quantized_and_the_adapter_adds_to_the_product():
    made, added = built(*NAMES, **SIZES), {}
    assert [name_of(tap) for tap in made.program.weight_taps] == ["HeadMixer", "quantize_in_training"]

    class Adapter:
        sites = frozenset(MATRICES)

        def delta(self, x, site, position):
            added[site, position] = x
            return torch.zeros(())

    seen = {}
    made.model(*tokens(), adapter=Adapter(), observe=lambda role, layer, x: seen.setdefault((role, layer), x))
    assert set(added) == {(role, layer) for role in MATRICES for layer in range(4)}
    assert all(x is seen[place] for place, x in added.items()), (
        "it reads what the matrix multiplies, and no quantized product"
    )


def test_one_layer_of_attention_and_its_mlp(monkeypatch):
    notes = noted_forward(monkeypatch, *NAMES, **SIZES)
    first = notes.names().index("mix")
    layer = notes.names()[first : notes.names().index("mlp") + 1]
    wanted = ["mix", "norm", "scale_by_depth", "attn.c_q", "attn.c_k", "attn.c_v", "ValueEmbedding"]
    wanted += ["norm", "rotary", "norm", "rotary", "PartialKeyOffset", "apply_qk_gain", "attention_kernel"]
    wanted += ["Xsa", "gate_sparsely", "attn.proj", "norm", "scale_by_depth", "mlp.fc", "mlp.proj", "mlp"]
    assert layer == wanted


def test_values_of_xsa_include_the_value_embedding(monkeypatch):
    notes = noted_forward(monkeypatch, *NAMES, **SIZES)
    xsa, values = (next(entry for entry in notes if entry[0] == name) for name in ("Xsa", "ValueEmbedding"))
    assert torch.equal(xsa[1][2].flatten(2), values[2])


def test_lanes_merge_before_the_last_norm_the_head_the_cap_and_the_loss(monkeypatch):
    notes = noted_forward(monkeypatch, *NAMES, "two_lanes", parallel_start_layer=2, **SIZES)
    ending = notes.names()[-5:]
    assert ending == ["mlp", "norm", "head", "tanh_softcap", "loss"]
    assert notes[-4][1][0].shape == notes[-3][1][1].shape and notes[-3][1][1] is notes[-4][2]


def test_the_head_is_calibrated_by_what_the_last_norm_gives(monkeypatch):
    """And reads it: a Hessian of the embedding is of the head's inputs, not of the stream."""
    made, notes, seen = built("two_lanes", parallel_start_layer=2), Notes(), {}
    scramble(made.model)
    monkeypatch.setattr(whole, "rms_norm", notes.watch("norm", rms_norm))
    made.model(*tokens(), observe=lambda role, layer, x: seen.setdefault(role, x))
    assert seen["head"] is notes[-1][2]


WIRINGS = {
    "sequential_wiring": "the stream that attention has changed",
    "parallel_residual": "what attention reads",
    "lane_merge": "the second lane",
    "two_lanes_v1": "a mix of the second lane after attention wrote to it",
    "two_lanes": "the second lane before attention wrote to it",
}


@pytest.mark.parametrize("name", WIRINGS)
def test_what_the_mlp_of_a_wiring_reads(monkeypatch, name):
    """The third of four layers, whose two lanes are one tensor when it begins."""
    starts = {"parallel_residual": "parallel_residual_start", "sequential_wiring": ""}
    key = starts.get(name, "parallel_start_layer")
    made, notes = built(name, **({key: 2} if key else {})), Notes()
    scramble(made.model)
    made.model.program = made.program._replace(mlp=notes.watch("mlp", made.program.mlp))
    modules = [wiring, sys.modules[f"pgolf_plugins.architecture.{name}"]]
    for module in modules:
        for function in ("branch_input", "residual_mix", "scaled_attention", "scaled_mlp"):
            if hasattr(module, function):
                monkeypatch.setattr(module, function, notes.watch(function, getattr(module, function)))
    made.model(*tokens())
    ends = [place for place, entry in enumerate(notes) if entry[0] == "scaled_mlp"]
    layer, changed = notes[ends[1] + 1 : ends[2]], notes[ends[1]]
    stream = next(entry[1][1] for entry in notes[ends[1] :: -1] if entry[0] == "branch_input") + changed[2]
    inputs = [entry for entry in layer if entry[0] == "branch_input"]
    mixes = [entry for entry in layer if entry[0] == "residual_mix"]
    attended = next(entry for entry in layer if entry[0] == "scaled_attention")
    assert layer[-1][1][1] is inputs[-1][2], "the MLP reads a normed input"
    source = inputs[-1][1][1]
    mixed = source is mixes[-1][2]
    assert {
        "sequential_wiring": torch.equal(source, mixes[0][2] + attended[2]),
        "parallel_residual": len(inputs) == 1 and mixed,
        "lane_merge": source is mixes[0][1][1] and len(mixes) == 1,
        "two_lanes_v1": len(mixes) == 2 and mixed and not torch.equal(mixes[1][1][1], mixes[0][1][1]),
        "two_lanes": len(mixes) == 1 and torch.equal(source, stream) and not torch.equal(mixes[0][1][1], stream),
    }[name], WIRINGS[name]
