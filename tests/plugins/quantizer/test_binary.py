import numpy as np
import pytest
import torch
from pipeline_vectors import load_case

from pgolf.runtime.group_codes import decoded_codes, group_codes, scaled_codes, split_rows


@pytest.mark.parametrize("name", ["Q25_binary_g128", "Q25_binary_pad"])
def test_codes_and_scales_are_those_of_the_record(name):
    case = load_case(name)
    weight, size = case.inputs["w"], case.params["group"]
    codes, scale = group_codes(weight, size, binary=True)
    assert torch.equal(scale.flatten(), case.outputs["w.scale"])
    padded = case.expected["entries"]["w"]["padded_cols"]
    bits = np.unpackbits(case.outputs["w.packed"].numpy(), bitorder="little")[: len(weight) * padded]
    wanted = bits.reshape(len(weight), padded).astype(int) * 2 - 1
    assert (codes.numpy() == wanted[:, : weight.shape[1]]).all()
    assert torch.equal(scaled_codes(codes, scale, size).bfloat16(), case.outputs["deq:w"])


def test_decoded_weights_have_the_scale_that_was_stored_also_in_the_last_group():
    """The record decodes s q there too, whose mean over the filled-up group is less than s."""
    case = load_case("Q25_binary_pad")
    weight, size = case.inputs["w"], case.params["group"]
    codes, scale = group_codes(weight, size, binary=True)
    decoded = decoded_codes(codes, scale, size)
    again = group_codes(decoded, size, binary=True)
    assert torch.equal(again[0], codes) and torch.equal(again[1], scale)
    plain = split_rows(scaled_codes(codes, scale, size), size).abs().mean(2)
    assert (plain[:, -1] < 0.9 * scale[:, -1].float()).all()


def test_nothing_is_zero_and_zero_is_positive():
    codes, scale = group_codes(torch.tensor([[0.0, -0.0, -1e-3, 2.0], [0.0, 0.0, 0.0, 0.0]]), 2, binary=True)
    assert codes.tolist() == [[1, 1, -1, 1], [1, 1, 1, 1]] and scale[1].tolist() == [0, 0]
    assert decoded_codes(codes, scale, 2)[1].tolist() == [0, 0, 0, 0]
