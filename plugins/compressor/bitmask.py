"""Codes -1, 0, 1 as two bit planes.

    a bit for each code: is it not zero?        then a bit for each that is not: is it positive?

The first of eight codes is a byte's highest bit; each plane is filled up with zeros. With a share p of codes that are not zero
it takes 1 + p bits a code before the entropy coder: fewer than base 3 where p is below 0.6. Parts with other values stay as
they are.

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
    name="bitmask",
    summary="Ternary codes as a plane of zeros and a plane of signs.",
    source="openai/parameter-golf, record 2026-03-24_74M_Ternary_UNet_FP8_10L_8192BPE_YaRN_NeoMuon",
    family="compressor",
    requires=("ternary",),
    effect="larger than base3 after lzma on the record's weights",
)


def pack_bitmask(codes: np.ndarray) -> np.ndarray:
    """int8 (n,) in -1 .. 1 to uint8 (ceil(n / 8) + ceil(k / 8),) for k codes that are not zero."""
    return np.concatenate([np.packbits(codes != 0), np.packbits(codes[codes != 0] > 0)])


def unpack_bitmask(packed: np.ndarray, count: int) -> np.ndarray:
    """The first `count` codes; ValueError unless `packed` is what `pack_bitmask` makes of them."""
    size = -(-count // 8)
    mask, signs = np.unpackbits(packed[:size]), np.unpackbits(packed[size:])
    filled = int(mask[:count].sum())
    if len(packed) != size + -(-filled // 8) or mask[count:].any() or signs[filled:].any():
        raise ValueError(f"{len(packed)} bytes are not the planes of {count} codes")
    codes = mask[:count].astype(np.int8)
    codes[codes != 0] = 2 * signs[:filled].astype(np.int8) - 1
    return codes


@hookimpl
def stream_layout(settings: SettingsView) -> Component:
    """Of whatever part holds no more values."""
    functions = {"pack": Component(pack_bitmask), "unpack": Component(unpack_bitmask)}
    return Component(PackedLayout, plugin="bitmask", values=(-1, 0, 1), **functions)
