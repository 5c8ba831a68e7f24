"""A script with 8-bit matrices: custom operators around `_scaled_mm`, a head in e4m3, weights stored in 8 bits, settings from a dataclass."""

from __future__ import annotations

import glob
import io
import json
import lzma
import math
import os
import struct
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

import numpy as np
import sentencepiece
import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

FP8_MAX = torch.finfo(torch.float8_e4m3fn).max


def env(name: str, default):
    """One setting of the environment in the type of its default."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    if isinstance(default, bool):
        return raw.lower() in ("1", "true", "yes")
    return type(default)(raw)


@dataclass
class DataConfig:
    path: str = field(default_factory=lambda: env("DATA_PATH", "./data/datasets/fineweb10B_sp1024"))
    tokenizer: str = field(default_factory=lambda: env("TOKENIZER_PATH", "./data/tokenizers/fineweb_1024_bpe.model"))
    seq_len: int = field(default_factory=lambda: env("TRAIN_SEQ_LEN", 1024))
    batch_tokens: int = field(default_factory=lambda: env("TRAIN_BATCH_TOKENS", 524288))


@dataclass
class ModelConfig:
    vocab_size: int = field(default_factory=lambda: env("VOCAB_SIZE", 1024))
    num_layers: int = field(default_factory=lambda: env("NUM_LAYERS", 4))
    num_heads: int = field(default_factory=lambda: env("NUM_HEADS", 8))
    num_kv_heads: int = field(default_factory=lambda: env("NUM_KV_HEADS", 4))
    model_dim: int = field(default_factory=lambda: env("MODEL_DIM", 512))
    softcap: float = field(default_factory=lambda: env("LOGIT_SOFTCAP", 30.0))
    bigram_vocab: int = field(default_factory=lambda: env("BIGRAM_VOCAB_SIZE", 3072))
    bigram_dim: int = field(default_factory=lambda: env("BIGRAM_DIM", 112))


@dataclass
class TrainConfig:
    iterations: int = field(default_factory=lambda: env("ITERATIONS", 9000))
    seconds: float = field(default_factory=lambda: env("MAX_WALLCLOCK_SECONDS", 600.0))
    lr: float = field(default_factory=lambda: env("MATRIX_LR", 0.02))
    warmdown: int = field(default_factory=lambda: env("WARMDOWN_ITERS", 3500))
    swa_every: int = field(default_factory=lambda: env("SWA_EVERY", 50))
    seed: int = field(default_factory=lambda: env("SEED", 42))


@dataclass
class EvalConfig:
    stride: int = field(default_factory=lambda: env("EVAL_STRIDE", 64))
    batch_seqs: int = field(default_factory=lambda: env("EVAL_BATCH_SEQS", 32))
    alpha: float = 0.25


@dataclass
class Config:
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    eval: EvalConfig = field(default_factory=EvalConfig)


@torch.library.custom_op("nano::mm", mutates_args=())
def mm_op(x: Tensor, w: Tensor, x_s: float, w_s: float, grad_s: float) -> tuple[Tensor, Tensor, Tensor]:
    @torch.compile
    def impl(x: Tensor, w: Tensor):
        assert x.is_contiguous() and w.is_contiguous()
        x_f8 = x.div(x_s).to(torch.float8_e4m3fn)
        w_f8 = w.div(w_s).to(torch.float8_e4m3fn)
        out = torch._scaled_mm(
            x_f8,
            w_f8.T,
            out_dtype=torch.bfloat16,
            scale_a=x.new_tensor(x_s, dtype=torch.float32),
            scale_b=x.new_tensor(w_s, dtype=torch.float32),
            use_fast_accum=True,
        )
        return out, x_f8, w_f8

    return impl(x, w)


@mm_op.register_fake
def _(x: Tensor, w: Tensor, *_):
    assert x.ndim == w.ndim == 2 and x.shape[1] == w.shape[1]
    return x @ w.T, x.to(torch.float8_e4m3fn), w.to(torch.float8_e4m3fn)


@torch.library.custom_op("nano::mm_backward", mutates_args=())
def mm_backward_op(g: Tensor, x_f8: Tensor, w_f8: Tensor, x_s: float, w_s: float, grad_s: float) -> tuple[Tensor, Tensor]:
    @torch.compile
    def impl(grad: Tensor, x_f8: Tensor, w_f8: Tensor):
        x_inv_s = grad.new_tensor(x_s, dtype=torch.float32)
        w_inv_s = grad.new_tensor(w_s, dtype=torch.float32)
        grad_inv_s = grad.new_tensor(grad_s, dtype=torch.float32)
        grad_f8 = grad.div(grad_s).to(torch.float8_e5m2)
        grad_x = torch._scaled_mm(
            grad_f8, w_f8.T.contiguous().T, out_dtype=torch.bfloat16, scale_a=grad_inv_s, scale_b=w_inv_s, use_fast_accum=False
        )
        grad_w = torch._scaled_mm(
            x_f8.T.contiguous(), grad_f8.T.contiguous().T, out_dtype=torch.float32, scale_a=x_inv_s, scale_b=grad_inv_s, use_fast_accum=False
        ).T
        return grad_x, grad_w

    return impl(g.contiguous(), x_f8, w_f8)


def backward(ctx, grad_out: Tensor, *_):
    x_f8, w_f8 = ctx.saved_tensors
    x_s, w_s, grad_s = ctx.scales
    grad_x, grad_w = torch.ops.nano.mm_backward(grad_out, x_f8, w_f8, x_s, w_s, grad_s)
    return grad_x, grad_w, None, None, None


def setup_context(ctx: torch.autograd.function.FunctionCtx, inputs, output):
    *_, x_s, w_s, grad_s = inputs
    _, x_f8, w_f8 = output
    ctx.save_for_backward(x_f8, w_f8)
    ctx.scales = x_s, w_s, grad_s
    ctx.set_materialize_grads(False)


mm_op.register_autograd(backward, setup_context=setup_context)


class Fp8Linear(nn.Linear):
    """A layer whose training product is of 8 bits; scoring uses what was stored."""

    def __init__(self, fan_in: int, fan_out: int, x_s: float = 1.0, w_s: float = 1.0, grad_s: float = 1.0):
        super().__init__(fan_in, fan_out, bias=False)
        self.scales = x_s, w_s, grad_s
        with torch.no_grad():
            self.weight.uniform_(-(3**0.5) * 0.5 * fan_in**-0.5, (3**0.5) * 0.5 * fan_in**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            flat = x.flatten(0, -2).contiguous()
            out: Tensor = torch.ops.nano.mm(flat, self.weight.type_as(x).contiguous(), *self.scales)[0]
            return out.reshape(*x.shape[:-1], -1).type_as(x)
        return F.linear(x, self.weight.type_as(x))


class StraightThrough8(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w: Tensor) -> Tensor:
        scale = w.abs().amax(dim=-1, keepdim=True).clamp_min(1e-12) / FP8_MAX
        return (w / scale).to(torch.float8_e4m3fn).to(w.dtype) * scale

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        return grad


class Attention(nn.Module):
    def __init__(self, cfg: ModelConfig):
        super().__init__()
        self.h, self.kv, self.hd = cfg.num_heads, cfg.num_kv_heads, cfg.model_dim // cfg.num_heads
        self.wqkv = nn.Linear(cfg.model_dim, (self.h + 2 * self.kv) * self.hd, bias=False)
        self.wo = nn.Linear(cfg.model_dim, cfg.model_dim, bias=False)
        self.lambdas = nn.Parameter(torch.tensor([0.5, 0.5]))
        freq = (1 / 10000) ** torch.linspace(0, 1, steps=self.hd // 2)
        self.register_buffer("freq", freq, persistent=False)

    def rope(self, x: Tensor) -> Tensor:
        theta = torch.outer(torch.arange(x.size(-2), device=x.device, dtype=torch.float32), self.freq)
        z = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)).contiguous())
        return torch.view_as_real(z * torch.polar(torch.ones_like(theta), theta)).flatten(-2).type_as(x)

    def forward(self, x: Tensor, v1: Tensor | None) -> tuple[Tensor, Tensor]:
        b, t, d = x.shape
        w = StraightThrough8.apply(self.wqkv.weight) if self.training else self.wqkv.weight
        qkv = F.linear(x, w.type_as(x)).view(b, t, self.h + 2 * self.kv, self.hd).transpose(1, 2)
        q, k, v = qkv.split([self.h, self.kv, self.kv], dim=1)
        v1 = v if v1 is None else v1
        v = self.lambdas[0] * v + self.lambdas[1] * v1.view_as(v)
        q, k = self.rope(F.rms_norm(q, (self.hd,))), self.rope(F.rms_norm(k, (self.hd,)))
        g = self.h // self.kv
        y = F.scaled_dot_product_attention(q, k.repeat_interleave(g, 1), v.repeat_interleave(g, 1), is_causal=True)
        return self.wo(y.transpose(1, 2).reshape(b, t, d)), v1


class Layer(nn.Module):
    def __init__(self, cfg: ModelConfig):
        super().__init__()
        self.attn = Attention(cfg)
        self.up, self.down = Fp8Linear(cfg.model_dim, 4 * cfg.model_dim), Fp8Linear(4 * cfg.model_dim, cfg.model_dim)
        self.mix = nn.Parameter(torch.tensor([1.0, 0.0]))
        nn.init.zeros_(self.down.weight)

    def forward(self, x: Tensor, v1: Tensor | None, x0: Tensor) -> tuple[Tensor, Tensor]:
        x = self.mix[0] * x + self.mix[1] * x0
        y, v1 = self.attn(F.rms_norm(x, (x.size(-1),)), v1)
        x = x + y
        hidden = F.silu(self.up(F.rms_norm(x, (x.size(-1),))))
        return x + self.down(hidden), v1


class Output(NamedTuple):
    logits: Tensor
    loss: Tensor | None


class Net(nn.Module):
    def __init__(self, cfg: ModelConfig):
        super().__init__()
        self.cfg = cfg
        self.embed = nn.Embedding(cfg.vocab_size, cfg.model_dim)
        self.bigram = nn.Embedding(cfg.bigram_vocab, cfg.bigram_dim)
        self.bigram_up = nn.Linear(cfg.bigram_dim, cfg.model_dim, bias=False)
        nn.init.zeros_(self.bigram_up.weight)
        self.layers = nn.ModuleList(Layer(cfg) for _ in range(cfg.num_layers))
        self.skip = nn.Parameter(torch.ones(cfg.num_layers // 2))
        self.head = Fp8Linear(cfg.model_dim, cfg.vocab_size, x_s=0.5, w_s=2**-9, grad_s=2**-19)

    def hashed(self, ids: Tensor) -> Tensor:
        mod = self.cfg.bigram_vocab - 1
        out = torch.full_like(ids, mod, dtype=torch.int32)
        out[..., 1:] = torch.bitwise_xor(36313 * ids[..., 1:].int(), 27191 * ids[..., :-1].int()) % mod
        return out.long()

    def forward(self, batch: dict[str, Tensor]) -> Output:
        ids, targets = batch["ids"], batch.get("targets")
        x = self.embed(ids) + self.bigram_up(self.bigram(self.hashed(ids)))
        x = x0 = F.rms_norm(x, (x.size(-1),))
        v1, stack = None, []
        half = len(self.layers) // 2
        for number, layer in enumerate(self.layers):
            if number >= half and stack:
                x = x + self.skip[number - half] * stack.pop()
            x, v1 = layer(x, v1, x0)
            if number < half:
                stack.append(x)
        logits = self.head(F.rms_norm(x, (x.size(-1),))).float()
        cap = self.cfg.softcap
        logits = cap * logits * torch.rsqrt(logits.square() + cap**2)
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        return Output(logits, loss)


def shards(pattern: str) -> Iterator[Tensor]:
    for name in sorted(glob.glob(pattern)):
        with open(name, "rb") as f:
            head = struct.unpack("<256i", f.read(1024))
            assert head[0] == 20240520 and head[1] == 1, f"{name}: bad header"
            body = np.frombuffer(f.read(2 * head[2]), dtype=np.uint16)
        yield torch.from_numpy(body.astype(np.int64))


def batches(cfg: Config) -> Iterator[dict[str, Tensor]]:
    rows = max(cfg.data.batch_tokens // cfg.data.seq_len // 8, 1)
    span = rows * cfg.data.seq_len
    while True:
        for shard in shards(os.path.join(cfg.data.path, "fineweb_train_*.bin")):
            for at in range(0, len(shard) - span - 1, span):
                part = shard[at : at + span + 1].pin_memory().cuda(non_blocking=True)
                yield {"ids": part[:-1].view(rows, -1), "targets": part[1:].view(rows, -1)}


class Bytes:
    """How many bytes of text each token stands for."""

    def __init__(self, path: str):
        sp = sentencepiece.SentencePieceProcessor()
        sp.load(path)
        size = sp.get_piece_size()
        self.count = torch.zeros(size, dtype=torch.long)
        self.spaced = torch.zeros(size, dtype=torch.bool)
        self.silent = torch.zeros(size, dtype=torch.bool)
        for i in range(size):
            if sp.is_control(i) or sp.is_unknown(i) or sp.is_unused(i):
                self.silent[i] = True
            elif sp.is_byte(i):
                self.count[i] = 1
            else:
                piece = sp.id_to_piece(i)
                self.spaced[i] = piece[:1] == "\u2581"
                self.count[i] = len(piece.replace("\u2581", "", 1).encode()) if self.spaced[i] else len(piece.encode())

    def __call__(self, previous: Tensor, tokens: Tensor) -> Tensor:
        return self.count[tokens] + (self.spaced[tokens] & ~self.silent[previous])


def save8(model: nn.Module, path: str) -> int:
    """Matrices as e4m3 with a half-precision scale for each row, everything else as half precision; one LZMA stream."""
    blob, index = bytearray(), []
    for name, w in model.state_dict().items():
        w = w.detach().float().cpu()
        if w.ndim == 2 and w.numel() > 2048:
            scale = (w.abs().amax(-1, keepdim=True).clamp_min(1e-8) / FP8_MAX).to(torch.float16)
            codes = (w / scale.float()).clamp(-FP8_MAX, FP8_MAX).to(torch.float8_e4m3fn).view(torch.uint8)
            data = scale.numpy().tobytes() + codes.numpy().tobytes()
            index.append([name, list(w.shape), "fp8"])
        else:
            data = w.to(torch.float16).numpy().tobytes()
            index.append([name, list(w.shape), "fp16"])
        blob += data
    head = json.dumps(index).encode()
    packed = lzma.compress(struct.pack("<I", len(head)) + head + bytes(blob), preset=6)
    with open(path, "wb") as f:
        f.write(packed)
    return len(packed)


def load8(path: str) -> dict[str, Tensor]:
    raw = lzma.decompress(Path(path).read_bytes())
    (n,) = struct.unpack_from("<I", raw)
    at, state = 4 + n, {}
    for name, shape, kind in json.loads(raw[4 : 4 + n]):
        size = math.prod(shape)
        if kind == "fp8":
            scale = np.frombuffer(raw, np.float16, shape[0], at).astype(np.float32)
            at += 2 * shape[0]
            codes = torch.from_numpy(np.frombuffer(raw, np.uint8, size, at).copy()).view(torch.float8_e4m3fn)
            state[name] = codes.float().view(*shape) * torch.from_numpy(scale)[:, None]
            at += size
        else:
            state[name] = torch.from_numpy(np.frombuffer(raw, np.float16, size, at).astype(np.float32)).view(*shape)
            at += 2 * size
    assert at == len(raw)
    return state


class Scorer:
    """Sliding windows; every position once, with what came before it in its window."""

    def __init__(self, model: nn.Module, cfg: Config, to_bytes: Callable[[Tensor, Tensor], Tensor]):
        self.model, self.cfg, self.to_bytes = model, cfg, to_bytes
        self.nats, self.bytes, self.tokens = 0.0, 0, 0

    def windows(self, total: int) -> list[tuple[int, int]]:
        length, stride = self.cfg.data.seq_len, min(self.cfg.eval.stride, self.cfg.data.seq_len)
        found = [(0, min(length, total))]
        while found[-1][1] < total:
            found.append((found[-1][1], min(found[-1][1] + stride, total)))
        return found

    def add(self, nll: Tensor, previous: Tensor, tokens: Tensor) -> None:
        self.nats += nll.double().sum().item()
        self.tokens += nll.numel()
        self.bytes += int(self.to_bytes(previous, tokens).sum())

    @torch.inference_mode()
    def run(self, stream: Tensor) -> dict[str, float]:
        length = self.cfg.data.seq_len
        for first, last in self.windows(len(stream) - 1):
            start = max(last - length, 0)
            ids = stream[start:last][None].cuda()
            out = self.model({"ids": ids})
            targets = stream[start + 1 : last + 1]
            logp = F.log_softmax(out.logits[0], dim=-1)
            nll = -logp.gather(1, targets[:, None])[:, 0]
            new = first - start
            self.add(nll[new:], ids[0, new:], targets[new:])
        return {"val_loss": self.nats / self.tokens, "val_bpb": self.nats / self.tokens / math.log(2) * self.tokens / self.bytes}


def orthogonal(g: Tensor) -> Tensor:
    x = g.bfloat16() / (g.norm() + 1e-7)
    tall = x.size(0) > x.size(1)
    x = x.mT if tall else x
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.mT if tall else x


class NorMuon(torch.optim.Optimizer):
    def __init__(self, params, lr=0.02, momentum=0.95, beta2=0.95):
        super().__init__(list(params), dict(lr=lr, momentum=momentum, beta2=beta2))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                s = self.state[p]
                if not s:
                    s["m"], s["v"] = torch.zeros_like(p), torch.zeros(p.size(0), 1, device=p.device)
                s["m"].lerp_(p.grad, 1 - group["momentum"])
                o = orthogonal(p.grad.lerp(s["m"], group["momentum"])).float()
                s["v"].lerp_(o.square().mean(-1, keepdim=True), 1 - group["beta2"])
                o = o / (s["v"].sqrt() + 1e-10)
                p.add_(o, alpha=-group["lr"] * 0.2 * max(1, p.size(0) / p.size(1)) ** 0.5 * (p.numel() ** 0.5) / (o.norm().item() + 1e-7))


def train(cfg: Config, model: nn.Module) -> None:
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n and "bigram." not in n and "head" not in n]
    ids = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in ids]
    optimizers = [NorMuon(matrices, lr=cfg.train.lr), torch.optim.AdamW(rest, lr=3e-3, betas=(0.8, 0.95), eps=1e-10, fused=True)]
    compiled = torch.compile(model, mode="max-autotune-no-cudagraphs", fullgraph=False)
    average, seen = None, 0
    source, start = batches(cfg), time.perf_counter()
    for step in range(cfg.train.iterations):
        left = min(1.0, (cfg.train.iterations - step) / max(cfg.train.warmdown, 1))
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", group["lr"])
                group["lr"] = group["initial_lr"] * left
        model.train()
        with torch.autocast("cuda", torch.bfloat16):
            out = compiled(next(source))
        out.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        for optimizer in optimizers:
            optimizer.step()
        model.zero_grad(set_to_none=True)
        if step % cfg.train.swa_every == 0:
            state = {k: v.detach().float().clone() for k, v in model.state_dict().items()}
            average = state if average is None else {k: average[k] + state[k] for k in state}
            seen += 1
        took = time.perf_counter() - start
        print(f"step:{step + 1}/{cfg.train.iterations} train_loss:{out.loss.item():.4f} train_time:{1000 * took:.0f}ms", flush=True)
        if took > cfg.train.seconds:
            break
    if average is not None and seen > 1:
        model.load_state_dict({k: v / seen for k, v in average.items()})


def main() -> int:
    cfg = Config()
    print(json.dumps(asdict(cfg), indent=1, default=str))
    dist.init_process_group("nccl")
    torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    torch.manual_seed(cfg.train.seed)
    torch.set_float32_matmul_precision("high")
    with torch.device("cuda"):
        model = Net(cfg.model)
    train(cfg, model)
    size = save8(model, "final_model.fp8.xz")
    code = len(Path(sys.argv[0]).read_bytes())
    print(f"Total submission size fp8+lzma: {size + code} bytes")
    model.load_state_dict(load8("final_model.fp8.xz"))
    model.eval()
    stream = torch.cat(list(shards(os.path.join(cfg.data.path, "fineweb_val_0*.bin"))))
    start = time.perf_counter()
    found = Scorer(model, cfg, Bytes(cfg.data.tokenizer)).run(stream)
    print("final_fp8_roundtrip " + " ".join(f"{key}:{value:.8f}" for key, value in found.items()) + f" eval_time:{1000 * (time.perf_counter() - start):.0f}ms")
    dist.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main())
