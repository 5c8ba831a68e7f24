from types import SimpleNamespace

import pytest
import torch

from pgolf import Param
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.name_plan import NamePlan
from pgolf.runtime.parameters import zeros

STATE = {"tok_emb.weight": torch.zeros(9, 9), "blocks.0.mlp.fc.weight": torch.zeros(300, 300), "gain": torch.zeros(9)}


@pytest.mark.parametrize(
    ("large", "found", "receipt"),
    [
        (False, ["tok_emb.weight", "blocks.0.mlp.fc.weight"], "2 tensors"),
        (True, ["blocks.0.mlp.fc.weight"], "1 matrices"),
    ],
)
def test_large_matrices_alone_or_all(large, found, receipt):
    ledger = Ledger()
    plan = NamePlan("somebody", "patterns", ("weight",), "high", large)
    assert plan(STATE, {}, ledger) == dict.fromkeys(found, "high") and ledger.receipt("somebody") == receipt


def test_a_pattern_that_fits_no_tensor_is_refused():
    session = SimpleNamespace(parameters=(Param("gain", (9,), "scalar", "control", zeros),))
    with pytest.raises(ValueError, match="patterns: 'fc' is in no tensor's name, such as gain"):
        NamePlan("somebody", "patterns", ("gain", "fc"), "high", False).prepare(session)
