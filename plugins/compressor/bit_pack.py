"""Codes -1 and 1 as bits, eight in a byte.

    bit i of a byte = (q_i + 1) / 2, i = 0 .. 7, the lowest first        filled up with zeros at the end

Parts with other values stay as they are.

Source: openai/parameter-golf, record 2026-03-24_106M_Binary_Asymmetric_UNet_FP8_15L_8192BPE_YaRN_NeoMuon_Smear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.packing import PackedLayout

if TYPE_CHECKING:
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="bit_pack",
    summary="Binary codes, eight in a byte.",
    source="openai/parameter-golf, record 2026-03-24_106M_Binary_Asymmetric_UNet_FP8_15L_8192BPE_YaRN_NeoMuon_Smear",
    family="compressor",
    requires=("binary",),
)


def pack_bits(codes: np.ndarray) -> np.ndarray:
    """int8 (n,) of -1 and 1 to uint8 (ceil(n / 8),)."""
    return np.packbits(codes > 0, bitorder="little")


def unpack_bits(packed: np.ndarray, count: int) -> np.ndarray:
    """The first `count` codes; ValueError unless `packed` is what `pack_bits` makes of them."""
    bits = np.unpackbits(packed, bitorder="little")
    if len(packed) != -(-count // 8) or bits[count:].any():
        raise ValueError(f"{len(packed)} bytes are not {count} bits")
    return 2 * bits[:count].astype(np.int8) - np.int8(1)


@hookimpl
def stream_layout(settings: SettingsView) -> Component:
    """Of whatever part holds no more values."""
    functions = {"pack": Component(pack_bits), "unpack": Component(unpack_bits)}
    return Component(PackedLayout, plugin="bit_pack", values=(-1, 1), **functions)
