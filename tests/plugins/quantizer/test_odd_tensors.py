"""Tensors that no quantizer likes, through every one of them: what comes back is finite and near, or nothing is exported."""

import functools

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models import built, registry
from test_plugin_contracts import sizes

from pgolf.runtime.export import decode_model, encode_model, pack_artifact, unpack_artifact
from pgolf.runtime.group_codes import group_codes
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import ones
from pgolf.runtime.records import Param
from pgolf_plugins.quantizer.coarse_int8 import CoarseInt8
from pgolf_plugins.quantizer.int8 import Int8Recipe

NAMES = sorted(name for name, loaded in registry().plugins.items() if loaded.plugin.family == "quantizer")
MATRIX, OTHER = "blocks.0.mlp.fc.weight", "blocks.0.attn_scale"
GATE, GATES = "blocks.0.attn.attn_gate_w", [(8, 512), (1, 40), (40, 1), (8, 12)]
LARGE = [(300, 300), (260, 512), (1, 70000), (70000, 1), (2, 40000)]
SMALL = [(1, 1), (1, 9), (9, 1), (17, 13)]
ROW_MAX = {"int6", "row_max"}
KINDS = ["normal", "zeros", "zero rows", "one outlier", "outliers", "constant", "one element"]
# A magnitude each: subnormal in float32 and float16, usual, beyond float16, near the end of float32.
SCALES = [1e-44, 1e-12, 3e-8, 1e-5, 0.02, 1.0, 10.0, 300.0, 6e4, 1e6, 1e7, 1e19, 1e37]
TINY = 2.0**-24
"""Of float16."""
WITH = {
    "fp_storage": {"fp_storage": "fp4", "fp_storage_classes": "embed,mlp"},
    "fp16_keep": {"fp16_keep_name_patterns": "mlp.fc"},
    "promote": {"promote_name_patterns": "mlp.fc"},
    "selective_prune": {"prune_target_bytes": 10**9},
    "fit_clips": {"fit_target_bytes": 10**9},
    "fit_price": {"fit_target_bytes": 10**9},
}


@functools.cache
def program_of(name):
    """As a build has it."""
    return built(name, **sizes(name), **WITH.get(name, {})).program


def drawn(shape, kind, scale, dtype, seed):
    """A tensor of that kind; what a dtype cannot hold is its largest number."""
    generator = torch.Generator().manual_seed(seed)
    tensor = torch.randn(shape, generator=generator, dtype=torch.float64).clamp(-8, 8) * scale
    if kind == "zeros":
        tensor.zero_()
    elif kind == "zero rows":
        tensor[::2] = 0
    elif kind == "one outlier":
        tensor.view(-1)[tensor.numel() // 2] = 1e5 * scale
    elif kind == "outliers":
        tensor.view(-1)[:: max(1, tensor.numel() // 40)] *= 1000
    elif kind == "constant":
        tensor.fill_(scale)
    elif kind == "one element":
        tensor.zero_().view(-1)[-1] = scale
    most = torch.finfo(torch.float32 if dtype == torch.float64 else dtype).max
    return tensor.clamp(-most, most).to(dtype)


def statistics_of(matrix):
    """What calibration might find, of inputs that go their own ways: feedback then changes nothing."""
    if matrix.ndim != 2 or matrix.numel() <= 65536 or matrix.shape[1] > 512:
        return {}
    rows, columns = matrix.shape
    return {MATRIX: {"hessian": 3 * torch.eye(columns), "fisher": torch.full((rows,), 0.5)}}


def back(program, matrix, other, statistics):
    """(parts of the matrix, it decoded, the other tensor decoded), through the artifact's bytes."""
    name = GATE if tuple(matrix.shape) in GATES else MATRIX
    records = (
        Param(name, tuple(matrix.shape), "matrix", "mlp", ones, "test"),
        Param(OTHER, tuple(other.shape), "scalar", "control", ones, "test"),
    )
    state = {name: matrix, OTHER: other}
    encoded = encode_model(state, records, program, statistics, Ledger())
    found = {key: torch.zeros_like(tensor) for key, tensor in state.items()}
    decode_model(unpack_artifact(pack_artifact(encoded, program, Ledger()), found, program), found, records, program)
    return encoded[name], found[name], found[OTHER]


def worst(found, wanted, slack):
    """By how much the largest deviation is more than it may be."""
    return ((found.double() - wanted).abs() - slack).max().item()


def near_half(found, wanted):
    """Float16, or where that is too small the number itself."""
    assert worst(found, wanted.double(), wanted.double().abs() / 2048 + TINY) <= 0


def near_steps(program, parts, found, wanted):
    """Within half a step of the nearest number that codes reach; those of a trellis are near on the average alone."""
    recipes = program.tensor_recipes
    recipe = [*recipes.values()][int(parts["class"])] if "class" in parts else recipes["mlp"]
    top = {"fp4": 7, "int8": 127}.get(recipe.name) or getattr(recipe, "top", 31)
    step = parts["step"].double()
    step = step[:, None] if step.ndim else step
    reach = top * step
    # The baseline's grid and four bits round with a step in float32: the stored one is off by 2^-11, or by half of TINY. The
    # finer grid of a trellis ends half a step earlier.
    slack = (1.6 if "trellis" in program.plugins else 0.5 + top / 2000) * step + top * TINY
    slack = slack + found.double().abs() * torch.finfo(found.dtype).eps
    if recipe.name == "int8" and parts["codes"].ndim == 2 and isinstance(recipe, Int8Recipe | CoarseInt8):
        clip = torch.quantile(wanted.float().abs(), 0.9999984, 1, keepdim=True).double()
        reach = torch.minimum(reach, clip)
    nearest = torch.minimum(torch.maximum(wanted.double(), -reach), reach)
    assert worst(found, nearest, slack) <= 0
    if ROW_MAX & {*program.plugins}:
        assert worst(wanted, nearest, step / 50 + top * TINY) <= 0, "nothing is clipped"


def near_groups(program, parts, found, wanted):
    """Codes and scales of what comes back are those that were stored."""
    recipe = program.tensor_recipes["mlp"]
    codes, scale = group_codes(found.float(), recipe.size, recipe.binary)
    used = parts["scale"].float() > 2.0**-14  # below, scales have fewer bits
    width = -(-codes.shape[1] // recipe.size)
    whole = used.repeat_interleave(recipe.size, 1)[:, : codes.shape[1]]
    assert scale.shape[1] == width and torch.equal(codes[whole], parts["codes"][whole])
    torch.testing.assert_close(
        scale.float()[used], parts["scale"].float()[used], rtol=max(2e-3, torch.finfo(found.dtype).eps), atol=0
    )


def near_whole(program, parts, found, wanted):
    """An error over all elements that is not larger than the matrix."""
    error = (found.double() - wanted.double()).norm()
    assert error <= 1.01 * wanted.double().norm() + TINY * wanted.numel() ** 0.5


NEAR = {"ternary": near_groups, "binary": near_groups}
NEAR |= dict.fromkeys(("hadamard_rotation", "lqer", "magnitude_prune"), near_whole)


EXAMPLES = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.filterwarnings("ignore:(std|var).*:UserWarning")
@pytest.mark.parametrize("name", NAMES)
@settings(EXAMPLES, max_examples=8)
@given(data=st.data())
def test_what_comes_back_is_finite_and_near(name, data):
    comes_back(name, data)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:(std|var).*:UserWarning")
@pytest.mark.parametrize("name", NAMES)
@settings(EXAMPLES, max_examples=60)
@given(data=st.data())
def test_what_comes_back_of_more_tensors(name, data):
    comes_back(name, data)


def comes_back(name, data):
    """One tensor of any kind, through its quantizer and the artifact."""
    program = program_of(name)
    feeds = "gptq" in program.plugins or "trellis" in program.plugins
    # Feedback is of inputs, which wide matrices here have not.
    large = [shape for shape in LARGE if shape[1] <= 512] if feeds else LARGE
    shapes = GATES if name == "quant_gate" else large + SMALL
    shape = data.draw(st.sampled_from(shapes), label="shape")
    dtype = data.draw(st.sampled_from([torch.float32, torch.float32, torch.bfloat16, torch.float64]), label="dtype")
    matrix = drawn(
        shape,
        data.draw(st.sampled_from(KINDS)),
        data.draw(st.sampled_from(SCALES)),
        dtype,
        data.draw(st.integers(0, 9)),
    )
    other = drawn((64,), data.draw(st.sampled_from(KINDS)), data.draw(st.sampled_from(SCALES)), torch.float32, 1)
    statistics = statistics_of(matrix)
    if feeds and matrix.numel() > 65536 and not statistics:
        return
    parts, found, rest = back(program, matrix, other, statistics)
    assert found.isfinite().all() and rest.isfinite().all()
    near_half(rest, other)
    if "kept" in parts and NEAR.get(name) != near_whole:
        near_half(found, matrix)
    else:
        NEAR.get(name, near_steps)(program, parts, found, matrix)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_finite_is_refused_in_one_line(name, value):
    """Integer codes of it would be numbers, and nobody would hear of it."""
    for place in (MATRIX, OTHER):
        matrix, other = torch.randn(300, 256), torch.ones(64)
        {MATRIX: matrix, OTHER: other}[place].view(-1)[7] = value
        with pytest.raises(ValueError, match=f"^{place} does not stay finite: nothing is exported$"):
            back(program_of(name), matrix, other, statistics_of(matrix))


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_comes_back_as_nothing(name, shape):
    _, found, _ = back(program_of(name), torch.zeros(shape), torch.ones(64), {})
    assert found.shape == shape


def test_what_steps_cannot_reach_is_kept_as_it_is():
    """1e7 / 31 is no float16, and 31 of the largest steps were 2e6 instead."""
    matrix = torch.randn(300, 256) * 1e7
    for name in ("int6", "sdclip", "gptq_lite", "row_max", "int8"):
        parts, found, _ = back(program_of(name), matrix, torch.full((64,), 1e6), {})
        assert torch.equal(found, matrix) and parts["kept"].dtype == torch.float32, name


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1.0, 1e3, 1e30])
def test_floats_of_eight_bits_end_at_448(scale):
    program = built("fp_storage", fp_storage_classes="embed,mlp").program
    matrix = torch.randn(300, 256) * scale
    _, found, _ = back(program, matrix, torch.ones(64), {})
    nearest = matrix.double().clamp(-448, 448)
    assert worst(found, nearest, nearest.abs() / 16 + 2.0**-10) <= 0


def test_a_correction_beyond_float16_mends_what_it_can():
    """The clip of an outlier in a row of 512 leaves .4 of it, and a factor's step of 3e5 would be no float16."""
    matrix = torch.randn(300, 512, generator=torch.Generator().manual_seed(0))
    matrix[7, 7] = 2e6
    _, plain, _ = back(program_of("sdclip"), matrix, torch.ones(64), {})
    _, found, _ = back(built("sdclip", "lqer").program, matrix, torch.ones(64), {})
    assert found.isfinite().all() and (found - matrix).norm() < (plain - matrix).norm()
