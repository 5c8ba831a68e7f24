"""Scripts that want a GPU and a compiler run without either."""

import pytest
import torch
from probe_runs import run_lines  # noqa: F401

from pgolf.probe.inside.cuda_stand_in import stand_in_for_accelerator


@pytest.mark.ci
def test_what_scripts_ask_of_a_gpu(run_lines):  # noqa: F811
    found = run_lines("""
import torch
assert torch.cuda.is_available() and torch.cuda.device_count() == 1 and torch.cuda.get_device_capability() == (9, 0)
torch.cuda.set_device(torch.device("cuda", 0)); torch.cuda.synchronize(); torch.cuda.manual_seed_all(3)
with torch.cuda.stream(torch.cuda.Stream()), torch.autocast("cuda", dtype=torch.bfloat16), torch.cuda.amp.autocast():
    x = torch.randn(4, 4, device="cuda", generator=torch.Generator(device="cuda")).bfloat16() @ torch.eye(4).cuda()
event = torch.cuda.Event(enable_timing=True); event.record(); assert event.elapsed_time(event) == 1.0
layer = torch.nn.Linear(4, 4).to("cuda:0").half()
@torch.compile(dynamic=False, fullgraph=True)
def double(x): return 2 * x
assert torch.compile(layer, mode="max-autotune")(double(x)).shape == (4, 4)
torch._dynamo.reset(); torch._dynamo.config.cache_size_limit = 64; torch._inductor.config.coordinate_descent_tuning = True
torch.save({"x": x}, "x.pt"); assert torch.equal(torch.load("x.pt", map_location="cuda:0")["x"], x)
assert torch.cuda.max_memory_allocated() == 0 and torch.cuda.get_device_properties(0).multi_processor_count == 132
print("good")
""")
    assert (found.error, found.printed) == ("", "good\n")


def test_optimizers_ask_no_driver(monkeypatch):
    """With CUDA built in, what is asked of an accelerator ends in an error where there is no driver."""

    def no_driver(*args, **kwargs):
        raise RuntimeError("CUDA driver version is insufficient")

    for name in ("is_available", "device_count", "current_accelerator"):
        monkeypatch.setattr(torch.accelerator, name, no_driver)
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    stand_in_for_accelerator()
    torch.optim.AdamW([weight], lr=0.1).step()
    assert weight[0] < 1 and torch.accelerator.current_accelerator() is None
