from types import SimpleNamespace

import pytest
import torch

from pgolf.runtime.export import decode_model, encode_model, pack_artifact, unpack_artifact
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_state, ones
from pgolf.runtime.records import Param
from pgolf_plugins.compressor.torch_save import TorchSave
from pgolf_plugins.compressor.zlib import ZlibCoder
from pgolf_plugins.quantizer.int8 import Int8Recipe

RECORDS = (
    Param("tok_emb.weight", (300, 256), "embed", "embed", ones, "test", dtype="activation"),
    Param("up_bank", (2, 300, 256), "matrix", "mlp", (ones,), "test", members=("blocks.{}.mlp.fc.weight",)),
    Param("blocks.{}.attn_scale", (16,), "scalar", "control", ones, "test", layers=2),
    Param("helper", (3,), "scalar", "aux", ones, "test", export="drop"),
)


def make(**fields):
    """A program with the baseline's export, and a canonical state."""
    torch.set_num_threads(1)
    half, full = Int8Recipe(True), Int8Recipe(False)
    recipes = {"embed": half, "mlp": half, "aux": half, "control": full}
    defaults = {
        "tensor_recipes": recipes,
        "stream_layout": TorchSave(),
        "entropy_coder": ZlibCoder(),
        "fit": None,
        "quantization_plan": (),
        "tensor_transforms": (),
        "grouped": (),
        "corrections": (),
    }
    generator = torch.Generator().manual_seed(1)
    stored = {
        "tok_emb.weight": torch.randn(300, 256, generator=generator).bfloat16(),
        "up_bank": torch.randn(2, 300, 256, generator=generator),
        "blocks.0.attn_scale": torch.randn(16, generator=generator),
        "blocks.1.attn_scale": torch.randn(16, generator=generator),
        "helper": torch.randn(3, generator=generator),
    }
    return SimpleNamespace(**{**defaults, **fields}), canonical_state(stored, RECORDS)


def test_round_trip():
    program, state = make()
    ledger = Ledger()
    encoded = encode_model(state, RECORDS, program, {}, ledger)
    data = pack_artifact(encoded, program, ledger)
    found = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    decode_model(unpack_artifact(data, found, program), found, RECORDS, program)
    assert list(found) == list(state)
    for name, tensor in found.items():
        assert (tensor.dtype, tensor.shape) == (state[name].dtype, state[name].shape)
    assert torch.equal(found["blocks.1.attn_scale"], state["blocks.1.attn_scale"])
    for name in ("tok_emb.weight", "blocks.0.mlp.fc.weight", "blocks.1.mlp.fc.weight"):
        assert 0 < (found[name].float() - state[name].float()).abs().max() < 0.03
    assert not found["helper"].any() and "helper" not in encoded
    assert ledger.receipt("int8") == "3 tensors quantized, 2 tensors kept"


def test_the_artifact_does_not_depend_on_the_layout():
    program, state = make()
    apart = Param("blocks.{}.mlp.fc.weight", (300, 256), "matrix", "mlp", ones, "test", layers=2)
    records = (RECORDS[0], apart, *RECORDS[2:])
    banked = pack_artifact(encode_model(state, RECORDS, program, {}, Ledger()), program, Ledger())
    separate = pack_artifact(encode_model(state, records, program, {}, Ledger()), program, Ledger())
    assert banked == separate


def test_statistics_reach_the_recipe_of_their_tensor():
    seen = {}

    class Probe(Int8Recipe):
        def encode(self, name, tensor, statistics, ledger):
            seen[name] = statistics
            return super().encode(name, tensor, statistics, ledger)

    program, state = make()
    program.tensor_recipes["mlp"] = program.tensor_recipes["control"] = Probe(True)
    encode_model(state, RECORDS, program, {"blocks.1.mlp.fc.weight": {"hessian": 1}}, Ledger())
    empty = ("blocks.0.mlp.fc.weight", "blocks.0.attn_scale", "blocks.1.attn_scale")
    assert seen == {"blocks.1.mlp.fc.weight": {"hessian": 1}, **{name: {} for name in empty}}


def test_fit_sees_packed_sizes_and_has_the_last_word():
    sizes = []

    def fit(encoded, measure, requantize, ledger):
        sizes.append(measure(encoded))
        smaller = {**encoded, "tok_emb.weight": {"kept": torch.zeros(300, 256, dtype=torch.float16)}}
        sizes.append(measure(smaller))
        return smaller

    program, state = make(fit=fit)
    ledger = Ledger()
    encoded = encode_model(state, RECORDS, program, {}, ledger)
    assert len(pack_artifact(encoded, program, ledger)) == sizes[1] < sizes[0]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "bomb", "text", "version"])
def test_a_bad_artifact_is_refused(damage):
    program, state = make()
    data = pack_artifact(encode_model(state, RECORDS, program, {}, Ledger()), program, Ledger())
    middle, plain = len(data) // 2, ZlibCoder().decompress(data, 10**7)
    bad = {
        "cut": data[:-100],
        "flipped": data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :],
        "empty": b"",
        "bomb": ZlibCoder().compress(bytes(30_000_000), Ledger()),
        "text": ZlibCoder().compress(b"not a torch file", Ledger()),
        "version": ZlibCoder().compress(plain.replace(b"3\n", b"r\n"), Ledger()),
    }[damage]
    with pytest.raises(ValueError, match="artifact cannot be read") as caught:
        unpack_artifact(bad, state, program)
    assert "\n" not in str(caught.value)


def test_an_artifact_of_another_model_is_refused():
    program, state = make()
    encoded = encode_model(state, RECORDS, program, {}, Ledger())
    with pytest.raises(ValueError, match="not the model's"):
        decode_model({name: encoded[name] for name in list(encoded)[1:]}, state, RECORDS, program)
    state["blocks.0.attn_scale"] = torch.zeros(8)
    with pytest.raises(ValueError, match=r"blocks\.0\.attn_scale: shape \[16\], wanted \[8\]"):
        decode_model(encoded, state, RECORDS, program)


class Half:
    """A correction: half of what the tensors miss, in float32; `seen` collects the errors it was shown."""

    def __init__(self, name):
        self.name = name
        self.seen = []

    def encode(self, state, decoded, statistics, ledger):
        name = "blocks.1.mlp.fc.weight"
        error = state[name] - decoded[name]
        self.seen.append(error.norm().item())
        ledger.count(self.name, "tensors")
        return {name: {"rest": error / 2}}

    def decode(self, name, parts, tensor):
        return tensor + parts["rest"]


def decoded_errors(program, state, data):
    found = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    decode_model(unpack_artifact(data, found, program), found, RECORDS, program)
    return {name: (found[name].float() - state[name].float()).norm().item() for name in state}


def test_corrections_mend_one_after_the_other_and_have_parts_of_their_own():
    plain, state = make()
    before = decoded_errors(
        plain, state, pack_artifact(encode_model(state, RECORDS, plain, {}, Ledger()), plain, Ledger())
    )
    program, _ = make(corrections=(Half("first"), Half("second")))
    ledger = Ledger()
    encoded = encode_model(state, RECORDS, program, {}, ledger)
    assert {"first.rest", "second.rest"} <= set(encoded["blocks.1.mlp.fc.weight"])
    assert "first.rest" not in encoded["blocks.0.mlp.fc.weight"] and ledger.receipt("second") == "1 tensors"
    after = decoded_errors(program, state, pack_artifact(encoded, program, ledger))
    for name in state:
        share = 0.25 if name == "blocks.1.mlp.fc.weight" else 1.0
        assert after[name] == pytest.approx(share * before[name], rel=1e-4, abs=1e-6)


def test_corrections_are_made_of_the_codes_that_fit_leaves_and_count_while_it_measures():
    half, sizes = Half("half"), []

    def fit(encoded, measure, requantize, ledger):
        assert not any("half.rest" in parts for parts in encoded.values())
        sizes.append(measure(encoded))
        parts = encoded["blocks.1.mlp.fc.weight"]
        coarse = {**parts, "codes": parts["codes"] // 8 * 8}
        sizes.append(measure({**encoded, "blocks.1.mlp.fc.weight": coarse}))
        return {**encoded, "blocks.1.mlp.fc.weight": coarse}

    program, state = make(fit=fit, corrections=(half,))
    ledger = Ledger()
    encoded = encode_model(state, RECORDS, program, {}, ledger)
    data = pack_artifact(encoded, program, ledger)
    assert len(half.seen) == 3 and half.seen[1] == half.seen[2] > 2 * half.seen[0]
    assert sizes[1] == len(data) and ledger.receipt("half") == "1 tensors"
    assert decoded_errors(program, state, data)["blocks.1.mlp.fc.weight"] == pytest.approx(half.seen[2] / 2, rel=1e-4)


def test_a_plan_that_names_no_class_is_refused():
    program, state = make(quantization_plan=(lambda state, statistics, ledger: {"tok_emb.weight": "nothing"},))
    with pytest.raises(ValueError, match=r"tok_emb.weight .* 'nothing'"):
        encode_model(state, RECORDS, program, {}, Ledger())


def test_parts_that_are_missing_are_one_line():
    program, state = make()
    encoded = encode_model(state, RECORDS, program, {}, Ledger())
    encoded["tok_emb.weight"] = {"step": torch.ones(3)}
    with pytest.raises(ValueError, match=r"the artifact's tok_emb.weight cannot be decoded: KeyError"):
        decode_model(encoded, state, RECORDS, program)
