"""Settings of public records that are no techniques of their own: they exist under their names and reach the program."""

import pytest
from models import resolved

from pgolf.resolve import load_entry

# openai/parameter-golf#1855 found nine values one after the other; each stands in its recipe.
STACK = {
    "mlp_clip_sigmas": 11.5,
    "embed_clip_sigmas": 14.0,
    "warmdown_frac": 0.85,
    "beta2": 0.99,
    "ttt_beta2": 0.99,
    "ttt_weight_decay": 0.5,
    "ttt_lora_rank": 80,
    "sparse_attn_gate_scale": 0.5,
    "phased_ttt_prefix_docs": 2500,
}
PLUGINS = ("gptq", "phased_ttt", "sdclip", "sparse_attention_gate", "warmdown_frac")
# matrix_lr, scalar_lr, tied_embed_lr: the baseline, its first change, 11 layers, #1493, #1626.
RATES = [(0.04, 0.04, 0.05), (0.02, 0.02, 0.03), (0.025, 0.025, 0.035), (0.022, 0.02, 0.03), (0.026, 0.02, 0.03)]


def test_every_value_of_the_greedy_stack_reaches_the_program():
    """Any other value of one of them gives another program."""
    made = resolved(*PLUGINS, **STACK)
    values = made.selection.settings.as_dict()
    assert {name: values[name] for name in STACK} == STACK
    for name, value in STACK.items():
        other = resolved(*PLUGINS, **{**STACK, name: type(value)(value * 2 if value > 1 else value / 2)})
        assert other.entry != made.entry, name


@pytest.mark.parametrize(("matrix", "scalar", "embed"), RATES)
def test_learning_rates_of_records(matrix, scalar, embed):
    made = resolved(matrix_lr=matrix, scalar_lr=scalar, tied_embed_lr=embed)
    program = load_entry(made.entry).make_program()
    assert program.matrix_optimizer.lr == matrix
    assert {group.name: group.lr for group in program.groups} == {"embed": embed, "scalar": scalar}
