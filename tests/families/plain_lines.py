"""A script without functions: one column of lines, bytes as tokens by a table of its own, averaged weights, SWA."""
import os, sys, math, time, glob, struct, copy, zlib, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import torch.distributed as dist
ddp = int(os.environ.get("RANK", -1)) != -1
if ddp:
    dist.init_process_group(backend="nccl")
    ddp_rank = int(os.environ["RANK"]); ddp_local_rank = int(os.environ["LOCAL_RANK"]); ddp_world_size = int(os.environ["WORLD_SIZE"])
    device = f"cuda:{ddp_local_rank}"; torch.cuda.set_device(device); master_process = ddp_rank == 0
else:
    ddp_rank = 0; ddp_world_size = 1; master_process = True; device = "cuda"
DATA = os.environ.get("DATA_PATH", "/data/fineweb10B_sp1024")
VOCAB = int(os.environ.get("VOCAB_SIZE", "1024"))
B, T = 16, 1024
n_layer, n_head, n_embd = 3, 4, 256
total_batch_size = 524288
max_steps = 19073
assert total_batch_size % (B * T * ddp_world_size) == 0
grad_accum_steps = total_batch_size // (B * T * ddp_world_size)
shards = sorted(glob.glob(os.path.join(DATA, "*train*.bin")))
val_shards = sorted(glob.glob(os.path.join(DATA, "*val*.bin")))
assert len(shards) > 0 and len(val_shards) > 0, "no shards"
def read(name):
    with open(name, "rb") as f:
        magic, version, n = struct.unpack("<iii", f.read(12))
        if magic != 20240520: print("ERROR: magic number mismatch in the data .bin file!"); exit(1)
        f.seek(1024)
        return np.fromfile(f, dtype=np.uint16, count=n)
class CausalSelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn = nn.Linear(n_embd, 3 * n_embd, bias=False)
        self.c_proj = nn.Linear(n_embd, n_embd, bias=False)
    def forward(self, x):
        b, t, c = x.size()
        q, k, v = (part.view(b, t, n_head, c // n_head).transpose(1, 2) for part in self.c_attn(x).split(n_embd, dim=2))
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.FLASH_ATTENTION):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).contiguous().view(b, t, c))
class MLP(nn.Sequential):
    def __init__(self): super().__init__(nn.Linear(n_embd, 4 * n_embd), nn.GELU(approximate="tanh"), nn.Linear(4 * n_embd, n_embd))
model = nn.ModuleDict(dict(wte=nn.Embedding(VOCAB, n_embd), wpe=nn.Embedding(T, n_embd), ln1=nn.ModuleList(nn.LayerNorm(n_embd) for _ in range(n_layer)), ln2=nn.ModuleList(nn.LayerNorm(n_embd) for _ in range(n_layer)), attn=nn.ModuleList(CausalSelfAttention() for _ in range(n_layer)), mlp=nn.ModuleList(MLP() for _ in range(n_layer)), ln_f=nn.LayerNorm(n_embd), lm_head=nn.Linear(n_embd, VOCAB, bias=False)))
model.to(device)
model.lm_head.weight = model.wte.weight
def net(idx):
    x = model.wte(idx) + model.wpe(torch.arange(idx.size(1), device=device))
    for a, m, l1, l2 in zip(model.attn, model.mlp, model.ln1, model.ln2):
        x = x + a(l1(x)); x = x + m(l2(x))
    return model.lm_head(model.ln_f(x))
net = torch.compile(net)
torch.set_float32_matmul_precision("high")
optimizer = torch.optim.AdamW(model.parameters(), lr=6e-4, betas=(0.9, 0.95), eps=1e-8, fused=True)
swa, swa_count = None, 0
data, pos = read(shards[0]).astype(np.int32), 0
for step in range(max_steps):
    t0 = time.time()
    lr = 6e-4 * min(1.0, (step + 1) / 715) if step < 715 else 6e-4 * 0.5 * (1 + math.cos(math.pi * step / max_steps))
    for g in optimizer.param_groups: g["lr"] = lr
    optimizer.zero_grad()
    loss_accum = 0.0
    for micro_step in range(grad_accum_steps):
        if pos + B * T + 1 > len(data): pos = 0
        buf = torch.tensor(data[pos : pos + B * T + 1].astype(np.int64)); pos += B * T
        x, y = buf[:-1].view(B, T).to(device), buf[1:].view(B, T).to(device)
        with torch.autocast(device_type="cuda", dtype=torch.bfloat16):
            loss = F.cross_entropy(net(x).view(-1, VOCAB), y.view(-1))
        loss = loss / grad_accum_steps
        loss_accum += loss.detach()
        loss.backward()
    if ddp: dist.all_reduce(loss_accum, op=dist.ReduceOp.AVG)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step >= max_steps // 2:
        now = {k: v.detach().clone().float() for k, v in model.state_dict().items()}
        swa = now if swa is None else {k: swa[k] + (now[k] - swa[k]) / (swa_count + 1) for k in now}; swa_count += 1
    torch.cuda.synchronize()
    if master_process: print("step %5d | loss: %.6f | lr %.4e | norm: %.4f | dt: %.2fms" % (step, loss_accum.item(), lr, norm, (time.time() - t0) * 1000))
if swa is not None: model.load_state_dict(swa)
raw = b"".join(v.cpu().half().numpy().tobytes() for v in model.state_dict().values())
open("weights.zz", "wb").write(zlib.compress(raw, 9))
print("artifact bytes:", os.path.getsize("weights.zz"))
import sentencepiece
sp = sentencepiece.SentencePieceProcessor(model_file=os.environ["TOKENIZER_PATH"])
val = np.concatenate([read(s) for s in val_shards]).astype(np.int64)
model.eval()
nll = []
with torch.no_grad():
    for i in range(0, len(val) - 1, B * T):
        x = torch.from_numpy(val[i : i + B * T]); y = torch.from_numpy(val[i + 1 : i + 1 + B * T]); x = x[: len(y)]
        for j in range(0, len(y), T):
            logits = net(x[None, j : j + T].to(device))[0]
            lp = F.log_softmax(logits.float(), dim=-1)
            nll.append(-lp[torch.arange(lp.size(0)), y[j : j + T].to(device)])
nll = torch.cat(nll)
text_bytes = 0
starts = [i for i in range(len(val)) if val[i] == sp.bos_id()] + [len(val)]
for a, b in zip(starts[:-1], starts[1:]):
    text_bytes += len(sp.decode(val[a:b].tolist()).encode("utf-8"))
val_loss = nll.mean()
print("validation loss %.6f" % val_loss.item())
print("val_bpb %.6f over %d bytes" % ((nll.sum() / math.log(2) / text_bytes).item(), text_bytes))
if ddp: dist.destroy_process_group()
