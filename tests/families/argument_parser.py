"""A script with a command line, a log by `logging`, results as JSON, batches from a pool of threads, and a GRU."""

import argparse
import json
import logging
import math
import os
import pickle
import statistics
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import brotli
import numpy as np
import sentencepiece as spm
import torch
import torch.nn as nn
import torch.nn.functional as F
from tqdm import tqdm

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
log = logging.getLogger("train")


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-path", default=os.getenv("DATA_PATH", default="./data"))
    parser.add_argument("--tokenizer-path", default=os.getenv("TOKENIZER_PATH", "x.model"))
    parser.add_argument("--vocab-size", type=int, default=1024)
    parser.add_argument("--model-dim", type=int, default=384)
    parser.add_argument("--num-layers", type=int, default=2)
    parser.add_argument("--seq-len", type=int, default=512)
    parser.add_argument("--batch-tokens", type=int, default=2**17)
    parser.add_argument("--max-steps", type=int, default=5000)
    parser.add_argument("--lr", type=float, default=3e-4)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def load_data_shard(file):
    with open(file, "rb") as f:
        header = np.frombuffer(f.read(256 * 4), dtype=np.int32)
        assert header[0] == 20240520, "bad magic"
        ntok = int(header[2])
        tokens = np.frombuffer(f.read(), dtype=np.uint16)
    assert len(tokens) == ntok, "token count"
    return tokens


class Batches:
    def __init__(self, files, tokens, seq_len):
        self.files, self.tokens, self.seq_len = sorted(files), tokens, seq_len
        self.pool = ThreadPoolExecutor(max_workers=1)
        self.rng = np.random.default_rng(0)
        self.waiting = self.pool.submit(self.make)

    def make(self):
        shard = np.memmap(self.files[0], dtype="<u2", mode="r", offset=1024)
        rows = self.tokens // self.seq_len
        at = self.rng.integers(0, len(shard) - self.seq_len - 1, size=rows)
        x = np.stack([shard[i : i + self.seq_len + 1] for i in at]).astype(np.int64)
        return torch.from_numpy(x).pin_memory().to("cuda", non_blocking=True)

    def __next__(self):
        found = self.waiting.result()
        self.waiting = self.pool.submit(self.make)
        return found[:, :-1], found[:, 1:]


class Model(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.embed = nn.Embedding(cfg["vocab_size"], cfg["dim"])
        self.rnn = nn.GRU(cfg["dim"], cfg["dim"], num_layers=cfg["depth"], batch_first=True)
        self.norm = nn.LayerNorm(cfg["dim"])
        self.head = nn.Linear(cfg["dim"], cfg["vocab_size"], bias=False)
        self.head.weight = self.embed.weight

    def forward(self, x, state=None):
        h, state = self.rnn(self.embed(x), state)
        return self.head(self.norm(h)), state


def quantize(state):
    packed = {}
    for name, w in state.items():
        w = w.float().cpu().numpy()
        scale = np.maximum(np.abs(w).max(axis=-1, keepdims=True), 1e-8) / 31.0
        packed[name] = (np.clip(np.rint(w / scale), -31, 31).astype(np.int8), scale.astype(np.float16))
    return packed


def token_bytes(path, vocab):
    sp = spm.SentencePieceProcessor()
    sp.load(path)
    sizes, spaced, special = np.zeros(vocab, np.int64), np.zeros(vocab, bool), np.zeros(vocab, bool)
    for i in range(sp.get_piece_size()):
        if sp.is_control(i) or sp.is_unknown(i) or sp.is_unused(i):
            special[i] = True
        elif sp.is_byte(i):
            sizes[i] = 1
        else:
            piece = sp.id_to_piece(i)
            spaced[i] = piece[0] == "\u2581"
            sizes[i] = len(piece.lstrip("\u2581").encode()) if spaced[i] else len(piece.encode())
    return sizes, spaced, special


@torch.no_grad()
def evaluate(model, args, tokens):
    """The state goes on from window to window, so that every token has all of the text before it."""
    sizes, spaced, special = token_bytes(args.tokenizer_path, args.vocab_size)
    losses, counts, nbytes, state = [], [], 0, None
    for start in tqdm(range(0, len(tokens) - 1, args.seq_len), desc="eval"):
        part = tokens[start : start + args.seq_len + 1].astype(np.int64)
        x = torch.tensor(part[:-1], dtype=torch.long, device=args.device)[None]
        y = torch.tensor(part[1:], dtype=torch.long, device=args.device)[None]
        with torch.amp.autocast("cuda", dtype=torch.bfloat16):
            logits, state = model(x, state)
        loss = F.cross_entropy(logits.float().flatten(0, 1), y.flatten(), reduction="sum")
        losses.append(loss.item())
        counts.append(y.numel())
        nbytes += int((sizes[part[1:]] + (spaced[part[1:]] & ~special[part[:-1]])).sum())
    val_loss = sum(losses) / sum(counts)
    return val_loss, val_loss / math.log(2) * sum(counts) / nbytes


def main():
    args = parse_args()
    cfg = dict(vocab_size=args.vocab_size, dim=args.model_dim, depth=args.num_layers)
    assert args.device == "cuda", "needs a GPU"
    torch.manual_seed(1337)
    model = Model(cfg).to(args.device)
    raw = model
    if args.compile:
        model = torch.compile(model)
    files = list(Path(args.data_path).glob("fineweb_train_*.bin"))
    opt = torch.optim.AdamW(raw.parameters(), lr=args.lr, betas=(0.9, 0.95), weight_decay=0.1)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=args.lr, total_steps=args.max_steps + 1)
    scaler = torch.amp.GradScaler("cuda", enabled=False)
    loader = Batches(files, args.batch_tokens, args.seq_len)
    recent = []
    for step in range(args.max_steps):
        x, y = next(loader)
        with torch.amp.autocast("cuda", dtype=torch.bfloat16):
            logits, _ = model(x)
            loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
        opt.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(opt)
        nn.utils.clip_grad_norm_(raw.parameters(), 1.0)
        scaler.step(opt)
        scaler.update()
        sched.step()
        recent.append(loss.item())
        if step % 100 == 0:
            log.info("step %d loss %.4f lr %.2e mem %dMB", step, statistics.fmean(recent[-50:]), sched.get_last_lr()[0], torch.cuda.max_memory_allocated() >> 20)
    blob = brotli.compress(pickle.dumps(quantize(model._orig_mod.state_dict() if args.compile else model.state_dict())), quality=9)
    Path("model.bin").write_bytes(blob)
    loaded = pickle.loads(brotli.decompress(Path("model.bin").read_bytes()))
    raw.load_state_dict({name: torch.from_numpy(q.astype(np.float32) * s.astype(np.float32)) for name, (q, s) in loaded.items()})
    raw.eval()
    tokens = np.concatenate([load_data_shard(f) for f in sorted(Path(args.data_path).glob("fineweb_val_*.bin"))])
    val_loss, val_bpb = evaluate(raw, args, tokens)
    log.info("final val_loss: %.6f val_bpb: %.6f bytes: %d", val_loss, val_bpb, len(blob))
    Path("result.json").write_text(json.dumps({"val_loss": round(val_loss, 6), "val_bpb": round(val_bpb, 6)}))


if __name__ == "__main__":
    main()
