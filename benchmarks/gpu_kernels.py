"""Kernels on one GPU: errors against float64 on fresh inputs, and milliseconds beside plain PyTorch, at the shapes of PR #1855.

    gpu_kernels.py [--seed N] [--part cross_entropy] [--part mlp] [--part attention] [--backend NAME ...] [--small]

Needs PyTorch, Triton and pluggy; pgolf need not be installed. Each part that fails says so in a line of its own, and the others
still run. One line of JSON for each figure. `--small` is for trying the script itself.

- fused_cross_entropy and fused_mlp: relative error |found - wanted| / |wanted| of the result and of each gradient, beside that
  of the plain path in the same precision; then forward and backward compiled, in turns, with the peak of memory.
- attention over packed rows: which of flash-attn 3, flash-attn 2, PyTorch's varlen_attn and flex_attention with a document mask
  are there, their errors, and their milliseconds, beside full causal attention over rows of 2,048 tokens and the masked twin.
"""

import argparse
import inspect
import json
import math
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parents[1]
TOKENS, WIDTH, VOCABULARY, LONGEST = 98_304, 512, 8_192, 2_048
HEADS, KV_HEADS, HEAD_DIM = 8, 4, 64
CAP, SLOPE = 30.0, 0.5


def say(part, **figures):
    """One line of JSON."""
    rounded = {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in figures.items()}
    print(json.dumps({"part": part, **rounded}), flush=True)


def guarded(part, function, *args, **figures):
    """Run it; what goes wrong is a line as well."""
    try:
        return function(*args)
    except Exception as error:
        say(part, **figures, error=f"{type(error).__name__}: {str(error).strip()[-300:]}")
    finally:
        torch.cuda.empty_cache()
    return None


def gradients(function, given, weight):
    """The result and the gradient of each given tensor, for the gradient `weight` of the result."""
    given = [tensor.detach().clone().requires_grad_() for tensor in given]
    result = function(*given)
    result.backward(weight.to(result.dtype))
    return [result.detach(), *(tensor.grad for tensor in given)]


def relative(found, wanted):
    """Frobenius norm of the difference over that of `wanted`."""
    return ((found.double() - wanted).norm() / wanted.norm()).item()


def milliseconds(function, given, weight, calls=10, turns=3):
    """(least mean time of forward and backward over some turns, peak GiB beyond what is held before)."""
    given = [tensor.detach().clone().requires_grad_() for tensor in given]
    best = math.inf
    for turn in range(turns + 1):
        if turn == 1:
            torch.cuda.reset_peak_memory_stats()
            held = torch.cuda.memory_allocated()
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(calls):
            result = function(*given)
            torch.autograd.grad(result, given, weight.to(result.dtype))
        end.record()
        torch.cuda.synchronize()
        if turn:
            best = min(best, begin.elapsed_time(end) / calls)
    return best, (torch.cuda.max_memory_allocated() - held) / 2**30


def compare(part, fused, plain, make, small_sizes, size):
    """Errors of both at small sizes, milliseconds of both at full size."""
    for sizes in small_sizes:
        given, weight = make(*sizes)
        wanted = gradients(plain, [tensor.double() for tensor in given], weight.double())
        for name, function in (("fused", fused), ("plain", plain)):
            found = gradients(function, given, weight)
            errors = [relative(one, two) for one, two in zip(found, wanted, strict=True)]
            say(part, kernel=name, sizes=list(sizes), relative_error=[float(f"{error:.3g}") for error in errors])
    given, weight = make(*size)
    for name, function in (("plain", plain), ("fused", fused)):
        spent, peak = milliseconds(torch.compile(function, fullgraph=True), given, weight)
        say(part, kernel=name, sizes=list(size), milliseconds=spent, peak_gib=peak)


def cross_entropy(draw, small):
    """The loss of raw logits (N,V); the fused one never stores capped logits."""
    from pgolf_plugins.architecture.fused_cross_entropy import fused_loss

    def make(rows, vocabulary):
        nonlocal targets
        targets = torch.randint(vocabulary, (rows,), generator=draw, device="cuda")
        return [(8 * normal(draw, rows, vocabulary)).bfloat16()], torch.rand(rows, generator=draw, device="cuda")

    def plain(z):
        logits = z if z.dtype == torch.float64 else z.float()
        return F.cross_entropy(CAP * torch.tanh(logits / CAP), targets, reduction="none")

    def fused(z):
        return fused_loss(z, targets, CAP, None, None)[0]

    targets = None
    sizes = (1024, VOCABULARY) if small else (TOKENS, VOCABULARY)
    compare("fused_cross_entropy", fused, plain, make, ((2048, VOCABULARY), (513, 1000), (64, 50257)), sizes)


def mlp(draw, small):
    """Squared leaky ReLU between two matrices."""
    from pgolf_plugins.architecture.fused_mlp import fused_mlp

    def make(rows, width, hidden):
        given = [normal(draw, rows, width), normal(draw, hidden, width), normal(draw, width, hidden)]
        given[1] *= width**-0.5
        given[2] *= hidden**-0.5
        return [tensor.bfloat16() for tensor in given], normal(draw, rows, width).bfloat16()

    def plain(x, fc, proj):
        return F.linear(F.leaky_relu(F.linear(x, fc), SLOPE).square(), proj)

    def fused(x, fc, proj):
        return fused_mlp(x, fc, proj, SLOPE)[0]

    size = (4096 if small else TOKENS, WIDTH, 4 * WIDTH)
    compare("fused_mlp", fused, plain, make, ((8192, 512, 2048), (8192, 512, 1536), (1000, 64, 192)), size)


def normal(draw, *sizes):
    """Standard normal numbers."""
    return torch.randn(*sizes, generator=draw, device="cuda")


def draw_documents(seed, tokens):
    """Starts of the stretches of a row, with its end: documents of log-normal length (median 500), cut every 2,048 tokens."""
    generator = torch.Generator().manual_seed(seed)
    starts, at = [], 0
    while at < tokens:
        length = max(2, round(math.exp(6.2 + 0.9 * torch.randn((), generator=generator).item())))
        starts += range(at, min(at + length, tokens), LONGEST)
        at += length
    return torch.tensor([*starts, tokens], dtype=torch.int32)


def by_document(q, k, v, cu):
    """Every stretch alone, in the precision given: (N,H,C)."""
    parts = [part.split(cu.diff().tolist()) for part in (q, k, v)]
    rows = []
    for a, b, c in zip(*parts, strict=True):
        heads = [one.transpose(0, 1)[None] for one in (a, b, c)]
        scores = heads[0] @ heads[1].repeat_interleave(HEADS // KV_HEADS, 1).transpose(2, 3) / HEAD_DIM**0.5
        hidden = torch.ones(len(a), len(a), device=a.device, dtype=torch.bool).triu(1)
        weights = scores.masked_fill(hidden, -math.inf).softmax(-1)
        rows.append((weights @ heads[2].repeat_interleave(HEADS // KV_HEADS, 1))[0].transpose(0, 1))
    return torch.cat(rows)


def flash3(cu, tokens):
    """flash-attn 3 over packed rows."""
    from flash_attn_interface import flash_attn_varlen_func

    def call(q, k, v):
        y = flash_attn_varlen_func(
            q, k, v, cu_seqlens_q=cu, cu_seqlens_k=cu, max_seqlen_q=LONGEST, max_seqlen_k=LONGEST, causal=True
        )
        return y[0] if isinstance(y, tuple) else y

    return call


def flash2(cu, tokens):
    """flash-attn 2 over packed rows."""
    from flash_attn import flash_attn_varlen_func

    return lambda q, k, v: flash_attn_varlen_func(q, k, v, cu, cu, LONGEST, LONGEST, causal=True)


def torch_varlen(slots, cu, tokens):
    """PyTorch's own, with `cu` filled up to `slots` numbers (0: as it is), as a compiled forward needs it."""
    from torch.nn.attention.varlen import varlen_attn

    if slots:
        cu = F.pad(cu, (0, slots - len(cu)), value=tokens)
    named = inspect.signature(varlen_attn).parameters
    causal = {"window_size": (-1, 0)} if "window_size" in named else {"is_causal": True}
    grouped = {"enable_gqa": True} if "enable_gqa" in named else {}
    return lambda q, k, v: varlen_attn(q, k, v, cu, cu, LONGEST, LONGEST, **causal, **grouped)


def plugin(cu, tokens):
    """The kernel that varlen_attention takes here, in one graph that knows nothing of the documents beforehand."""
    from pgolf.runtime.context import Context
    from pgolf_plugins.architecture.varlen_attention import VarlenAttention

    kernel = VarlenAttention()
    session = SimpleNamespace(world=SimpleNamespace(device=torch.device("cuda")))
    say("attention", backend="plugin varlen_attention", tokens=tokens, prepared=kernel.prepare(session))
    documents = torch.repeat_interleave(torch.arange(len(cu) - 1, device=cu.device), cu.diff().long())[None]

    def call(q, k, v):
        ctx = Context(None, (), True, {}, {}, {"documents": documents}, None, None, None)
        return kernel(None, q[None], k[None], v[None], 0, 0, ctx)[0]

    return call


def flex(cu, tokens):
    """flex_attention; the blocks that a block of queries sees go back to the start of its first query's document."""
    from torch.nn.attention.flex_attention import BlockMask, flex_attention

    lengths = cu.diff().long()
    begins = torch.repeat_interleave(cu[:-1].long(), lengths)
    blocks = tokens // 128
    first, own = begins[::128] // 128, torch.arange(blocks, device=cu.device)
    numbers = own[None, :] + first[:, None]
    counts = own - first + 1
    indices = torch.where(numbers <= own[:, None], numbers, 0)

    def sees(b, h, t, s):
        return (s <= t) & (s >= begins[t])

    mask = BlockMask.from_kv_blocks(
        counts[None, None].int(), indices[None, None].int(), None, None, BLOCK_SIZE=128, mask_mod=sees
    )

    def call(q, k, v):
        heads = (one.transpose(0, 1)[None] for one in (q, k, v))
        return flex_attention(*heads, block_mask=mask, enable_gqa=True)[0].transpose(0, 1)

    return call


def rows_of_2048(cu, tokens):
    """Not the same function: causal attention over whole rows of 2,048 tokens, by what PyTorch takes."""
    torch.backends.cuda.enable_math_sdp(False)

    def call(q, k, v):
        heads = (one.unflatten(0, (-1, LONGEST)).transpose(1, 2) for one in (q, k, v))
        y = F.scaled_dot_product_attention(*heads, is_causal=True, enable_gqa=True)
        return y.transpose(1, 2).flatten(0, 1)

    return call


def dense_mask(cu, tokens):
    """What the masked twin costs: (N,N) booleans."""
    runs = torch.repeat_interleave(torch.arange(len(cu) - 1, device=cu.device), cu.diff().long())
    t = torch.arange(tokens, device=cu.device)
    mask = (runs[:, None] == runs) & (t[:, None] >= t)

    def call(q, k, v):
        group = HEADS // KV_HEADS
        heads = (q, k.repeat_interleave(group, 1), v.repeat_interleave(group, 1))
        heads = (one.transpose(0, 1)[None] for one in heads)
        return F.scaled_dot_product_attention(*heads, attn_mask=mask)[0].transpose(0, 1)

    return call


BACKENDS = {
    "flash-attn 3": flash3,
    "flash-attn 2": flash2,
    "torch varlen": partial(torch_varlen, 0),
    "torch varlen, 1024 slots": partial(torch_varlen, 1024),
    "torch varlen, 4096 slots": partial(torch_varlen, 4096),
    "plugin varlen_attention": plugin,
    "flex, document mask": flex,
    "rows of 2048 (another function)": rows_of_2048,
    "dense mask": dense_mask,
}


def attention(draw, small, chosen=None):
    """Every backend: errors over 8,192 tokens, milliseconds over a whole micro-batch."""
    seed = draw.initial_seed() % 2**31
    sizes = (8192, 8192 if small else TOKENS)
    inputs = {}
    for tokens in sizes:
        shapes = ((tokens, HEADS), (tokens, KV_HEADS), (tokens, KV_HEADS), (tokens, HEADS))
        made = [normal(draw, *shape, HEAD_DIM).bfloat16() for shape in shapes]
        inputs[tokens] = made[:3], made[3], draw_documents(seed, tokens).cuda()
    given, weight, cu = inputs[sizes[0]]
    wanted = gradients(partial(by_document, cu=cu), [tensor.double() for tensor in given], weight.double())
    say("attention", stretches=[len(inputs[tokens][2]) - 1 for tokens in sizes], tokens=list(sizes))
    for name in chosen or BACKENDS:
        guarded("attention", one_backend, name, BACKENDS[name], inputs, sizes, wanted, backend=name)


def one_backend(name, make, inputs, sizes, wanted):
    """Two lines: errors, then time."""
    given, weight, cu = inputs[sizes[0]]
    torch.compiler.reset()
    if "another" not in name:
        found = gradients(torch.compile(make(cu, sizes[0]), fullgraph=True), given, weight)
        errors = [float(f"{relative(one, two):.3g}") for one, two in zip(found, wanted, strict=True)]
        say("attention", backend=name, tokens=sizes[0], relative_error=errors)
    given, weight, cu = inputs[sizes[1]]
    begin = time.perf_counter()
    spent, peak = milliseconds(
        torch.compile(make(cu, sizes[1]), fullgraph=True), given, weight, calls=2 if "dense" in name else 10
    )
    figures = {"milliseconds": spent, "peak_gib": peak, "seconds_in_all": time.perf_counter() - begin}
    say("attention", backend=name, tokens=sizes[1], **figures)


PARTS = {"cross_entropy": cross_entropy, "mlp": mlp, "attention": attention}


def main():
    """All parts, or those named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    parser.add_argument("--part", action="append", choices=tuple(PARTS))
    parser.add_argument("--backend", action="append", choices=tuple(BACKENDS))
    parser.add_argument("--small", action="store_true")
    chosen = parser.parse_args()
    links = Path(tempfile.mkdtemp())
    (links / "pgolf").symlink_to(ROOT / "pgolf")
    (links / "pgolf_plugins").symlink_to(ROOT / "plugins")
    sys.path.insert(0, str(links))
    begin = time.perf_counter()
    name = torch.cuda.get_device_name()
    say("machine", gpu=name, torch=torch.__version__, capability=torch.cuda.get_device_capability(), seed=chosen.seed)
    draw = torch.Generator("cuda").manual_seed(chosen.seed)
    for part in chosen.part or PARTS:
        given = (chosen.backend,) if part == "attention" else ()
        guarded(part, PARTS[part], draw, chosen.small, *given)
    say("end", seconds=time.perf_counter() - begin)


if __name__ == "__main__":
    main()
