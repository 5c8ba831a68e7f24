"""The plugin fused_mlp on a GPU: errors against float64, time against plain PyTorch, and packed files that train with it.

gpu_fused_mlp.py build FOLDER     where pgolf is installed: the packed files, shards and a tokenizer
gpu_fused_mlp.py run FOLDER       where the GPU is; needs PyTorch, Triton, pluggy and sentencepiece
"""

import os
import re
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKS = os.environ.get("PACKS", "plain b85 latin1 mix").split()
SLOPE = 0.5
STEPS = 6
LIMIT = float(os.environ.get("LIMIT", "200"))
"""Seconds for one packed file."""


def build(folder: Path) -> None:
    """One smoke-size file for each pack, and the sample corpus."""
    program = str(Path(sys.executable).with_name("pgolf"))
    sizes = ("--set", "model_dim=128", "--set", "num_heads=4", "--set", "num_kv_heads=2", "--set", "warmup_steps=1")
    for pack in PACKS:
        place = folder / pack
        command = [
            program,
            "build",
            "--smoke",
            "--plugins",
            "fused_mlp,banks",
            *sizes,
            "--pack",
            pack,
            "-o",
            str(place),
        ]
        subprocess.run(command, check=True)
    subprocess.run([program, "data", "sample", "-o", str(folder / "data")], check=True)


def reference(x, fc, proj):
    """The plain form."""
    from torch.nn import functional as F

    return F.linear(F.leaky_relu(F.linear(x, fc), SLOPE).square(), proj)


def fused(x, fc, proj):
    """The plugin's operator."""
    from pgolf_plugins.architecture.fused_mlp import fused_mlp

    return fused_mlp(x, fc, proj, SLOPE)[0]


def tensors(tokens, width, hidden, seed=0):
    """x, fc, proj and the gradient of y, bfloat16."""
    import torch

    generator = torch.Generator("cuda").manual_seed(seed)
    sizes = ((tokens, width), (hidden, width), (width, hidden), (tokens, width))
    made = [torch.randn(size, generator=generator, device="cuda") for size in sizes]
    made[1] *= width**-0.5
    made[2] *= hidden**-0.5
    return [tensor.bfloat16() for tensor in made]


def results(function, given, gradient):
    """y and the gradients."""
    given = [tensor.detach().clone().requires_grad_() for tensor in given]
    y = function(*given)
    y.backward(gradient.to(y.dtype))
    return [y.detach(), *(tensor.grad for tensor in given)]


def errors(tokens, width, hidden):
    """Rows of the relative errors |found - float64| / |float64| of y and the three gradients."""
    *given, gradient = tensors(tokens, width, hidden)
    wanted = results(reference, [tensor.double() for tensor in given], gradient)
    rows = []
    for name, function in (("fused", fused), ("plain", reference)):
        found = results(function, given, gradient)
        numbers = [((one.double() - two).norm() / two.norm()).item() for one, two in zip(found, wanted, strict=True)]
        rows.append((f"{name} {tokens}x{width}x{hidden}", *(f"{number:.2e}" for number in numbers)))
    return rows


def milliseconds(function, given, gradient, turns=3, calls=20):
    """The least mean time of forward and backward over some turns."""
    import torch

    compiled = torch.compile(function, fullgraph=True)
    given = [tensor.detach().clone().requires_grad_() for tensor in given]
    best = float("inf")
    for turn in range(turns + 1):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(calls):
            torch.autograd.grad(compiled(*given), given, gradient)
        end.record()
        torch.cuda.synchronize()
        if turn:
            best = min(best, begin.elapsed_time(end) / calls)
    return best


def times():
    """Rows of milliseconds at full size."""
    rows = []
    for hidden in (1536, 2048):
        *given, gradient = tensors(98304, 512, hidden)
        plain, own = (milliseconds(function, given, gradient) for function in (reference, fused))
        rows.append((f"98304x512x{hidden}", f"{plain:.3f}", f"{own:.3f}", f"{100 * (1 - own / plain):.1f} %"))
    return rows


def kernel_times():
    """Rows of the kernel alone: milliseconds and TFLOP/s."""
    import torch
    import triton

    from pgolf_plugins.architecture.fused_mlp import run_kernel

    rows = []
    for hidden in (1536, 2048):
        x, fc, proj, g = tensors(98304, 512, hidden)
        p = torch.empty(98304, hidden, device="cuda", dtype=torch.bfloat16)
        calls = {
            "forward": partial(run_kernel, x, fc, p, SLOPE, True),
            "backward": partial(run_kernel, g, proj, p, SLOPE, False),
            "cuBLAS X Wf^T alone": partial(torch.matmul, x, fc.t()),
        }
        for name, call in calls.items():
            spent = triton.testing.do_bench(call)
            rows.append((f"{name} {hidden}", f"{spent:.3f}", f"{2 * x.numel() * hidden / spent / 1e9:.0f}"))
    return rows


def train(folder: Path, pack: str):
    """A few steps of one packed file: what the log says."""
    shards = next(path.parent for path in (folder / "data").rglob("fineweb_train_*.bin"))
    tokenizer = next((folder / "data").rglob("*.model"))
    environment = os.environ | {
        "DATA_PATH": str(shards.resolve()),
        "TOKENIZER_PATH": str(tokenizer.resolve()),
        "ITERATIONS": str(STEPS),
        "MAX_WALLCLOCK_SECONDS": "0",
        "TRAIN_LOG_EVERY": "1",
        "VAL_LOSS_EVERY": "0",
        "RUN_ID": "run",
    }
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, str((folder / pack / "train_gpt.py").resolve())]
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=LIMIT)
    text = done.stdout + done.stderr
    prepared = re.findall(r"prepared fused_mlp: (.*)", text)
    losses = re.findall(r"step:\d+/\d+ train_loss:([\d.]+)", text)
    final = re.findall(r"final\S*exact.*val_bpb:([\d.]+)", text)
    if done.returncode or prepared != ["Triton kernel"]:
        print(f"--- {pack} ended with {done.returncode}\n{text[-4000:]}", flush=True)
    return (
        pack,
        str(done.returncode),
        prepared[0] if prepared else "-",
        " ".join(losses[-3:]),
        final[-1] if final else "-",
    )


def table(head, rows) -> str:
    """Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def run(folder: Path) -> None:
    """Everything; a part that fails says so, and the others still run."""
    links = Path(tempfile.mkdtemp())
    (links / "pgolf").symlink_to(ROOT / "pgolf")
    (links / "pgolf_plugins").symlink_to(ROOT / "plugins")
    sys.path.insert(0, str(links))
    parts = {
        "relative error against float64": (
            ("", "y", "dX", "dWf", "dWp"),
            lambda: [
                row for sizes in ((8192, 512, 1536), (8192, 512, 2048), (1000, 64, 192)) for row in errors(*sizes)
            ],
        ),
        "the kernel alone": (("", "ms", "TFLOP/s"), kernel_times),
        "forward and backward, compiled": (("tokens x width x hidden", "plain ms", "fused ms", "saved"), times),
        "packed files": (
            ("pack", "exit", "prepared fused_mlp", "last losses", "BPB"),
            lambda: [train(folder, pack) for pack in PACKS],
        ),
    }
    shown = []
    for title, (head, rows) in parts.items():
        try:
            shown.append(f"\n{title}\n{table(head, rows())}")
        except Exception as error:
            shown.append(f"\n{title}: {type(error).__name__}: {str(error)[-1500:]}")
        print(shown[-1], flush=True)
    print("\n" + "=" * 20, *shown, sep="\n")


if __name__ == "__main__":
    {"build": build, "run": run}[sys.argv[1]](Path(sys.argv[2]))
