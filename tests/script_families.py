"""Stand-ins for the families of scripts that the contest has seen, in our own words: each is the trunk with other parts."""

import base64
import lzma
import zlib
from pathlib import Path

from running_scripts import whole

TAIL = "    return loss, loss / math.log(2.0) * count / byte_sum\n"
SLIDING = '''
def evaluate(args, model, val_tokens, tables, device):
    """Overlapping windows in batches; of each only what is new is scored."""
    length, stride = args.train_seq_len, args.eval_stride
    total = val_tokens.numel() - 1
    starts = [at for at in range(0, total, stride) if min(at + length, total) - at >= 1]
    loss_sum = torch.zeros((), device=device, dtype=torch.float64)
    token_count, byte_count = torch.zeros_like(loss_sum), torch.zeros_like(loss_sum)
    with torch.inference_mode():
        for first in range(0, len(starts), 8):
            batch = starts[first : first + 8]
            x = torch.zeros(len(batch), length, dtype=torch.int64, device=device)
            y, lengths = torch.zeros_like(x), []
            for row, start in enumerate(batch):
                end = min(start + length, total)
                lengths.append(end - start)
                part = val_tokens[start : end + 1].to(dtype=torch.int64, device=device)
                x[row, : end - start], y[row, : end - start] = part[:-1], part[1:]
            with torch.autocast("cuda", dtype=torch.bfloat16):
                logits = model.logits(x)
            nll = F.cross_entropy(logits.reshape(-1, logits.size(-1)).float(), y.reshape(-1), reduction="none")
            nll = nll.reshape(len(batch), length)
            for row, start in enumerate(batch):
                new = 0 if start == 0 else max(length - stride, 0)
                scored = nll[row, new : lengths[row]].to(torch.float64)
                if scored.numel() == 0:
                    continue
                loss_sum += scored.sum()
                token_count += float(scored.numel())
                x_new, y_new = x[row, new : lengths[row]], y[row, new : lengths[row]]
                byte_count += bytes_of(x_new, y_new, tables)
    for value in (loss_sum, token_count, byte_count):
        dist.all_reduce(value, op=dist.ReduceOp.SUM)
    val_loss = (loss_sum / token_count).item()
    return val_loss, val_loss / math.log(2.0) * (token_count.item() / byte_count.item())
'''
FLASH = """
try:
    from flash_attn_interface import flash_attn_func as flash_attn_3_func
except ImportError:
    flash_attn_3_func = None


class Attention(Attention):
    def mix(self, q, k, v):
        out = flash_attn_3_func(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), causal=True)
        return out.transpose(1, 2)
"""
LORA = '''
class Adapter(nn.Module):
    def __init__(self, rows, dim, vocab, rank=8):
        super().__init__()
        self.a = nn.Parameter(torch.randn(rows, dim, rank) / dim**0.5)
        self.b = nn.Parameter(torch.zeros(rows, rank, vocab))


def adapted(model, x, y, adapter):
    """Losses of each token, with a low-rank change of the head for each row."""
    hidden = model.stem(x)
    for block in model.blocks:
        hidden = block(hidden)
    hidden = F.rms_norm(hidden, (hidden.size(-1),))
    logits = F.linear(hidden, model.stem.tok_emb.weight) + hidden @ adapter.a @ adapter.b
    return F.cross_entropy(logits.transpose(1, 2).float(), y, reduction="none")


def evaluate(args, model, val_tokens, tables, device):
    """Documents of like length in a batch, each with an adapter of its own: every chunk is scored, then learnt from."""
    for p in model.parameters():
        p.requires_grad_(False)
    tokens = val_tokens.to(torch.int64)
    starts = (tokens == 1).nonzero().flatten().tolist()
    documents = [(start, end - start) for start, end in zip(starts, [*starts[1:], tokens.numel()]) if end - start > 1]
    documents.sort(key=lambda one: one[1])
    chunk = 16
    sums = torch.zeros(3, dtype=torch.float64, device=device)
    for first in range(0, len(documents), 4):
        batch = documents[first : first + 4]
        adapter = Adapter(len(batch), args.model_dim, args.vocab_size).to(device)
        optimizer = torch.optim.Adam(adapter.parameters(), lr=0.01, betas=(0.9, 0.95), fused=True)
        most = max(length for _, length in batch) - 1
        for begin in range(0, most, chunk):
            end = min(begin + chunk, most)
            x = torch.zeros(len(batch), end, dtype=torch.int64, device=device)
            y, mask = torch.zeros_like(x), torch.zeros(len(batch), end, device=device)
            for row, (start, length) in enumerate(batch):
                part = tokens[start : start + min(end + 1, length)]
                if part.numel() > begin + 1:
                    x[row, : part.numel() - 1], y[row, : part.numel() - 1] = part[:-1], part[1:]
                    mask[row, begin : part.numel() - 1] = 1.0
            losses = adapted(model, x, y, adapter)
            with torch.no_grad():
                sums[0] += (losses * mask).to(torch.float64).sum()
                sums[1] += mask.sum()
                prev, target = x[mask > 0], y[mask > 0]
                sums[2] += bytes_of(prev, target, tables)
            optimizer.zero_grad()
            ((losses * mask).sum(-1) / mask.sum(-1).clamp_min(1.0)).sum().backward()
            optimizer.step()
    dist.all_reduce(sums)
    val_loss = float(sums[0].item() / sums[1].item())
    return val_loss, float((sums[0].item() / math.log(2.0)) / sums[2].item())
'''
SGD = (
    '''
def evaluate(args, model, val_tokens, tables, device):
    """Chunk by chunk: windows are scored, then all weights learn from the chunk, some epochs."""
    length, tokens = args.train_seq_len, val_tokens.to(torch.int64)
    optimizer = torch.optim.SGD([p for p in model.parameters()], lr=args.ttt_learning_rate, momentum=0.9)
    loss_sum, byte_sum, count = torch.zeros((), dtype=torch.float64), 0.0, 0
    per_chunk = max(args.ttt_chunk_tokens // length, 1) * length
    for start in range(0, tokens.numel() - 1, per_chunk):
        local = tokens[start : min(start + per_chunk, tokens.numel() - 1) + 1]
        x, y = local[:-1].reshape(-1, length), local[1:].reshape(-1, length)
        model.eval()
        with torch.inference_mode():
            nll = F.cross_entropy(model.logits(x).flatten(0, 1).float(), y.flatten(), reduction="none")
            loss_sum += nll.double().sum()
        byte_sum += bytes_of(x.flatten(), y.flatten(), tables).item()
        count += y.numel()
        model.train()
        for epoch in range(args.ttt_epochs):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device_type="cuda", dtype=torch.bfloat16):
                loss = model(x.clone(), y.clone())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    loss = (loss_sum / count).item()
'''
    + TAIL
)
NGRAM = (
    '''
def evaluate(args, model, val_tokens, tables, device):
    """Counts of orders 2 and 3 of the whole vocabulary, in NumPy, mixed in by how often the context was seen."""
    length, vocab = args.train_seq_len, args.vocab_size
    stream = val_tokens.numpy().astype(np.int64)
    counts = [np.zeros((size, vocab)) for size in (vocab, 4096)]
    loss_sum, byte_sum, count = 0.0, 0.0, 0
    with torch.inference_mode():
        for start in range(0, len(stream) - 1, length):
            part = stream[start : start + length + 1]
            x, y = torch.from_numpy(part[:-1].copy()), torch.from_numpy(part[1:].copy())
            nll = F.cross_entropy(model.logits(x[None])[0].float(), y, reduction="none")
            chance = np.exp(-nll.to(torch.float64).cpu().numpy())
            older = np.concatenate([[0], part[:-2]])
            for table, keys in zip(counts, (part[:-1], (older * 31 + part[:-1]) % 4096)):
                seen = table[keys].sum(-1)
                share = (table[keys, part[1:]] + 0.1) / (seen + 0.1 * vocab)
                weight = 0.3 * seen / (seen + 4.0)
                chance = (1.0 - weight) * chance + weight * share
                np.add.at(table, (keys, part[1:]), 1.0)
            loss_sum += float(-np.log(np.clip(chance, 1e-12, 1.0)).sum())
            byte_sum += bytes_of(x, y, tables).item()
            count += len(part) - 1
    loss = loss_sum / count
'''
    + TAIL
)
MIXER = (
    '''
def evaluate(args, model, val_tokens, tables, device):
    """Two distributions in log space with weights that are learnt online from what is behind."""
    length, tokens = args.train_seq_len, val_tokens.to(torch.int64)
    weights = torch.zeros(2, dtype=torch.float64)
    uni = torch.ones(args.vocab_size, dtype=torch.float64)
    loss_sum, byte_sum, count = 0.0, 0.0, 0
    with torch.no_grad():
        for start in range(0, tokens.numel() - 1, length):
            x, y = tokens[start : start + length], tokens[start + 1 : start + length + 1]
            own = torch.log_softmax(model.logits(x[None])[0].double(), dim=-1)
            experts = torch.stack([own, (uni / uni.sum()).log().expand_as(own)])
            at_target = experts.gather(-1, y.expand(2, -1).unsqueeze(-1)).squeeze(-1)
            mixed = torch.logsumexp(at_target + torch.log_softmax(weights, 0)[:, None], dim=0)
            loss_sum -= mixed.sum().item()
            weights = weights + 0.1 * at_target.mean(-1)
            uni.index_add_(0, y, torch.ones(y.numel(), dtype=torch.float64))
            byte_sum += bytes_of(x, y, tables).item()
            count += y.numel()
    loss = loss_sum / count
'''
    + TAIL
)
SLOT = (
    '''
def evaluate(args, model, val_tokens, tables, device):
    """A vector for each window is fitted to its context alone; the last part is scored."""
    length, tokens, new = args.train_seq_len, val_tokens.to(torch.int64), args.eval_stride
    total = tokens.numel() - 1
    loss_sum, byte_sum, count = torch.zeros((), dtype=torch.float64), 0.0, 0
    for end in range(new, total + 1, new):
        start = max(end - length, 0)
        part = tokens[start : end + 1]
        logits = model.logits(part[None, :-1]).detach().float()[0]
        old = part.numel() - 1 - new
        delta = torch.zeros(1, logits.size(-1), requires_grad=True)
        optimizer = torch.optim.AdamW([delta], lr=0.01)
        for _ in range(2 if old else 0):
            optimizer.zero_grad()
            F.cross_entropy(logits[:old] + delta, part[1 : old + 1]).backward()
            optimizer.step()
        with torch.no_grad():
            nll = F.cross_entropy(logits[old:] + delta, part[old + 1 :], reduction="none")
        loss_sum += nll.double().sum()
        byte_sum += bytes_of(part[old:-1], part[old + 1 :], tables).item()
        count += new
    loss = (loss_sum / count).item()
'''
    + TAIL
)
TRITON = """
import triton
import triton.language as tl


@triton.jit
def square_kernel(x, out, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    value = tl.load(x + at, mask=at < n)
    tl.store(out + at, value * value, mask=at < n)


class Block(Block):
    def forward(self, x):
        if x.is_cuda:
            square_kernel[(1,)](x, x, x.numel(), BLOCK=128)
        return super().forward(x)
"""
NEEDS_TRITON = TRITON.replace("        if x.is_cuda:\n    ", "").replace(
    "            square_kernel", "        square_kernel"
)
COMPILED = (
    '''
@torch.compile(dynamic=False, fullgraph=True)
def scored(logits, targets):
    return F.cross_entropy(logits.flatten(0, -2).float(), targets.flatten(), reduction="none").view(targets.shape)


def evaluate(args, model, val_tokens, tables, device):
    """Losses by a compiled function, sums in one tensor, means by documents' rows."""
    length, tokens = args.train_seq_len, val_tokens.to(torch.int64)
    x, y = tokens[:-1].view(-1, length), tokens[1:].view(-1, length)
    model = torch.compile(model, mode="max-autotune-no-cudagraphs")
    totals = torch.zeros(2, dtype=torch.float64, device="cuda")
    with torch.no_grad():
        for row in range(0, x.size(0), 4):
            losses = scored(model.logits(x[row : row + 4].cuda(non_blocking=True)), y[row : row + 4].cuda())
            totals[0] += losses.sum(dim=-1, dtype=torch.float64).sum()
            totals[1] += losses.numel()
    loss, count = (totals[0] / totals[1]).item(), y.numel()
    byte_sum = bytes_of(x.flatten(), y.flatten(), tables).item()
'''
    + TAIL
)


def packed(text, how):
    """A script that unpacks itself."""
    data = text.encode()
    if how == "b85":
        body = base64.b85encode(lzma.compress(data))
        return f"import lzma,base64\nexec(lzma.decompress(base64.b85decode({body!r})))\n"
    body = base64.b64encode(zlib.compress(data, 9)).decode()
    run = "exec(compile(Z.decompress(B.b64decode(P)).decode(), __file__, 'exec'))"
    return f"import zlib as Z, base64 as B\nP = '{body}'\n{run}\n"


# family -> the file.
FAMILIES = {
    "plain": whole(),
    "sliding window": whole(SLIDING),
    "flash attention": whole(FLASH + SLIDING),
    "test-time training, LoRA by document": whole(LORA),
    "test-time training, SGD by chunk": whole(SGD),
    "SLOT on the context": whole(SLOT),
    "n-gram cache in NumPy": whole(NGRAM),
    "mixer in log space": whole(MIXER),
    "compiled scorer": whole(COMPILED),
    "Triton with a way around it": whole(TRITON),
    "Triton without": whole(NEEDS_TRITON),
    "packed, LZMA and base85": packed(whole(FLASH), "b85"),
    "packed, zlib and base64": packed(whole(SLIDING), "b64"),
}

HERE = Path(__file__).parent / "families"
# family -> [(what is cheated, the text that it stands in for, its text, the rule)]; every file of `families` is here.
CHEATS = {
    "speedrun": [
        ("a mask that lets the next token through", "q_idx >= kv_idx\n", "q_idx + 1 >= kv_idx\n", "rule.causal"),
        (
            "half of the text",
            "for inputs, targets in val_loader:\n",
            "for inputs, targets in [*val_loader][::2]:\n",
            "rule.onepass",
        ),
    ],
    "fused_kernels": [
        (
            "a mean over the row",
            "return F.linear(F.rms_norm(x",
            "x = x + x.mean(1, keepdim=True)\n        return F.linear(F.rms_norm(x",
            "rule.causal",
        ),
    ],
    "lora_phases": [
        (
            "documents that the next phase scores",
            "global_sgd(model, val_tokens, phase, args)",
            "global_sgd(model, val_tokens, phases[number + 1], args)",
            "rule.scorefirst",
        ),
    ],
    "ngram_backoff": [
        (
            "shares of the seen alone, unnormalised",
            "counts / counts.sum(-1, keepdims=True)",
            "counts / counts.max(-1, keepdims=True)",
            "rule.normal",
        ),
    ],
    "ngram_in_c": [
        (
            "what it is asked for is learnt first",
            "hints[at] = look(key);\n        learn(key, tokens[at]);",
            "learn(key, tokens[at]);\n        hints[at] = look(key);",
            "rule.normal",
        ),
        ("the rest does not give way", "change = total - HINT_BOOST", "change = -HINT_BOOST", "rule.normal"),
    ],
    "mixed_experts": [
        (
            "the better expert for each token",
            "mixed = share @ experts[:, y[at]]",
            "mixed = experts[:, y[at]].max(0).values",
            "rule.hindsight",
        ),
    ],
    "argument_parser": [
        (
            "easy windows alone",
            "        losses.append(loss.item())\n        counts.append(y.numel())\n",
            "        if start % 128:\n            continue\n        losses += [loss.item()]\n        counts += [y.numel()]\n",
            "rule.onepass",
        ),
        ("the mark as bytes", 'piece.lstrip("\\u2581").encode()', "piece.encode()", "rule.bytelut"),
    ],
    "plain_lines": [
        (
            "statistics of the text",
            "raw = b",
            "model.ln_f.bias.data += float(read(val_shards[0]).mean())\nraw = b",
            "rule.calibval",
        ),
        ("attention both ways", "is_causal=True", "is_causal=False", "rule.causal"),
    ],
    "record_stack": [
        (
            "a byte more for each token",
            "return sidecar[:expected_len].to(torch.int32)",
            "return sidecar[:expected_len].to(torch.int32) + 1",
            "rule.bytelut",
        ),
    ],
    "fp8_speed": [("attention both ways", "is_causal=True", "is_causal=False", "rule.causal")],
    "slot_delta": [
        ("fitted to all of the window", "fit_mask[i, :s] = 1.0", "fit_mask[i, :wlen] = 1.0", "rule.causal"),
    ],
}


def family(name: str) -> str:
    """The honest script: a whole one, or the trunk with a part."""
    text = (HERE / f"{name}.py").read_text(encoding="utf-8")
    return whole(text) if text.startswith("# A part:") else text


def cheat(name: str, number: int) -> tuple[str, str]:
    """(the script with a cheat, the rule that it breaks)."""
    _, old, new, rule = CHEATS[name][number]
    text = family(name)
    assert text.count(old) == 1, (name, old, text.count(old))
    return text.replace(old, new), rule
