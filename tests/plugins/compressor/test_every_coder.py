"""Every layout with every coder: odd tensors come back, and an artifact that is not whole is refused."""

import numpy as np
import pytest
import torch

from pgolf.runtime.export import unpack_artifact
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.packing import PackedLayout
from pgolf_plugins.compressor.base3 import pack_base3, unpack_base3
from pgolf_plugins.compressor.bit_pack import pack_bits, unpack_bits
from pgolf_plugins.compressor.bitmask import pack_bitmask, unpack_bitmask
from pgolf_plugins.compressor.brotli import BrotliCoder
from pgolf_plugins.compressor.context_coder import ContextCoder, ContextLayout
from pgolf_plugins.compressor.lzma import LzmaCoder
from pgolf_plugins.compressor.pergroup import PerGroup
from pgolf_plugins.compressor.torch_save import TorchSave
from pgolf_plugins.compressor.zlib import ZlibCoder

LAYOUTS = {
    "torch_save": TorchSave(),
    "pergroup": PerGroup(),
    "context": ContextLayout(),
    "base3": PackedLayout("base3", (-1, 0, 1), pack_base3, unpack_base3),
    "bitmask": PackedLayout("bitmask", (-1, 0, 1), pack_bitmask, unpack_bitmask),
    "bit_pack": PackedLayout("bit_pack", (-1, 1), pack_bits, unpack_bits),
}
CODERS = {
    "zlib": ZlibCoder(),
    "lzma": LzmaCoder(),
    "brotli": BrotliCoder(1),
    "context": ContextCoder(()),
    "context, trellis": ContextCoder(((0, 2), (2, 0), (1, 3), (3, 1))),
}


def odd_tensors():
    """The worst that a quantizer may leave: zeros, one row or column, nothing at all, limits, steps that are no numbers."""
    generator = torch.Generator().manual_seed(0)

    def codes(*shape, low=-128, high=128):
        return torch.randint(low, high, shape, generator=generator).to(torch.int8)

    half_zero = codes(64, 48, low=-3, high=4)
    half_zero[::2] = 0
    steps = torch.tensor([0.0, float("inf"), float("-inf"), float("nan"), 65504.0, 6e-8, -1.0, 1.0] * 8).half()
    return {
        "blocks.0.mlp.fc.weight": {"codes": half_zero, "step": steps},
        "blocks.1.mlp.fc.weight": {"codes": torch.zeros(64, 48, dtype=torch.int8), "step": torch.zeros(64).half()},
        "blocks.0.mlp.proj.weight": {"codes": codes(48, 64), "step": torch.ones(48).half()},
        "blocks.1.mlp.proj.weight": {
            "codes": torch.full((48, 64), -128, dtype=torch.int8),
            "step": torch.ones(48).half(),
        },
        "one row": {"codes": codes(1, 900), "step": torch.full((1,), 3e4).half()},
        "one column": {"codes": codes(900, 1), "step": torch.rand(900, generator=generator).half()},
        "ternary": {"codes": codes(60, 50, low=-1, high=2), "step": torch.rand(60, generator=generator).half()},
        "binary": {"codes": codes(60, 50, low=0, high=2) * 2 - 1},
        "no rows": {"codes": torch.zeros(0, 7, dtype=torch.int8), "step": torch.zeros(0).half()},
        "no columns": {"codes": torch.zeros(7, 0, dtype=torch.int8)},
        "no matrices": {"codes": torch.zeros(0, 3, 2, dtype=torch.int8)},
        "scalar": {"kept": torch.tensor(3.0)},
        "nothing": {"kept": torch.zeros(0).bfloat16()},
    }


def same(found, wanted):
    assert list(found) == list(wanted)
    for name, parts in wanted.items():
        for key, part in parts.items():
            other = found[name][key]
            assert (other.dtype, other.shape) == (part.dtype, part.shape), (name, key)
            raw = [tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in (other, part)]
            assert torch.equal(*raw), (name, key)


@pytest.mark.parametrize("coder", CODERS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_odd_tensors_come_back(layout, coder):
    plain = LAYOUTS[layout].pack(odd_tensors(), Ledger())
    packed = CODERS[coder].compress(plain, Ledger())
    assert CODERS[coder].decompress(packed, len(plain)) == plain
    same(LAYOUTS[layout].unpack(plain), odd_tensors())
    with pytest.raises(ValueError):
        CODERS[coder].decompress(packed, len(plain) // 2)


class Holder:
    """As much of a program as unpacking needs."""

    def __init__(self, coder):
        self.stream_layout, self.entropy_coder = (
            ContextLayout() if coder.startswith("context") else TorchSave(),
            CODERS[coder],
        )


@pytest.mark.ci
@pytest.mark.parametrize("coder", CODERS)
def test_what_is_not_whole_is_refused(coder):
    """Cut at drawn places, longer by a few bytes, backwards: one ValueError each. A turned bit may also change nothing."""
    program, generator = Holder(coder), np.random.default_rng(3)
    packed = program.entropy_coder.compress(program.stream_layout.pack(odd_tensors(), Ledger()), Ledger())
    state = {"w": torch.zeros(2**20)}
    same(unpack_artifact(packed, state, program), odd_tensors())
    damaged = [b"", packed[:1], packed[:-1], packed[1:], packed + b"\0", packed + packed, packed[::-1]]
    damaged += [packed[: int(at)] for at in generator.integers(1, len(packed), 5)]
    for data in damaged:
        with pytest.raises(ValueError, match="the artifact cannot be read"):
            unpack_artifact(data, state, program)
    refused = 0
    for at in generator.integers(0, len(packed), 8):
        changed = bytearray(packed)
        changed[at] ^= 1 << int(generator.integers(8))
        try:
            same(unpack_artifact(bytes(changed), state, program), odd_tensors())
        except ValueError as error:
            assert "the artifact cannot be read" in str(error)
            refused += 1
    assert refused >= 7
