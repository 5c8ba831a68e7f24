import io
import pickle

import pytest
import torch

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.compressor.torch_save import TorchSave


class Trap:
    """Would run code when unpickled."""

    def __reduce__(self):
        return (print, ("unpickled",))


def test_round_trip_is_exact_and_repeatable():
    encoded = {
        "w": {"codes": torch.arange(6, dtype=torch.int8).view(2, 3), "step": torch.tensor([0.5, 0.25]).half()},
        "b": {"kept": torch.tensor([1.5, -2.0], dtype=torch.bfloat16), "note": "text", "bits": 6},
    }
    ledger = Ledger()
    data = TorchSave().pack(encoded, ledger)
    assert data == TorchSave().pack(encoded, ledger)
    found = TorchSave().unpack(data)
    assert list(found) == ["w", "b"] and (found["b"]["note"], found["b"]["bits"]) == ("text", 6)
    for name, key in (("w", "codes"), ("w", "step"), ("b", "kept")):
        assert found[name][key].dtype == encoded[name][key].dtype
        assert torch.equal(found[name][key], encoded[name][key])
    assert ledger.receipt("torch_save") == f"2 tensors in {len(data)} bytes"


def test_classes_are_not_unpickled(capsys):
    buffer = io.BytesIO()
    torch.save({"w": Trap()}, buffer)
    with pytest.raises(pickle.UnpicklingError):
        TorchSave().unpack(buffer.getvalue())
    assert capsys.readouterr().out == ""
