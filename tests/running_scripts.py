"""Whole training scripts as people of the contest write them, in our own words: one trunk, and parts that differ.

A part is Python that follows the trunk and may define its names again: `evaluate`, `Stem`, `calibrate`, `after_training`, ...
"""

from pathlib import Path

TRUNK = '''
"""Trains a small language model, packs it, scores what was packed."""
from __future__ import annotations
import glob
import io
import math
import os
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import sentencepiece as spm
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel as DDP


class Hyperparameters:
    data_path = os.environ.get("DATA_PATH", "./data/datasets/fineweb10B_sp1024")
    train_files = os.path.join(data_path, "fineweb_train_*.bin")
    val_files = os.path.join(data_path, "fineweb_val_*.bin")
    tokenizer_path = os.environ.get("TOKENIZER_PATH", "./data/tokenizers/fineweb_1024_bpe.model")
    run_id = os.environ.get("RUN_ID", "a-run")
    seed = int(os.environ.get("SEED", 1337))
    val_batch_size = int(os.environ.get("VAL_BATCH_SIZE", 524_288))
    val_loss_every = int(os.environ.get("VAL_LOSS_EVERY", 1000))
    iterations = int(os.environ.get("ITERATIONS", 20_000))
    train_batch_tokens = int(os.environ.get("TRAIN_BATCH_TOKENS", 524_288))
    train_seq_len = int(os.environ.get("TRAIN_SEQ_LEN", 1024))
    eval_stride = int(os.environ.get("EVAL_STRIDE", 64))
    max_wallclock_seconds = float(os.environ.get("MAX_WALLCLOCK_SECONDS", 600.0))
    vocab_size = int(os.environ.get("VOCAB_SIZE", 1024))
    num_layers = int(os.environ.get("NUM_LAYERS", 2))
    num_heads = int(os.environ.get("NUM_HEADS", 4))
    num_kv_heads = int(os.environ.get("NUM_KV_HEADS", 2))
    model_dim = int(os.environ.get("MODEL_DIM", 512))
    mlp_mult = int(os.environ.get("MLP_MULT", 2))
    logit_softcap = float(os.environ.get("LOGIT_SOFTCAP", 30.0))
    rope_base = float(os.environ.get("ROPE_BASE", 10000.0))
    learning_rate = float(os.environ.get("LEARNING_RATE", 0.02))
    ttt_learning_rate = float(os.environ.get("TTT_LEARNING_RATE", 0.01))
    ttt_epochs = int(os.environ.get("TTT_EPOCHS", 2))
    ttt_chunk_tokens = int(os.environ.get("TTT_CHUNK_TOKENS", 32_768))


def orthogonalize(update: Tensor, steps: int = 5) -> Tensor:
    a, b, c = 3.4445, -4.7750, 2.0315
    x = update.bfloat16()
    x = x / (x.norm() + 1e-7)
    flipped = x.size(0) > x.size(1)
    x = x.T if flipped else x
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if flipped else x


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.95):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                buffer = state.setdefault("momentum_buffer", torch.zeros_like(p.grad))
                buffer.mul_(group["momentum"]).add_(p.grad)
                p.add_(orthogonalize(p.grad.add(buffer, alpha=group["momentum"])).to(p.dtype), alpha=-group["lr"])


def token_tables(sp, vocab_size, device):
    table_size = max(int(sp.vocab_size()), vocab_size)
    base = np.zeros((table_size,), dtype=np.int16)
    space = np.zeros((table_size,), dtype=np.bool_)
    boundary = np.ones((table_size,), dtype=np.bool_)
    for token in range(int(sp.vocab_size())):
        if sp.is_control(token) or sp.is_unknown(token) or sp.is_unused(token):
            continue
        boundary[token] = False
        if sp.is_byte(token):
            base[token] = 1
            continue
        piece = sp.id_to_piece(token)
        if piece.startswith("\\u2581"):
            space[token] = True
            piece = piece[1:]
        base[token] = len(piece.encode("utf-8"))
    return tuple(torch.from_numpy(t).to(device) for t in (base, space, boundary))


def load_shard(path):
    header = np.fromfile(path, dtype="<i4", count=256)
    if header.size != 256 or int(header[0]) != 20240520:
        raise ValueError(f"{path} is no shard")
    tokens = np.fromfile(path, dtype="<u2", count=int(header[2]), offset=1024)
    return torch.from_numpy(tokens.astype(np.uint16, copy=False))


def load_validation_tokens(pattern, seq_len):
    files = sorted(glob.glob(pattern))
    if not files:
        raise FileNotFoundError(pattern)
    tokens = torch.cat([load_shard(Path(file)) for file in files]).contiguous()
    usable = (tokens.numel() - 1) // seq_len * seq_len
    return tokens[: usable + 1]


class Stream:
    def __init__(self, pattern):
        self.files = sorted(glob.glob(pattern))
        self.tokens, self.at = load_shard(self.files[0]), 0

    def take(self, count):
        if self.at + count > self.tokens.numel():
            self.at = 0
        part = self.tokens[self.at : self.at + count]
        self.at += count
        return part


class CastedLinear(nn.Linear):
    def forward(self, x):
        return F.linear(x, self.weight.to(x.dtype))


def rotate(x, cos, sin):
    half = x.size(-1) // 2
    x1, x2 = x[..., :half], x[..., half:]
    return torch.cat((x1 * cos + x2 * sin, x2 * cos - x1 * sin), dim=-1)


class Attention(nn.Module):
    def __init__(self, dim, heads, kv_heads, rope_base):
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = heads, kv_heads, dim // heads
        self.c_q = CastedLinear(dim, dim, bias=False)
        self.c_k = CastedLinear(dim, kv_heads * self.head_dim, bias=False)
        self.c_v = CastedLinear(dim, kv_heads * self.head_dim, bias=False)
        self.proj = CastedLinear(dim, dim, bias=False)
        self.register_buffer(
            "freq", 1.0 / rope_base ** (torch.arange(0, self.head_dim, 2).float() / self.head_dim), persistent=False
        )

    def forward(self, x):
        b, t, d = x.shape
        q = self.c_q(x).reshape(b, t, self.heads, self.head_dim).transpose(1, 2)
        k = self.c_k(x).reshape(b, t, self.kv_heads, self.head_dim).transpose(1, 2)
        v = self.c_v(x).reshape(b, t, self.kv_heads, self.head_dim).transpose(1, 2)
        angle = torch.outer(torch.arange(t, device=x.device).float(), self.freq)
        cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
        q, k = F.rms_norm(rotate(q, cos, sin), (self.head_dim,)), F.rms_norm(rotate(k, cos, sin), (self.head_dim,))
        y = self.mix(q, k, v)
        return self.proj(y.transpose(1, 2).contiguous().reshape(b, t, d))

    def mix(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)


class Stem(nn.Module):
    def __init__(self, vocab, dim):
        super().__init__()
        self.tok_emb = nn.Embedding(vocab, dim)
        nn.init.normal_(self.tok_emb.weight, std=0.02)

    def forward(self, ids):
        return F.rms_norm(self.tok_emb(ids), (self.tok_emb.weight.size(1),))


class Block(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.attn = Attention(args.model_dim, args.num_heads, args.num_kv_heads, args.rope_base)
        self.fc = CastedLinear(args.model_dim, args.mlp_mult * args.model_dim, bias=False)
        self.proj = CastedLinear(args.mlp_mult * args.model_dim, args.model_dim, bias=False)

    def forward(self, x):
        x = x + self.attn(F.rms_norm(x, (x.size(-1),)))
        return x + self.proj(torch.relu(self.fc(F.rms_norm(x, (x.size(-1),)))).square())


class GPT(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.softcap = args.logit_softcap
        self.stem = Stem(args.vocab_size, args.model_dim)
        self.blocks = nn.ModuleList(Block(args) for _ in range(args.num_layers))

    def logits(self, ids):
        x = self.stem(ids)
        for block in self.blocks:
            x = block(x)
        x = F.linear(F.rms_norm(x, (x.size(-1),)), self.stem.tok_emb.weight.to(x.dtype))
        return self.softcap * torch.tanh(x / self.softcap)

    def forward(self, ids, targets):
        logits = self.logits(ids)
        return F.cross_entropy(logits.reshape(-1, logits.size(-1)).float(), targets.reshape(-1), reduction="mean")


def bytes_of(x, y, tables):
    base, space, boundary = tables
    return (base[y].to(torch.int16) + (space[y] & ~boundary[x]).to(torch.int16)).to(torch.float64).sum()


def evaluate(args, model, val_tokens, tables, device):
    """Sequences side by side."""
    seq_len = args.train_seq_len
    rows = max(args.val_batch_size // (8 * seq_len), 1)
    count = (val_tokens.numel() - 1) // seq_len
    loss_sum = torch.zeros((), device=device, dtype=torch.float64)
    token_count = torch.zeros((), device=device, dtype=torch.float64)
    byte_count = torch.zeros((), device=device, dtype=torch.float64)
    model.eval()
    with torch.inference_mode():
        for first in range(0, count, rows):
            last = min(first + rows, count)
            local = val_tokens[first * seq_len : last * seq_len + 1].to(device=device, dtype=torch.int64, non_blocking=True)
            x, y = local[:-1].reshape(-1, seq_len), local[1:].reshape(-1, seq_len)
            with torch.autocast(device_type="cuda", dtype=torch.bfloat16, enabled=True):
                loss = model(x, y).detach()
            loss_sum += loss.to(torch.float64) * y.numel()
            token_count += y.numel()
            byte_count += bytes_of(x.reshape(-1), y.reshape(-1), tables)
    if dist.is_available() and dist.is_initialized():
        for total in (loss_sum, token_count, byte_count):
            dist.all_reduce(total, op=dist.ReduceOp.SUM)
    val_loss = loss_sum / token_count
    model.train()
    return float(val_loss.item()), float(val_loss.item() / math.log(2.0) * token_count.item() / byte_count.item())


def after_training(args, model, val_tokens, device):
    """What else is done before the model is packed."""


def pack(args, model, train_files, val_tokens, device):
    state = {}
    for name, tensor in model.state_dict().items():
        scale = tensor.float().abs().max().clamp_min(1e-12) / 127.0
        state[name] = ((tensor.float() / scale).round().to(torch.int8), scale)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return zlib.compress(buffer.getvalue(), 9)


def unpack(blob):
    state = torch.load(io.BytesIO(zlib.decompress(blob)), map_location="cpu")
    return {name: codes.float() * scale for name, (codes, scale) in state.items()}


def main():
    code = Path(__file__).read_text(encoding="utf-8")
    args = Hyperparameters()
    distributed = "RANK" in os.environ and "WORLD_SIZE" in os.environ
    rank, world_size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    if 8 % world_size != 0:
        raise ValueError("8 ranks, or a part of them")
    accumulate = 8 // world_size
    if not torch.cuda.is_available():
        raise RuntimeError("CUDA is needed")
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    if distributed:
        dist.init_process_group(backend="nccl", device_id=device)
        dist.barrier()
    print(subprocess.run(["nvidia-smi"], stdout=subprocess.PIPE, text=True, check=False).stdout)
    torch.manual_seed(args.seed)
    torch.cuda.manual_seed_all(args.seed)
    sp = spm.SentencePieceProcessor(model_file=args.tokenizer_path)
    if int(sp.vocab_size()) != args.vocab_size:
        raise ValueError(f"the tokenizer has {sp.vocab_size()} tokens, wanted {args.vocab_size}")
    val_tokens = load_validation_tokens(args.val_files, args.train_seq_len)
    tables = token_tables(sp, args.vocab_size, device)
    print(f"val_loader:shards pattern={args.val_files} tokens:{val_tokens.numel() - 1}")
    base_model = GPT(args).to(device).bfloat16()
    for module in base_model.modules():
        if isinstance(module, CastedLinear):
            module.float()
    model = torch.compile(base_model, dynamic=False, fullgraph=True)
    model = DDP(model, device_ids=[local_rank], broadcast_buffers=False) if distributed else model
    matrices = [p for p in base_model.blocks.parameters() if p.ndim == 2]
    optimizers = [
        Muon(matrices, lr=args.learning_rate),
        torch.optim.Adam([{"params": [base_model.stem.tok_emb.weight], "lr": 0.05}], betas=(0.9, 0.95), fused=True),
    ]
    stream = Stream(args.train_files)
    torch.cuda.synchronize()
    start, elapsed = time.perf_counter(), 0.0
    for step in range(args.iterations):
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        train_loss = torch.zeros((), device=device)
        for micro in range(accumulate):
            local = stream.take(args.train_batch_tokens // (world_size * accumulate) + 1)
            local = local.to(device=device, dtype=torch.int64)
            x, y = local[:-1].reshape(-1, args.train_seq_len), local[1:].reshape(-1, args.train_seq_len)
            with torch.autocast(device_type="cuda", dtype=torch.bfloat16, enabled=True):
                loss = model(x, y)
            train_loss += loss.detach()
            (loss / accumulate).backward()
        for optimizer in optimizers:
            optimizer.step()
        elapsed = 1000.0 * (time.perf_counter() - start)
        print(f"step:{step + 1}/{args.iterations} train_loss:{train_loss.item() / accumulate:.4f} train_time:{elapsed:.0f}ms")
        if elapsed > 1000.0 * args.max_wallclock_seconds:
            break
    after_training(args, base_model, val_tokens, device)
    blob = pack(args, base_model, args.train_files, val_tokens, device)
    with open("final_model.int8.ptz", "wb") as file:
        file.write(blob)
    print(f"Total submission size int8+zlib: {len(blob) + len(code.encode('utf-8'))} bytes")
    with open("final_model.int8.ptz", "rb") as file:
        base_model.load_state_dict(unpack(file.read()), strict=True)
    torch.cuda.synchronize()
    start = time.perf_counter()
    val_loss, val_bpb = evaluate(args, base_model, val_tokens, tables, device)
    seconds = 1000.0 * (time.perf_counter() - start)
    print(f"final_int8_zlib_roundtrip val_loss:{val_loss:.4f} val_bpb:{val_bpb:.4f} eval_time:{seconds:.0f}ms")
    print(f"final_int8_zlib_roundtrip_exact val_loss:{val_loss:.8f} val_bpb:{val_bpb:.8f}")
    if distributed:
        dist.destroy_process_group()
'''
END = """

if __name__ == "__main__":
    main()
"""


def whole(part=""):
    """A script of the trunk and one part."""
    return TRUNK + "\n\n" + part + END


def whole_file(path: Path):
    """The same, of a part in a file."""
    return whole(path.read_text(encoding="utf-8"))
