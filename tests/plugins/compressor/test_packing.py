"""A layout that packs what fits and leaves the rest, with each of the forms."""

import numpy as np
import pytest
import torch

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.packing import PackedLayout
from pgolf.runtime.streams import load_tensors, save_tensors
from pgolf_plugins.compressor import base3, bit_pack, bitmask
from pgolf_plugins.compressor.base3 import pack_base3, unpack_base3
from pgolf_plugins.compressor.bit_pack import pack_bits, unpack_bits
from pgolf_plugins.compressor.bitmask import pack_bitmask, unpack_bitmask

FORMS = {
    "base3": (base3, (-1, 0, 1), pack_base3, unpack_base3),
    "bitmask": (bitmask, (-1, 0, 1), pack_bitmask, unpack_bitmask),
    "bit_pack": (bit_pack, (-1, 1), pack_bits, unpack_bits),
}
each_form = pytest.mark.parametrize("name", FORMS)


def layout(name):
    _, values, pack, unpack = FORMS[name]
    return PackedLayout(name, values, pack, unpack)


@each_form
def test_what_fits_is_packed_and_nothing_is_lost(name):
    _, values, pack, _ = FORMS[name]
    generator = torch.Generator().manual_seed(1)
    few = torch.tensor(values, dtype=torch.int8)[torch.randint(len(values), (6, 13), generator=generator)]
    encoded = {
        "w": {"codes": few, "scale": torch.rand(6, generator=generator).half()},
        "turned": {"codes": few.T},
        "more": {"codes": torch.full((4, 3), 2, dtype=torch.int8)},
        "kept": {"kept": torch.ones(3, 3).bfloat16(), "class": torch.tensor(1, dtype=torch.uint8)},
        "none": {"codes": torch.zeros(0, 3, dtype=torch.int8)},
        "one": {"codes": torch.tensor(1, dtype=torch.int8)},
    }
    ledger = Ledger()
    data = layout(name).pack(encoded, ledger)
    assert data == layout(name).pack(encoded, Ledger())
    assert ledger.receipt(name) == "3 parts packed"
    assert load_tensors(data)["w"]["codes"]["packed"].numpy().tolist() == pack(few.numpy().ravel()).tolist()
    found = layout(name).unpack(data)
    assert list(found) == list(encoded)
    for key, parts in encoded.items():
        assert parts.keys() == found[key].keys()
        for part, tensor in parts.items():
            assert found[key][part].dtype == tensor.dtype and torch.equal(found[key][part], tensor), key


@each_form
@pytest.mark.parametrize("shape", [(4, 4), (2, 2, 2), (-1, 8), (10**10, 10**10)])
def test_a_shape_that_does_not_fit_is_refused(name, shape):
    _, _, pack, _ = FORMS[name]
    packed = torch.from_numpy(pack(np.ones(8, np.int8)))
    data = save_tensors({"w": {"codes": {"shape": shape, "packed": packed}}})
    if int(np.prod(shape)) == 8:
        assert layout(name).unpack(data)["w"]["codes"].shape == shape
    else:
        with pytest.raises((ValueError, RuntimeError)):
            layout(name).unpack(data)


@each_form
def test_the_hook_hands_over_what_is_tested(name):
    module, values, pack, unpack = FORMS[name]
    arguments = module.stream_layout(None).arguments
    assert (arguments["plugin"], arguments["values"]) == (name, values)
    assert (arguments["pack"].target, arguments["unpack"].target) == (pack, unpack)
