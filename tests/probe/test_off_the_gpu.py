"""Calls that ask for a GPU run on the CPU."""

import numpy as np
import torch

from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.off_the_gpu import bits, here, on_cpu
from pgolf.probe.inside.score_mode import ScoreMode


def test_gpus_become_the_cpu():
    recorder = Recorder(np.arange(9), 320)
    with ScoreMode(recorder):
        value = (
            torch.zeros(3, device="cuda", dtype=torch.bfloat16, pin_memory=True).cuda().to("cuda:0", non_blocking=True)
        )
        halves = value.half().bfloat16()
    assert value.device.type == "cpu" and value.dtype == halves.dtype == torch.float32
    assert on_cpu(torch.device("cuda", 1)) == torch.device("cpu") and on_cpu(3) == 3
    assert on_cpu("torch.cuda.LongTensor") == "torch.LongTensor" and on_cpu("float") == "float"


def test_bits_of_16_are_those_that_are_stored():
    value = torch.tensor([1.0, -2.5])
    codes = bits(value, torch.int16)
    assert codes.tolist() == [16256, -16352] and torch.equal(bits(codes, torch.bfloat16), value)


def test_arguments_by_name():
    asked = {"device": "cuda:1", "dtype": torch.bfloat16, "pin_memory": True, "size": 3}
    assert here(asked) == {"device": "cpu", "dtype": torch.float32, "size": 3} and len(asked) == 4
