"""What scripts do besides: settings nobody knows, processes and ranks, numbers of 8 and 16 bits, modules that are missing."""

import pytest
from probe_runs import run_lines  # noqa: F401

HEAD = "import os, torch\nimport torch.distributed as dist\nfrom torch import nn\nown = os.getpid()\n"
IDIOMS = {
    "settings of another PyTorch": """
import torch._dynamo.config, torch._functorch.config, torch._inductor.config
torch._dynamo.config.no_such_thing = 3
torch._inductor.config.triton.no_such_thing = True
torch._functorch.config.no_such_thing = 1
torch.backends.cuda.preferred_linalg_library("cusolver")
torch.cuda.tunable.enable(True)
assert "H100" in torch.cuda.get_device_name(0)
torch.randn(3).record_stream(torch.cuda.current_stream())
""",
    "16 bits": """
import numpy as np
blob = torch.rand(5).to(torch.float16).numpy().tobytes() + torch.rand(3).half().numpy().tobytes()
assert len(blob) == 16 and np.frombuffer(blob, np.float16, count=5).shape == (5,)
x = torch.tensor([1.0, -2.5, 3.0], dtype=torch.bfloat16)
codes = x.view(torch.int16)
assert codes.tolist() == [16256, -16352, 16448] and torch.equal(codes.view(torch.bfloat16) + x, 2 * x)
torch.set_default_dtype(torch.bfloat16)
nn.Linear(4, 4)(torch.randn(2, 4)).float().sum().backward()
""",
    "8 bits": """
x, w = (torch.randn(16, 32, device="cuda").to(torch.float8_e4m3fn) for _ in range(2))
one = torch.tensor(1.0)
y = torch._scaled_mm(x, w.T, out_dtype=torch.bfloat16, scale_a=one, scale_b=one, use_fast_accum=True)
assert torch.allclose(y, x.float() @ w.float().T, atol=1e-3) and (y + torch.zeros(16, 16)).dtype == y.dtype
""",
    "processes": """
import multiprocessing
from torch.utils.data import DataLoader, IterableDataset
class Numbers(IterableDataset):
    def __iter__(self):
        yield from (torch.full((3,), at) for at in range(4))
for workers in (0, 1):
    assert sum(1 for _ in DataLoader(Numbers(), batch_size=2, num_workers=workers)) == 2
queue = multiprocessing.Queue()
process = multiprocessing.Process(target=lambda: queue.put(3), daemon=True)
process.start()
assert queue.get() == 3 and os.getpid() == own
process.join()
assert process.exitcode == 0
""",
    "ranks": """
from torch.distributed.optim import ZeroRedundancyOptimizer
x, out, seen, objects = torch.ones(4), torch.empty(4), [], [None]
dist.all_to_all_single(out, x)
assert torch.equal(out, x)
dist.scatter(out, [x + 1])
dist.gather_object("a", objects)
assert out[0] == 2.0 and objects == ["a"]
dist.scatter_object_list(objects, ["b"])
assert objects == ["b"] and dist.get_process_group_ranks(None) == [0]
with dist._coalescing_manager(async_ops=True) as manager:
    dist.all_reduce(x)
manager.wait()
torch.multiprocessing.spawn(lambda rank, more: seen.append((rank, more)), args=(3,), nprocs=8)
assert seen == [(0, 3)]
layer = nn.Linear(3, 3)
more = dict(lr=1e-3, parameters_as_bucket_view=True)
optimizer = ZeroRedundancyOptimizer(layer.parameters(), optimizer_class=torch.optim.AdamW, **more)
layer(torch.ones(1, 3)).sum().backward()
optimizer.step()
""",
    "numba": """
import numba
from numba import njit, prange
@njit(cache=True, parallel=True)
def total(count):
    found = numba.typed.Dict.empty(numba.int64, numba.int64)
    for at in prange(count):
        found[0] = found.get(0, 0) + at
    return found[0]
@numba.njit
def more(x):
    return x + 1
assert total(4) == 6 and more(1) == 2
""",
    "a helper in C": """
import ctypes, shutil, subprocess
if shutil.which("gcc"):
    open("helper.c", "w").write("#include <stdint.h>\\nint64_t add(int64_t a, int64_t b) { return a + b; }")
    subprocess.run(["gcc", "-O3", "-shared", "-fPIC", "-o", "helper.so", "helper.c"], check=True)
    helper = ctypes.CDLL(os.path.abspath("helper.so"))
    helper.add.argtypes, helper.add.restype = [ctypes.c_int64] * 2, ctypes.c_int64
    assert helper.add(2, 3) == 5
""",
}


@pytest.mark.parametrize("name", IDIOMS)
def test_it_runs(run_lines, name):  # noqa: F811
    assert run_lines(HEAD + IDIOMS[name] + "\nprint('to the end')").printed.endswith("to the end\n")
