"""Six matrices for every layer, under their public names; the two that write to the stream start at zero."""

import torch

from pgolf.testing import make_model, tiny_context

SHAPES = {
    **{"attn.c_q": (64, 64), "attn.c_k": (32, 64), "attn.c_v": (32, 64), "attn.proj": (64, 64)},
    **{"mlp.fc": (128, 64), "mlp.proj": (64, 128)},
}


def test_names_shapes_and_starts():
    made = make_model(num_layers=2)
    marks = (".attn.c", ".proj", ".fc")
    found = {name: tensor for name, tensor in made.model.named_parameters() if any(mark in name for mark in marks)}
    wanted = {f"blocks.{layer}.{role}.weight": shape for layer in range(2) for role, shape in SHAPES.items()}
    assert {name: tuple(tensor.shape) for name, tensor in found.items()} == wanted
    assert {name for name, tensor in found.items() if not tensor.any()} == {name for name in wanted if ".proj." in name}


def test_each_belongs_to_the_matrices_and_to_its_quantization_group():
    records = {record.name: record for record in make_model().parameters if record.group == "matrix"}
    assert {record.quant for name, record in records.items() if ".attn." in name} == {"attn"}
    assert {record.quant for name, record in records.items() if ".mlp." in name} == {"mlp"}
    assert len(records) == len(SHAPES)


def test_a_block_starts_as_the_identity():
    made = make_model()
    x = torch.randn(1, 5, 64)
    ctx = tiny_context(made.model)
    mlp = made.program.mlp(made.model, x, 0, 0, ctx)
    assert not mlp.any() and made.model.project(x, "mlp.fc", 0, 0, ctx).any()
