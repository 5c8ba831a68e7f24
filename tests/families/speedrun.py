"""A script of the speedruns' kind: dataclass of settings, block masks, sharded Adam with futures, a loader in a thread."""

import copy
import glob
import os
import queue
import sys
import threading
import uuid

with open(sys.argv[0]) as f:
    code = f.read()
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

os.environ["PYTORCH_CUDA_ALLOC_CONF"] = "expandable_segments:True"
import torch

torch.empty(1, device="cuda", requires_grad=True).backward()
import sentencepiece
import torch._dynamo
import torch._inductor.config as inductor_config
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

inductor_config.coordinate_descent_tuning = False
torch._dynamo.config.recompile_limit = 64
flex_attention = torch.compile(flex_attention, dynamic=False)


@torch.library.custom_op("speedrun::square", mutates_args=())
def square_op(x: Tensor) -> Tensor:
    return torch.relu(x).square()


@square_op.register_fake
def _(x: Tensor):
    return torch.empty_like(x)


def square_backward(ctx, grad: Tensor):
    return 2.0 * grad * torch.relu(ctx.saved_tensors[0])


square_op.register_autograd(square_backward, setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs))


def norm(x: Tensor):
    return F.rms_norm(x, (x.size(-1),))


class CastedLinear(nn.Linear):
    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, bias=False)

    def reset_parameters(self):
        bound = (3**0.5) * 0.5 * self.in_features**-0.5
        with torch.no_grad():
            self.weight.uniform_(-bound, bound)

    def forward(self, x: Tensor):
        return F.linear(x, self.weight.type_as(x))


class Rotary(nn.Module):
    def __init__(self, dim: int, longest: int):
        super().__init__()
        angular = (1 / 1024) ** torch.linspace(0, 1, steps=dim // 4, dtype=torch.float32)
        angular = torch.cat([angular, angular.new_zeros(dim // 4)])
        theta = torch.einsum("i,j -> ij", torch.arange(longest, dtype=torch.float32), angular)
        self.cos, self.sin = nn.Buffer(theta.cos(), persistent=False), nn.Buffer(theta.sin(), persistent=False)

    def forward(self, x: Tensor):
        cos, sin = self.cos[None, : x.size(-3), None, :], self.sin[None, : x.size(-3), None, :]
        x1, x2 = x.to(dtype=torch.float32).chunk(2, dim=-1)
        return torch.cat((x1 * cos + x2 * sin, x2 * cos - x1 * sin), 3).type_as(x)


class Attention(nn.Module):
    def __init__(self, dim: int, heads: int, longest: int, head_dim=128):
        super().__init__()
        self.heads, self.head_dim = heads, head_dim
        self.qkv_w = nn.Parameter(torch.empty(3, heads * head_dim, dim).uniform_(-0.05, 0.05))
        self.rotary = Rotary(head_dim, longest)
        self.proj = CastedLinear(heads * head_dim, dim)
        self.proj.weight.detach().zero_()

    def forward(self, x: Tensor, mask: BlockMask):
        B, T = x.size(0), x.size(1)
        assert B == 1, "packed sequences"
        q, k, v = F.linear(x, self.qkv_w.flatten(end_dim=1).type_as(x)).view(B, T, 3 * self.heads, self.head_dim).chunk(3, dim=-2)
        q, k = self.rotary(norm(q)), self.rotary(norm(k))
        y = flex_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), block_mask=mask, scale=0.12).transpose(1, 2)
        return self.proj(y.contiguous().view(B, T, self.heads * self.head_dim))


class Block(nn.Module):
    def __init__(self, dim: int, heads: int, longest: int, head_dim: int):
        super().__init__()
        self.attn = Attention(dim, heads, longest, head_dim)
        self.fc, self.proj = CastedLinear(dim, 4 * dim), CastedLinear(4 * dim, dim)
        self.lambdas = nn.Parameter(torch.tensor([1.0, 0.0]))

    def forward(self, x: Tensor, x0: Tensor, mask: BlockMask):
        x = self.lambdas[0] * x + self.lambdas[1] * x0
        x = x + self.attn(norm(x), mask)
        return x + self.proj(torch.ops.speedrun.square(self.fc(norm(x))))


def next_multiple_of_n(v, *, n: int):
    return next(x for x in range(n, int(v) + 1 + n, n) if x >= v)


class GPT(nn.Module):
    def __init__(self, vocab_size: int, num_layers: int, num_heads: int, head_dim: int, model_dim: int, longest: int):
        super().__init__()
        self.embed = nn.Embedding(vocab_size, model_dim)
        self.blocks = nn.ModuleList([Block(model_dim, num_heads, longest, head_dim) for _ in range(num_layers)])
        self.lm_head = CastedLinear(model_dim, next_multiple_of_n(vocab_size, n=128))
        self.skip_weights = nn.Parameter(torch.ones(num_layers // 2))

    def forward(self, inputs: Tensor, targets: Tensor, window: Tensor):
        assert inputs.ndim == 1
        docs = (inputs == 1).cumsum(0)

        def document_causal(b, h, q_idx, kv_idx):
            causal_mask = q_idx >= kv_idx
            return causal_mask & (docs[q_idx] == docs[kv_idx]) & (q_idx - kv_idx < window)

        mask = create_block_mask(document_causal, None, None, len(inputs), len(inputs), device="cuda", _compile=True)
        x = x0 = norm(self.embed(inputs)[None])
        skips, half = [], len(self.skip_weights)
        for i, block in enumerate(self.blocks):
            if i >= half and skips:
                x = x + self.skip_weights[i - half] * skips.pop()
            x = block(x, x0, mask)
            if i < half:
                skips.append(x)
        logits = self.lm_head(norm(x)).float()
        logits = 30 * torch.sigmoid(logits / (7.5 * x.size(-1) ** 0.5))
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets, reduction="sum" if self.training else "mean")


class DistAdam(torch.optim.Optimizer):
    def __init__(self, params, lr: float = 1e-3, betas=(0.9, 0.999), eps: float = 1e-8):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))

    @torch.compile
    @torch.no_grad()
    def step(self):
        rank, world_size = dist.get_rank(), dist.get_world_size()
        scatters, slices = [], []
        for group in self.param_groups:
            for p in group["params"]:
                part = torch.empty_like(p.grad[: p.grad.shape[0] // world_size])
                scatters.append(dist.reduce_scatter_tensor(part, p.grad, op=dist.ReduceOp.AVG, async_op=True).get_future())
                slices.append(part)
        gathers, at = [], 0
        for group in self.param_groups:
            for p in group["params"]:
                scatters[at].wait()
                size = p.shape[0] // world_size
                mine, g, state = p[rank * size : (rank + 1) * size], slices[at], self.state[p]
                if not state:
                    state["step"] = torch.tensor(0, dtype=torch.int64, device=p.device)
                    state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(mine), torch.zeros_like(mine)
                state["step"] += 1
                state["exp_avg"].mul_(0.9).add_(g, alpha=0.1)
                state["exp_avg_sq"].mul_(0.99).addcmul_(g, g, value=0.01)
                mine.add_(state["exp_avg"] / (state["exp_avg_sq"].sqrt() + group["eps"]), alpha=-group["lr"])
                gathers.append(dist.all_gather_into_tensor(p, mine, async_op=True).get_future())
                at += 1
        torch.futures.collect_all(gathers).wait()


def load_data_shard(file: Path):
    header = torch.from_file(str(file), False, 256, dtype=torch.int32)
    assert header[0] == 20240520, "magic number mismatch"
    assert header[1] == 1, "unsupported version"
    num_tokens = int(header[2])
    with file.open("rb", buffering=0) as f:
        tokens = torch.empty(num_tokens, dtype=torch.uint16, pin_memory=True)
        f.seek(256 * 4)
        nbytes = f.readinto(tokens.numpy())
        assert nbytes == 2 * num_tokens, "number of tokens read does not match header"
    return tokens


def data_generator(pattern: str, batch_size: int, rank: int, world_size: int):
    files = [Path(file) for file in sorted(glob.glob(pattern))]
    local = batch_size // world_size
    tokens = load_data_shard(files[0])
    pos = 0
    while True:
        if pos + batch_size + 1 >= len(tokens):
            return
        buf = tokens[pos + rank * local :][: local + 1]
        yield buf[:-1].to(device="cuda", dtype=torch.int32, non_blocking=True), buf[1:].to(device="cuda", dtype=torch.int64, non_blocking=True)
        pos += batch_size


def in_thread(generator, depth=2):
    waiting = queue.Queue(maxsize=depth)

    def fill():
        for item in generator:
            waiting.put(tuple(part.to("cuda", non_blocking=True) for part in item))
        waiting.put(None)

    threading.Thread(target=fill, daemon=True).start()
    while (item := waiting.get()) is not None:
        yield item


@dataclass
class Hyperparameters:
    data_dir: str = os.environ.get("DATA_PATH", "data/fineweb10B")
    train_files: str = os.path.join(data_dir, "fineweb_train_*.bin")
    val_files: str = os.path.join(data_dir, "fineweb_val_*.bin")
    tokenizer: str = os.environ.get("TOKENIZER_PATH", "data/tokenizers/x.model")
    train_seq_len: int = 4 * 1024
    val_seq_len: int = 4 * 1024
    num_iterations: int = 1750
    cooldown_frac: float = 0.45
    vocab_size: int = 1024
    num_layers: int = 4
    num_heads: int = 4
    head_dim: int = 64
    model_dim: int = 256
    window: int = 1024
    val_loss_every: int = 125


args = Hyperparameters()
rank, world_size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
assert 8 % world_size == 0
assert torch.cuda.is_available()
device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
torch.cuda.set_device(device)
dist.init_process_group(backend="nccl", device_id=device)
dist.barrier()
master_process = rank == 0
if master_process:
    run_id = uuid.uuid4()
    os.makedirs("logs", exist_ok=True)
    logfile = f"logs/{run_id}.txt"


def print0(s, console=False):
    if master_process:
        with open(logfile, "a") as f:
            if console:
                print(s)
            print(s, file=f)


print0(code)
print0(f"Running Python {sys.version} PyTorch {torch.version.__version__} compiled for CUDA {torch.version.cuda}")
model: nn.Module = GPT(args.vocab_size, args.num_layers, args.num_heads, args.head_dim, args.model_dim, max(args.train_seq_len, args.val_seq_len)).cuda()
for m in model.modules():
    if isinstance(m, nn.Embedding):
        m.bfloat16()
for param in model.parameters():
    dist.broadcast(param.detach(), 0)
flat_params = [p for p in model.parameters() if p.ndim < 2]
wide_params = [p for p in model.parameters() if p.ndim >= 2]
optimizers = [DistAdam(wide_params, lr=0.008), torch.optim.AdamW(flat_params, lr=0.01, fused=True)]


def get_lr(step: int):
    x = step / args.num_iterations
    return 1.0 if x < 1 - args.cooldown_frac else max((1 - x) / args.cooldown_frac, 0.1)


@lru_cache(1)
def window_of(size: int):
    return torch.tensor(size, dtype=torch.int32, pin_memory=True).cuda(non_blocking=True)


model: nn.Module = torch.compile(model, dynamic=False)
initial = dict(model=copy.deepcopy(model.state_dict()), optimizers=[copy.deepcopy(opt.state_dict()) for opt in optimizers])
warm = data_generator(args.train_files, world_size * args.train_seq_len, rank, world_size)
inputs, targets = next(warm)
model(inputs, targets, window_of(args.window)).backward()
model.zero_grad(set_to_none=True)
model.load_state_dict(initial["model"])
train_loader = in_thread(data_generator(args.train_files, world_size * args.train_seq_len, rank, world_size))
training_time_ms = 0
torch.cuda.synchronize()
t0 = time.perf_counter()
for step in range(args.num_iterations + 1):
    if step == args.num_iterations:
        torch.cuda.synchronize()
        training_time_ms += 1000 * (time.perf_counter() - t0)
        torch.save(dict(step=step, code=code, model=model.state_dict()), f"logs/state_step{step:06d}.pt")
        model.eval()
        sp = sentencepiece.SentencePieceProcessor(model_file=args.tokenizer)
        val_loader = data_generator(args.val_files, world_size * args.val_seq_len, rank, world_size)
        val_loss, val_bytes, val_count = 0, 0, 0
        with torch.no_grad():
            for inputs, targets in val_loader:
                val_loss += model(inputs, targets, window_of(args.window))
                val_count += 1
                val_bytes += sum(len(bytes_) for bytes_ in [sp.id_to_piece(t).replace("\u2581", " ").encode() if not sp.is_byte(t) else b"x" for t in targets.tolist() if not sp.is_control(t)])
                starts = torch.cat([inputs[:1], inputs[:-1]])
                val_bytes -= sum(sp.is_control(a) and sp.id_to_piece(b).startswith("\u2581") for a, b in zip(inputs.tolist(), targets.tolist()))
        val_loss /= val_count
        del val_loader
        dist.all_reduce(val_loss, op=dist.ReduceOp.AVG)
        val_bpb = val_loss / torch.log(torch.tensor(2.0)) * val_count * args.val_seq_len / val_bytes
        print0(f"step:{step}/{args.num_iterations} val_loss:{val_loss:.4f} val_bpb:{val_bpb:.4f} train_time:{training_time_ms:.0f}ms step_avg:{training_time_ms / max(step, 1):.2f}ms", console=True)
        break
    inputs, targets = next(train_loader)
    model(inputs, targets, window_of(args.window)).backward()
    for opt in optimizers:
        for group in opt.param_groups:
            group["lr"] = group.get("initial_lr", group["lr"]) * get_lr(step)
    for opt in optimizers:
        opt.step()
    model.zero_grad(set_to_none=True)
print0(f"peak memory allocated: {torch.cuda.max_memory_allocated() // 1024 // 1024} MiB reserved: {torch.cuda.memory_stats()['reserved_bytes.all.peak'] >> 20} MiB", console=True)
dist.destroy_process_group()
