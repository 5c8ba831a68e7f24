"""Codes -1, 0, 1 as digits of base 3, five in a byte.

    byte = sum_i (q_i + 1) 3^i, i = 0 .. 4        filled up with zeros at the end

1.6 bits a code before the entropy coder, against log2 3 = 1.585; a byte is at most 242. Parts with other values stay as they
are.

Source: openai/parameter-golf, record 2026-03-24_74M_Ternary_UNet_FP8_10L_8192BPE_YaRN_NeoMuon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.packing import PackedLayout

if TYPE_CHECKING:
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="base3",
    summary="Ternary codes, five in a byte.",
    source="openai/parameter-golf, record 2026-03-24_74M_Ternary_UNet_FP8_10L_8192BPE_YaRN_NeoMuon",
    family="compressor",
    requires=("ternary",),
    effect="smaller than bitmask after lzma on the record's weights",
)

POWERS = (1, 3, 9, 27, 81)


def pack_base3(codes: np.ndarray) -> np.ndarray:
    """int8 (n,) in -1 .. 1 to uint8 (ceil(n / 5),)."""
    digits = np.zeros(-(-len(codes) // 5) * 5, np.uint8)
    digits[: len(codes)] = codes + 1
    packed: np.ndarray = digits.reshape(-1, 5) @ np.array(POWERS, np.uint8)
    return packed


def unpack_base3(packed: np.ndarray, count: int) -> np.ndarray:
    """The first `count` codes; ValueError unless `packed` is what `pack_base3` makes of them."""
    digits = (packed[:, None] // np.array(POWERS, np.uint8) % 3).ravel()
    if len(packed) != -(-count // 5) or packed.max() > 242 or digits[count:].any():
        raise ValueError(f"{len(packed)} bytes are not {count} digits of base 3")
    return digits[:count].astype(np.int8) - np.int8(1)


@hookimpl
def stream_layout(settings: SettingsView) -> Component:
    """Of whatever part holds no more values."""
    functions = {"pack": Component(pack_base3), "unpack": Component(unpack_base3)}
    return Component(PackedLayout, plugin="base3", values=(-1, 0, 1), **functions)
