"""Operators of both passes are counted for the range of the forward that they belong to."""

from types import SimpleNamespace

import pytest
import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity

from pgolf.profile.attribution import attribute
from pgolf.profile.ranges import Ranges


def profiled(call):
    with torch.profiler.profile(activities=[ProfilerActivity.CPU]) as profiler:
        call()
    return attribute(profiler.events(), False)


def test_the_backward_pass_counts_for_the_plugin_of_the_forward():
    ranges = Ranges()
    x, small, large = torch.randn(256, 256), torch.randn(256, 256), torch.randn(256, 256)
    small.requires_grad_()
    large.requires_grad_()

    def step():
        with ranges.on("forward"):
            with ranges.open("one"):
                y = x @ small
                with ranges.open("inner"):
                    for _ in range(6):
                        y = y @ large
            y = y.sum()
        y.backward()

    step()
    found = profiled(step)
    for key in (("backward", "inner"), ("backward", "one"), ("forward", "inner"), ("forward", "one"), ("backward", "")):
        assert found[key] > 0, key  # the sum is nobody's
    assert ("forward", "inner") in found and ("backward", "two") not in found


def event(name, parent=None, number=-1, spent=0.0, start=0):
    """What the profiler says of one operator, in microseconds."""
    time_range = SimpleNamespace(start=start)
    return SimpleNamespace(
        name=name,
        cpu_parent=parent,
        sequence_nr=number,
        device_type=DeviceType.CPU,
        self_cpu_time_total=spent,
        self_device_time_total=10 * spent,
        time_range=time_range,
    )


def test_times_are_summed_by_range_and_by_number():
    stage = event("stage forward")
    one, two = event("plugin one", stage, spent=100.0), event("plugin two", stage)
    backward = event("autograd::engine::evaluate_function: MmBackward0", number=7, spent=1000.0, start=9)
    events = [
        stage,
        one,
        two,
        event("aten::mm", one, number=7, spent=2000.0),
        event("aten::mul", two, number=8, spent=3000.0),
        event("aten::add", stage, number=9, spent=500.0),
        backward,
        event("aten::mm", event("MmBackward0", backward), spent=4000.0, start=9),
        event("autograd::engine::evaluate_function: AddBackward0", number=9, spent=100.0, start=9),
        event("autograd::engine::evaluate_function: AccumulateGrad", spent=200.0, start=9),
    ]
    found = {key: value for key, value in attribute(events, False).items() if value}
    assert found == {
        ("forward", "one"): pytest.approx(2.1),
        ("forward", "two"): 3.0,
        ("forward", ""): 0.5,
        ("backward", "one"): 5.0,
        ("backward", ""): pytest.approx(0.3),
    }
    on_gpu = {key: value for key, value in attribute(events, True).items() if value}
    assert on_gpu["forward", "one"] == 20.0, "a range has no kernels of its own"
    kernel = event("gemm", spent=2000.0)
    kernel.device_type = DeviceType.CUDA
    assert attribute([*events, kernel], True) == attribute(events, True), "kernels count with their operators"


def test_what_no_range_holds_is_the_engines():
    found = profiled(lambda: torch.randn(64, 64) @ torch.randn(64, 64))
    assert {plugin for _, plugin in found} == {""} and sum(found.values()) > 0
