"""Imports that are not there, ranks that are not there, programs that only show something."""

import pytest
from probe_runs import run_lines  # noqa: F401


@pytest.mark.ci
def test_imports_and_ranks(run_lines):  # noqa: F811
    found = run_lines("""
import os, subprocess
import torch, torch.distributed as dist
import triton, triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor
from flash_attn_interface import flash_attn_func as flash_attn_3_func
from flash_attn.flash_attn_interface import flash_attn_varlen_func
import wandb
from torch.utils.tensorboard import SummaryWriter
SummaryWriter("events").add_scalar("loss", 1.0, 1)
assert not os.path.exists("events")
from torch.nn.parallel import DistributedDataParallel as DDP
wandb.init(project="x").log({"a": 1})
@triton.autotune(configs=[triton.Config({"BLOCK": 64})], key=["n"])
@triton.jit
def kernel(x, n: tl.constexpr): pass
assert triton.cdiv(5, 2) == 3 and triton.next_power_of_2(5) == 8
dist.init_process_group("nccl", device_id=torch.device("cuda", int(os.environ["LOCAL_RANK"])))
x = torch.ones(3); dist.all_reduce(x); parts = [torch.zeros(3)]; dist.all_gather(parts, x)
handle = dist.reduce_scatter_tensor(torch.zeros(3), x, async_op=True); handle.wait()
objects = [None]; dist.all_gather_object(objects, {"a": 1})
assert (dist.get_rank(), dist.get_world_size(), parts[0].sum().item(), objects) == (0, 1, 3.0, [{"a": 1}])
model = DDP(torch.nn.Linear(3, 3), device_ids=[0]); model(x).sum().backward()
assert model.module.weight.grad is not None
assert subprocess.run(["nvidia-smi"], stdout=subprocess.PIPE, text=True).stdout == ""
assert subprocess.check_output(["git", "rev-parse", "HEAD"]) == b""
assert subprocess.run(["echo", "said"], capture_output=True, text=True).stdout == "said\\n"
print("good")
""")
    assert (found.error, found.printed) == ("", "good\n")


def test_compressors_give_back_what_they_took(run_lines):  # noqa: F811
    found = run_lines("""
import brotli, zstandard
data = bytes(range(256)) * 9
assert brotli.decompress(brotli.compress(data, quality=11)) == data
assert zstandard.ZstdDecompressor().decompress(zstandard.ZstdCompressor(level=22).compress(data)) == data
print("good")
""")
    assert (found.error, found.printed) == ("", "good\n")
