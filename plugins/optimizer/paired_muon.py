"""Paired-head Muon: queries and keys are orthogonalized two heads at a time.

    c_q (H*C, D) = H/2 blocks (2C, D), c_k (K*C, D) = K/2 blocks (2C, D)        U_b = orthogonalize(block b)

A block holds two consecutive heads and has a norm of its own, so that no pair of heads takes the others' share of the
update. Momentum, what changes the update before, and the step's size still go by the whole matrix. Values, output
projection and MLP are orthogonalized whole. Works for separate matrices and for banks, with any orthogonalizer.

Source: a fork of openai/parameter-golf#1493, flag PAIRED_HEAD_MUON_ENABLED.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="paired_muon",
    summary="Orthogonalizes query and key matrices in pairs of heads.",
    source="fork of openai/parameter-golf#1493",
    family="optimizer",
    effect="-0.0005 BPB with weight_decay_schedule on #1493, none on #1851",
)


class PairedHeads:
    """`pgolf.contracts.optimizer.RowBlocks`: one block for each pair of heads."""

    name = "paired_muon"

    def __init__(self, query_pairs: int, key_pairs: int) -> None:
        self.query_pairs = query_pairs
        self.key_pairs = key_pairs

    def __call__(self, name: str, rows: int) -> int:
        if name.endswith("attn.c_q.weight"):
            return self.query_pairs
        return self.key_pairs if name.endswith("attn.c_k.weight") else 1


@hookimpl
def row_blocks(settings: SettingsView) -> Component:
    """Pairs need even numbers of heads, and more than one pair to make a difference."""
    queries, keys = settings.num_heads, settings.num_kv_heads
    settings.require(queries % 2 == 0, "num_heads", "an even number: paired_muon takes heads in pairs")
    settings.require(keys % 2 == 0, "num_kv_heads", "an even number: paired_muon takes heads in pairs")
    settings.require(queries > 2, "num_heads", "4 or more: one pair is a whole matrix, which paired_muon leaves alone")
    return Component(PairedHeads, query_pairs=queries // 2, key_pairs=keys // 2)
