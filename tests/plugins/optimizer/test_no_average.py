"""The weights of the last step are the model: nothing is kept, added or changed."""

import torch

from pgolf.testing import Ledger, make_model
from pgolf_plugins.optimizer.no_average import NoAverage


def test_the_live_tensors_stay_what_the_last_step_left():
    average, tensors, ledger = NoAverage(), [torch.randn(3), torch.randn(2, 2)], Ledger()
    average.start(tensors, [("a",), ("b",)])
    for step in range(3):
        for tensor in tensors:
            tensor.add_(1.0)
        average.update(tensors, step, None)
    last = [tensor.clone() for tensor in tensors]
    average.apply(tensors, ledger)
    assert all(map(torch.equal, tensors, last)) and ledger.receipt("no_average") == "last weights"


def test_it_keeps_no_copy():
    average, tensor = NoAverage(), torch.randn(3)
    average.start([tensor], [("a",)])
    average.update([tensor], 1, None)
    assert vars(average) == {}


def test_it_is_the_baselines():
    assert type(make_model().program.average).__name__ in ("NoAverage", "NoneType")
