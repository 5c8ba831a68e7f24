# A part: hashed n-grams of several orders in NumPy, the longest known context first, mixed in by the model's entropy.
PRIMES = [np.uint64(36313), np.uint64(27191), np.uint64(51647), np.uint64(81929), np.uint64(131071)]
NGRAM_ORDER = int(os.environ.get("NGRAM_ORDER", 4))
NGRAM_BUCKETS = int(os.environ.get("NGRAM_BUCKETS", 4_194_304))


class Backoff:
    def __init__(self, vocab):
        self.vocab, self.mask = vocab, np.uint64(NGRAM_BUCKETS - 1)
        self.context = {n: np.zeros(NGRAM_BUCKETS, dtype=np.uint32) for n in range(2, NGRAM_ORDER + 1)}
        self.full = {n: np.zeros((NGRAM_BUCKETS, vocab), dtype=np.uint32) for n in range(2, NGRAM_ORDER + 1)}

    def keys(self, tokens, at, order):
        key = np.zeros(len(at), dtype=np.uint64)
        for back in range(order - 1):
            key ^= tokens[at - (order - 2 - back) - 1].astype(np.uint64) * PRIMES[back % len(PRIMES)]
        return (key & self.mask).astype(np.int64)

    def chances(self, tokens, at):
        """[positions, vocabulary] of what followed, and where anything is known."""
        found, known = np.zeros((len(at), self.vocab)), np.zeros(len(at), dtype=bool)
        for order in range(NGRAM_ORDER, 1, -1):
            usable = (at >= order - 1) & ~known
            if not usable.any():
                continue
            key = self.keys(tokens, at[usable], order)
            seen = self.context[order][key]
            rows = np.nonzero(usable)[0][seen >= 1]
            if len(rows):
                counts = self.full[order][key[seen >= 1]].astype(np.float64)
                found[rows] = counts / counts.sum(-1, keepdims=True)
                known[rows] = True
        return found, known

    def update(self, tokens, at):
        for order in range(2, NGRAM_ORDER + 1):
            usable = at[at >= order - 1]
            key = self.keys(tokens, usable, order)
            np.add.at(self.context[order], key, 1)
            np.add.at(self.full[order], (key, tokens[usable]), 1)


def evaluate(args, model, val_tokens, tables, device):
    rank, world = dist.get_rank(), dist.get_world_size()
    length, stride = args.train_seq_len, args.eval_stride
    stream = val_tokens.cpu().numpy().astype(np.int64)
    total = val_tokens.numel() - 1
    cache = Backoff(args.vocab_size)
    starts = [ws for ws in range(0, total, stride) if min(ws + length, total) - ws >= stride or ws == 0]
    mine = starts[len(starts) * rank // world : len(starts) * (rank + 1) // world]
    loss_sum = torch.zeros((), device=device, dtype=torch.float64)
    byte_count, token_count = torch.zeros_like(loss_sum), torch.zeros_like(loss_sum)
    compiled = torch.compile(model.logits, dynamic=False, fullgraph=True)
    model.eval()
    with torch.inference_mode():
        for ws in mine:
            end = min(ws + length, total)
            wlen = end - ws
            chunk = val_tokens[ws : end + 1].to(dtype=torch.int64, device=device)
            with torch.autocast(device_type="cuda", dtype=torch.bfloat16):
                logits = compiled(chunk[None, :-1])
            s = 0 if ws == 0 else max(wlen - stride, 0)
            nll = F.cross_entropy(logits[0].float(), chunk[1:], reduction="none")
            scored = nll[s:wlen].to(torch.float64)
            log_probs = F.log_softmax(logits[0, s:wlen].float(), dim=-1)
            entropy = -(log_probs.exp() * log_probs).sum(dim=-1).cpu().numpy()
            seg_nll = scored.cpu().numpy()
            chance = np.exp(-seg_nll)
            at = np.arange(ws + s + 1, end + 1, dtype=np.int64)
            share, known = cache.chances(stream, at)
            alpha = 0.05 + 0.55 / (1.0 + np.exp(-2.0 * (entropy - 4.0)))
            if known.any():
                here = np.nonzero(known)[0]
                own = share[here, stream[at[here]]]
                chance[here] = (1.0 - alpha[here]) * chance[here] + alpha[here] * own
            seg_nll = -np.log(np.clip(chance, 1e-12, 1.0))
            cache.update(stream, at)
            loss_sum += torch.from_numpy(seg_nll).to(device=device, dtype=torch.float64).sum()
            token_count += float(wlen - s)
            byte_count += bytes_of(chunk[s:wlen], chunk[s + 1 : wlen + 1], tables)
    if dist.is_available() and dist.is_initialized():
        for value in (loss_sum, byte_count, token_count):
            dist.all_reduce(value, op=dist.ReduceOp.SUM)
    val_loss = (loss_sum / token_count).item()
    bits, per = val_loss / math.log(2.0), token_count.item() / byte_count.item()
    return val_loss, bits * per
