import torch
from simulated import scalars

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer.lawa import LatestWeightAverage


def run(size, every, values, dtype=torch.float32):
    """The weight at the end and the receipt, where step s ends with the s-th of `values`."""
    tensor, found, ledger = torch.nn.Parameter(torch.zeros(2, dtype=dtype)), LatestWeightAverage(size, every), Ledger()
    found.start([tensor], [("w",)])
    for step, value in enumerate(values, 1):
        tensor.data.fill_(value)
        found.update([tensor], step, scalars())
    found.apply([tensor], ledger)
    return tensor.detach(), ledger.receipt("lawa")


def test_the_mean_of_the_last_snapshots():
    weight, receipt = run(2, 3, range(1, 12))
    assert weight.tolist() == [7.5, 7.5] and receipt == "2 snapshots"  # after steps 6 and 9


def test_fewer_snapshots_than_there_could_be():
    assert run(10, 2, [4.0, 8.0, 2.0, 16.0])[0].tolist() == [12.0, 12.0]


def test_no_snapshot_keeps_the_last_weights():
    weight, receipt = run(10, 100, [1.0, 2.0])
    assert weight.tolist() == [2.0, 2.0] and not receipt


def test_the_mean_is_rounded_once():
    weight, _ = run(3, 1, [1.0, 1.0078125, 1.0078125], torch.bfloat16)
    assert weight.dtype == torch.bfloat16 and weight.tolist() == [1.0078125, 1.0078125]
