"""A script that fits a hidden vector and a logit bias for every batch of windows to what they have scored already."""

import argparse
import contextlib
import functools
import glob
import io
import math
import os
import random
import sys
import time
import zlib

import numpy as np
import sentencepiece as spm
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel

try:
    import zstandard

    compress, decompress = zstandard.ZstdCompressor(level=22).compress, lambda b: zstandard.ZstdDecompressor().decompress(b)
except ImportError:
    compress, decompress = functools.partial(zlib.compress, level=9), zlib.decompress

try:
    from flash_attn_interface import flash_attn_func

    HAS_FA3 = True
except ImportError:
    HAS_FA3 = False


def get(name, default, kind=None):
    return (kind or type(default))(os.environ.get(name, default))


class H:
    data_path = get("DATA_PATH", "./data/datasets/fineweb10B_sp1024")
    tokenizer_path = get("TOKENIZER_PATH", "./data/tokenizers/fineweb_1024_bpe.model")
    vocab_size = get("VOCAB_SIZE", 1024)
    num_layers = get("NUM_LAYERS", 11)
    model_dim = get("MODEL_DIM", 512)
    num_heads = get("NUM_HEADS", 8)
    num_kv_heads = get("NUM_KV_HEADS", 4)
    mlp_mult = get("MLP_MULT", 3.0)
    train_seq_len = get("TRAIN_SEQ_LEN", 2048)
    eval_seq_len = get("EVAL_SEQ_LEN", 2048)
    eval_stride = get("EVAL_STRIDE", 96)
    train_batch_tokens = get("TRAIN_BATCH_TOKENS", 786_432)
    iterations = get("ITERATIONS", 20_000)
    warmup_steps = get("WARMUP_STEPS", 20)
    max_wallclock_seconds = get("MAX_WALLCLOCK_SECONDS", 600.0)
    qat = get("LATE_QAT", 1, int)
    slot_enabled = bool(int(os.environ.get("SLOT_ENABLED", "1")))
    slot_steps = get("SLOT_STEPS", 24)
    slot_lr = get("SLOT_LR", 0.012)
    slot_lr_min = get("SLOT_LR_MIN", 0.001)
    slot_batch_seqs = get("SLOT_BATCH_SEQS", 32)
    slot_eval_stride = get("SLOT_EVAL_STRIDE", 96)
    logit_softcap = get("LOGIT_SOFTCAP", 30.0)
    seed = get("SEED", 1337)


class FakeQuant(nn.Linear):
    qat_enabled = False

    def forward(self, x):
        w = self.weight.to(x.dtype)
        if FakeQuant.qat_enabled and self.training and w.ndim == 2:
            with torch.no_grad():
                w32 = self.weight.float()
                scale = (w32.abs().amax(dim=1) / 31.0).clamp_min(1.0 / 31.0)
                wq = (torch.clamp(torch.round(w32 / scale[:, None]), -32, 31) * scale[:, None]).to(x.dtype)
            w = w + (wq - w).detach()
        return F.linear(x, w, self.bias.to(x.dtype) if self.bias is not None else None)


class SmearGate(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.gate = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        g = torch.sigmoid(self.gate.to(dtype=x.dtype))[None, None, :]
        return (1 - g) * x + g * torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], dim=1)


class Mixer(nn.Module):
    def __init__(self, a, xsa):
        super().__init__()
        self.heads, self.kv, self.hd, self.xsa = a.num_heads, a.num_kv_heads, a.model_dim // a.num_heads, xsa
        self.q, self.k = FakeQuant(a.model_dim, a.model_dim, bias=False), FakeQuant(a.model_dim, self.kv * self.hd, bias=False)
        self.v, self.o = FakeQuant(a.model_dim, self.kv * self.hd, bias=False), FakeQuant(a.model_dim, a.model_dim, bias=False)
        self.gain = nn.Parameter(torch.full((a.num_heads,), 1.5))
        self.register_buffer("inv", 1.0 / 10000 ** (torch.arange(0, self.hd, 2).float() / self.hd), persistent=False)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.q(x).view(b, t, self.heads, self.hd), self.k(x).view(b, t, self.kv, self.hd), self.v(x).view(b, t, self.kv, self.hd)
        f = torch.outer(torch.arange(t, device=x.device, dtype=self.inv.dtype), self.inv)
        c, s = f.cos()[None, :, None].to(x.dtype), f.sin()[None, :, None].to(x.dtype)
        rot = lambda z: torch.cat((z[..., ::2] * c + z[..., 1::2] * s, z[..., 1::2] * c - z[..., ::2] * s), -1)
        q = rot(F.rms_norm(q, (self.hd,))) * self.gain[None, None, :, None].to(x.dtype)
        k = rot(F.rms_norm(k, (self.hd,)))
        if HAS_FA3:
            y = flash_attn_func(q, k, v, causal=True)
            y = y[0] if isinstance(y, tuple) else y
        else:
            y = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=True, enable_gqa=True).transpose(1, 2)
        if self.xsa:
            yg, vn = y.reshape(b, t, self.kv, -1, self.hd), F.normalize(v, dim=-1).unsqueeze(-2)
            y = (yg - (yg * vn).sum(-1, keepdim=True) * vn).reshape(b, t, self.heads, self.hd)
        return self.o(y.reshape(b, t, d))


class Layer(nn.Module):
    def __init__(self, a, index):
        super().__init__()
        hidden = int(a.mlp_mult * a.model_dim)
        self.mix, self.up, self.down = Mixer(a, index >= a.num_layers - 4), FakeQuant(a.model_dim, hidden, bias=False), FakeQuant(hidden, a.model_dim, bias=False)
        self.scale = 1.0 / math.sqrt(index + 1)
        self.attn_scale, self.mlp_scale = nn.Parameter(torch.ones(a.model_dim)), nn.Parameter(torch.ones(a.model_dim))
        nn.init.zeros_(self.mix.o.weight)
        nn.init.zeros_(self.down.weight)

    def forward(self, x):
        x = x + self.attn_scale.to(x.dtype) * self.mix(F.rms_norm(x, (x.size(-1),)) * self.scale)
        return x + self.mlp_scale.to(x.dtype) * self.down(F.leaky_relu(self.up(F.rms_norm(x, (x.size(-1),)) * self.scale), 0.5).square())


class Model(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.emb, self.smear = nn.Embedding(a.vocab_size, a.model_dim), SmearGate(a.model_dim)
        nn.init.normal_(self.emb.weight, std=0.005)
        self.enc = nn.ModuleList([Layer(a, i) for i in range(a.num_layers // 2)])
        self.dec = nn.ModuleList([Layer(a, i) for i in range(a.num_layers // 2, a.num_layers)])
        self.skips = nn.Parameter(torch.ones(len(self.enc), a.model_dim))
        self.cap = a.logit_softcap

    def forward_hidden(self, ids):
        x = self.smear(F.rms_norm(self.emb(ids), (self.emb.embedding_dim,)))
        kept = []
        for layer in self.enc:
            x = layer(x)
            kept.append(x)
        for i, layer in enumerate(self.dec):
            if kept:
                x = x + self.skips[i].to(x.dtype) * kept.pop()
            x = layer(x)
        return F.rms_norm(x, (x.size(-1),))

    def compute_logits(self, hidden):
        return self.cap * torch.tanh(F.linear(hidden, self.emb.weight.to(hidden.dtype)) / self.cap)

    def forward(self, ids, targets):
        logits = self.compute_logits(self.forward_hidden(ids))
        return F.cross_entropy(logits.view(-1, logits.size(-1)).float(), targets.view(-1))


def read_shard(name):
    header = np.memmap(name, dtype="<i4", mode="r", shape=(256,))
    assert header[0] == 20240520
    return torch.from_numpy(np.array(np.memmap(name, dtype="<u2", mode="r", offset=1024, shape=(int(header[2]),)), dtype=np.int32))


def luts(sp, vocab, device):
    base, space, edge = np.zeros(vocab, np.int16), np.zeros(vocab, bool), np.ones(vocab, bool)
    for i in range(min(vocab, sp.vocab_size())):
        if sp.is_control(i) or sp.is_unknown(i) or sp.is_unused(i):
            continue
        edge[i] = False
        if sp.is_byte(i):
            base[i] = 1
            continue
        p = sp.id_to_piece(i)
        space[i] = p.startswith("\u2581")
        base[i] = len(p.lstrip("\u2581").encode("utf-8")) if space[i] and p != "\u2581" else (0 if p == "\u2581" else len(p.encode("utf-8")))
    return [torch.from_numpy(x).to(device) for x in (base, space, edge)]


def eval_val_sliding_slot(a, model, val, tables, device, rank=0, world=1, log=print):
    """Windows of one length, a stride apart; what is new in each is scored after its vector was fitted to what is old."""
    length, stride = a.eval_seq_len, a.slot_eval_stride
    total = val.numel() - 1
    window_starts = [ws for ws in range(0, total, stride) if ws + length - stride < total]
    mine = window_starts[len(window_starts) * rank // world : len(window_starts) * (rank + 1) // world]
    loss_sum, token_count, byte_count = (torch.zeros((), device=device, dtype=torch.float64) for _ in range(3))
    base, space, edge = tables
    model.eval()
    for p in model.parameters():
        p.requires_grad_(False)
    hidden_fn = torch.compile(model.forward_hidden, dynamic=False, fullgraph=True)
    for bi in range(0, len(mine), a.slot_batch_seqs):
        batch = mine[bi : bi + a.slot_batch_seqs]
        bsz = len(batch)
        x = torch.zeros(bsz, length, dtype=torch.int64, device=device)
        y = torch.zeros(bsz, length, dtype=torch.int64, device=device)
        fit_mask = torch.zeros(bsz, length, device=device)
        score_mask = torch.zeros(bsz, length, device=device, dtype=torch.bool)
        for i, ws in enumerate(batch):
            end = min(ws + length, total)
            wlen = end - ws
            chunk = val[ws : end + 1].to(dtype=torch.int64, device=device)
            x[i, :wlen], y[i, :wlen] = chunk[:-1], chunk[1:]
            s = 0 if ws == 0 else length - stride
            fit_mask[i, :s] = 1.0
            score_mask[i, s:wlen] = True
        with torch.no_grad(), torch.autocast("cuda", dtype=torch.bfloat16):
            hidden = hidden_fn(x)
        hidden_f = hidden.detach().float()
        delta = nn.Parameter(torch.zeros(bsz, 1, hidden_f.size(-1), device=device))
        logit_bias = torch.zeros(bsz, 1, a.vocab_size, device=device, requires_grad=True)
        opt = torch.optim.AdamW([delta, logit_bias], lr=a.slot_lr, weight_decay=1e-8, eps=1e-5)
        count = fit_mask.sum().clamp_min(1.0)
        for step in range(a.slot_steps):
            lr = a.slot_lr_min + 0.5 * (a.slot_lr - a.slot_lr_min) * (1 + math.cos(math.pi * step / a.slot_steps))
            for g in opt.param_groups:
                g["lr"] = lr
            opt.zero_grad()
            logits = model.compute_logits(hidden_f + delta) + logit_bias
            nll = F.cross_entropy(logits.reshape(-1, logits.size(-1)), y.reshape(-1), reduction="none").reshape(bsz, length)
            ((nll * fit_mask).sum() / count).backward()
            opt.step()
        with torch.no_grad():
            logits = model.compute_logits(hidden_f + delta.detach()) + logit_bias.detach()
            nll = F.cross_entropy(logits.reshape(-1, logits.size(-1)), y.reshape(-1), reduction="none").reshape(bsz, length)
        loss_sum += nll[score_mask].double().sum()
        token_count += score_mask.sum()
        tb = base[y].double() + (space[y] & ~edge[x]).double()
        byte_count += tb[score_mask].sum()
        if rank == 0 and bi % (50 * a.slot_batch_seqs) == 0:
            log(f"  slot {bi}/{len(mine)} running_bpb={(loss_sum / byte_count / math.log(2)).item():.6f}")
    if dist.is_available() and dist.is_initialized():
        for t in (loss_sum, token_count, byte_count):
            dist.all_reduce(t, op=dist.ReduceOp.SUM)
    val_loss = (loss_sum / token_count).item()
    return val_loss, val_loss / math.log(2.0) * (token_count.item() / byte_count.item())


def quantize(state, percentiles=(0.999, 0.9995, 1.0)):
    out = {}
    for k, v in state.items():
        v = v.detach().cpu().float()
        if v.ndim != 2 or v.numel() < 4096:
            out[k] = v.half()
            continue
        best, err = None, float("inf")
        for pct in percentiles:
            lim = torch.quantile(v.abs(), pct, dim=1) if pct < 1.0 else v.abs().amax(dim=1)
            s = (lim / 31.0).clamp_min(1e-7).half()
            q = torch.clamp(torch.round(v / s.float()[:, None]), -31, 31).to(torch.int8)
            e = (v - q.float() * s.float()[:, None]).pow(2).mean().item()
            if e < err:
                best, err = (q, s), e
        out[k] = best
    return out


def main(argv=None):
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--tag", default="slot")
    opts, _ = parser.parse_known_args(argv)
    a = H()
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    grad_accum_steps = max(8 // world, 1)
    device = torch.device(f"cuda:{os.environ.get('LOCAL_RANK', 0)}")
    torch.cuda.set_device(device)
    dist.init_process_group("nccl", device_id=device)
    log = (lambda *s: print(*s, flush=True)) if rank == 0 else (lambda *s: None)
    for seeder in (random.seed, np.random.seed, torch.manual_seed):
        seeder(a.seed)
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    model = Model(a).to(device).bfloat16()
    for m in model.modules():
        if isinstance(m, FakeQuant):
            m.float()
    ddp = DistributedDataParallel(torch.compile(model), device_ids=[0]) if world > 1 else torch.compile(model)
    opts_ = [torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.01, fused=True)]
    train = torch.cat([read_shard(f) for f in sorted(glob.glob(f"{a.data_path}/fineweb_train_*.bin"))[:4]])
    val = torch.cat([read_shard(f) for f in sorted(glob.glob(f"{a.data_path}/fineweb_val_[0-9]*.bin"))])
    val = val[: (val.numel() - 1) // a.eval_seq_len * a.eval_seq_len + 1]
    sp = spm.SentencePieceProcessor(model_file=a.tokenizer_path)
    tables = luts(sp, a.vocab_size, device)
    cursor, t0 = 0, time.perf_counter()
    micro = a.train_batch_tokens // (world * grad_accum_steps)
    for step in range(a.iterations):
        FakeQuant.qat_enabled = bool(a.qat) and step > 0
        total = 0.0
        for _ in range(grad_accum_steps):
            if cursor + micro + 1 > train.numel():
                cursor = 0
            local = train[cursor : cursor + micro + 1].long().to(device, non_blocking=True)
            cursor += micro
            with torch.autocast("cuda", torch.bfloat16):
                loss = ddp(local[:-1].view(-1, a.train_seq_len), local[1:].view(-1, a.train_seq_len)) / grad_accum_steps
            loss.backward()
            total += loss.item()
        for o in opts_:
            o.step()
            o.zero_grad(set_to_none=True)
        ms = 1000 * (time.perf_counter() - t0)
        log(f"step:{step + 1}/{a.iterations} train_loss:{total:.4f} train_time:{ms:.0f}ms step_avg:{ms / (step + 1):.2f}ms")
        if ms > 1000 * a.max_wallclock_seconds:
            break
    packed = quantize(model.state_dict())
    buf = io.BytesIO()
    torch.save(packed, buf)
    blob = compress(buf.getvalue())
    with open("final_model.int6.zst", "wb") as f:
        f.write(blob)
    log(f"Total submission size int6+zstd: {len(blob) + len(open(__file__, 'rb').read())} bytes")
    back = torch.load(io.BytesIO(decompress(open("final_model.int6.zst", "rb").read())), map_location="cpu")
    model.load_state_dict({k: v[0].float() * v[1].float()[:, None] if isinstance(v, tuple) else v.float() for k, v in back.items()})
    torch.cuda.synchronize()
    t0 = time.perf_counter()
    val_loss, val_bpb = eval_val_sliding_slot(a, model, val, tables, device, rank, world, log)
    log(f"final_{opts.tag} val_loss:{val_loss:.4f} val_bpb:{val_bpb:.4f} eval_time:{1000 * (time.perf_counter() - t0):.0f}ms")
    log(f"final_{opts.tag}_exact val_loss:{val_loss:.8f} val_bpb:{val_bpb:.8f}")
    with contextlib.suppress(Exception):
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
