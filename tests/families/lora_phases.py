# A part: test-time training in phases. Documents are batches of a queue that ranks share through a file; each has LoRA of its
# own on q, v and the head; between phases all weights learn by SGD from documents that are scored.
import fcntl
import random
import tempfile


class BatchedLinearLoRA(nn.Module):
    def __init__(self, bsz, inputs, outputs, rank):
        super().__init__()
        self.bound = 1.0 / math.sqrt(inputs)
        self.A = nn.Parameter(torch.empty(bsz, rank, inputs).uniform_(-self.bound, self.bound))
        self.B = nn.Parameter(torch.zeros(bsz, outputs, rank))

    def forward(self, x):
        return torch.bmm(torch.bmm(x, self.A.transpose(1, 2)), self.B.transpose(1, 2))

    def reset(self):
        with torch.no_grad():
            self.A.uniform_(-self.bound, self.bound)
            self.B.zero_()


class BatchedLoRA(nn.Module):
    def __init__(self, bsz, model, rank):
        super().__init__()
        dim, vocab = model.stem.tok_emb.weight.size(1), model.stem.tok_emb.weight.size(0)
        self.bsz = bsz
        self.mlp = nn.ModuleList(BatchedLinearLoRA(bsz, dim, dim, rank) for _ in model.blocks)
        self.head = BatchedLinearLoRA(bsz, dim, vocab, rank)

    def reset(self):
        with torch.no_grad():
            for part in (*self.mlp, self.head):
                part.reset()


def forward_ttt(model, ids, targets, lora):
    x = model.stem(ids)
    for block, low in zip(model.blocks, lora.mlp):
        y = F.rms_norm(x, (x.size(-1),))
        x = block(x) + low(y)
    x = F.rms_norm(x, (x.size(-1),))
    logits = F.linear(x, model.stem.tok_emb.weight.to(x.dtype)) + lora.head(x)
    logits = model.softcap * torch.tanh(logits / model.softcap)
    bsz, length, vocab = logits.shape
    return F.cross_entropy(logits.float().reshape(-1, vocab), targets.reshape(-1), reduction="none").reshape(bsz, length)


def find_docs(tokens):
    at = (tokens == 1).nonzero(as_tuple=True)[0].numpy()
    return [(int(at[i]), int(at[i + 1] if i + 1 < len(at) else tokens.numel()) - int(at[i])) for i in range(len(at))]


def claim(path, count):
    with open(path, "r+b") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        value = int.from_bytes(f.read(4), "little")
        f.seek(0)
        f.write((value + 1).to_bytes(4, "little"))
        f.flush()
    return value if value < count else count


def chunk_window(ci, pred_len, num_chunks, chunk_size, context):
    start = ci * chunk_size
    end = pred_len if ci == num_chunks - 1 else (ci + 1) * chunk_size
    win_start = max(0, end - context)
    return win_start, end - win_start, start - win_start, end - start


def global_sgd(model, tokens, docs, args):
    params = [p for p in model.parameters()]
    optimizer = torch.optim.SGD(params, lr=0.001, momentum=0.9)
    chunks = torch.cat([tokens[s : s + n] for s, n in docs])
    for p in params:
        p.requires_grad_(True)
    for start in range(0, chunks.numel() - 1, args.ttt_chunk_tokens):
        part = chunks[start : start + args.ttt_chunk_tokens + 1].to(torch.int64).cuda()
        if part.numel() < 2:
            continue
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device_type="cuda", dtype=torch.bfloat16):
            loss = model(part[None, :-1], part[None, 1:])
        loss.backward()
        for p in params:
            if p.grad is not None:
                dist.all_reduce(p.grad, op=dist.ReduceOp.SUM)
                p.grad.mul_(1.0 / dist.get_world_size())
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
    for p in params:
        p.requires_grad_(False)


TTT_BATCH_SIZE = int(os.environ.get("TTT_BATCH_SIZE", 64))
TTT_CHUNK_SIZE = int(os.environ.get("TTT_CHUNK_SIZE", 48))
TTT_LORA_RANK = int(os.environ.get("TTT_LORA_RANK", 96))
PHASED_TTT_PREFIX_DOCS = int(os.environ.get("PHASED_TTT_PREFIX_DOCS", 2000))


def evaluate(args, model, val_tokens, tables, device):
    rank, world = dist.get_rank(), dist.get_world_size()
    for p in model.parameters():
        p.requires_grad_(False)
    model.eval()
    docs = find_docs(val_tokens)
    prefix, rest = docs[:PHASED_TTT_PREFIX_DOCS], docs[PHASED_TTT_PREFIX_DOCS:]
    half = len(prefix) // 2
    phases = [prefix[:half], prefix[half:], rest]
    fwd = torch.compile(forward_ttt, dynamic=True)
    scores = torch.zeros(4, device=device, dtype=torch.float64)
    loss_sum, byte_sum, token_count = scores[0], scores[1], scores[2]
    lora = BatchedLoRA(TTT_BATCH_SIZE, model, TTT_LORA_RANK).to(device)
    begin, finish = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    for number, phase in enumerate(phases):
        order = sorted(phase, key=lambda d: -d[1])
        batches = [order[i : i + TTT_BATCH_SIZE] for i in range(0, len(order), TTT_BATCH_SIZE)]
        random.Random(number).shuffle(batches)
        counter = os.path.join(tempfile.gettempdir(), f"ttt_counter_{args.run_id}_{os.getpid()}_{number}")
        if rank == 0:
            with open(counter, "wb") as f:
                f.write((0).to_bytes(4, "little"))
        dist.barrier()
        while (mine := claim(counter, len(batches))) < len(batches):
            batch = batches[mine]
            bsz = len(batch)
            if bsz != lora.bsz:
                own = BatchedLoRA(bsz, model, TTT_LORA_RANK).to(device)
            else:
                own = lora
                own.reset()
            optimizer = torch.optim.AdamW(own.parameters(), lr=0.01, betas=(0.0, 0.999), eps=1e-10, weight_decay=0.5, fused=True)
            preds = [n - 1 for _, n in batch]
            chunks = [(p + TTT_CHUNK_SIZE - 1) // TTT_CHUNK_SIZE for p in preds]
            for ci in range(max(chunks)):
                active = [ci < c for c in chunks]
                plan = [chunk_window(min(ci, c - 1), p, c, TTT_CHUNK_SIZE, args.train_seq_len) for c, p in zip(chunks, preds)]
                width = max(w[1] for w in plan)
                x = torch.zeros(bsz, width, dtype=torch.int64, device=device)
                y = torch.zeros(bsz, width, dtype=torch.int64, device=device)
                for b, ((start, _), (ws, wl, _, _)) in enumerate(zip(batch, plan)):
                    local = val_tokens[start + ws : start + ws + wl + 1].to(dtype=torch.int64, device=device)
                    x[b, :wl], y[b, :wl] = local[:-1], local[1:]
                more = any(ci < c - 1 for c in chunks)
                with torch.set_grad_enabled(more), torch.autocast(device_type="cuda", dtype=torch.bfloat16):
                    losses = fwd(model, x, y, lora=own)
                with torch.no_grad():
                    at = torch.arange(width, device=device)[None]
                    first = torch.tensor([w[2] for w in plan], device=device)[:, None]
                    length = torch.tensor([w[3] for w in plan], device=device)[:, None]
                    mask = (at >= first) & (at < first + length) & torch.tensor(active, device=device)[:, None]
                    base, space, boundary = tables
                    lens = base[y].to(torch.float64) + (space[y] & ~boundary[x]).to(torch.float64)
                    loss_sum.add_((losses.detach().double() * mask).sum())
                    byte_sum.add_((lens * mask).sum())
                    token_count.add_(mask.sum())
                if more:
                    train = torch.tensor([float(ci < c - 1) for c in chunks], device=device)
                    per_doc = (losses * mask).sum(-1) / mask.sum(-1).clamp_min(1)
                    optimizer.zero_grad(set_to_none=True)
                    (per_doc * train).sum().backward()
                    optimizer.step()
        dist.barrier()
        if number < len(phases) - 1:
            global_sgd(model, val_tokens, phase, args)
    finish.record()
    torch.cuda.synchronize()
    print(f"phased: {begin.elapsed_time(finish):.0f}ms, {torch.cuda.max_memory_allocated() // 2**20} MiB")
    dist.all_reduce(scores, op=dist.ReduceOp.SUM)
    loss = (scores[0] / scores[2]).item()
    return loss, loss / math.log(2.0) * scores[2].item() / scores[1].item()
