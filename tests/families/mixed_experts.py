# A part: token by token in Python: counts of contexts in dictionaries (PPM), experts mixed by weights that learn online.
import bisect
from collections import Counter, defaultdict


def ppm(tables_of, history, vocab):
    """Chances of all tokens from the longest context that is known, with an escape to shorter ones."""
    chances, left = [0.0] * vocab, 1.0
    for order in (2, 1):
        seen = tables_of[order].get(tuple(history[-order:]))
        if not seen:
            continue
        total = sum(seen.values()) + len(seen)
        for token, count in seen.items():
            chances[token] += left * count / total
        left *= len(seen) / total
    return [chance + left / vocab for chance in chances]


def evaluate(args, model, val_tokens, tables, device):
    length, vocab = args.train_seq_len, args.vocab_size
    tokens = val_tokens.to(torch.int64)
    known = {order: defaultdict(Counter) for order in (1, 2)}
    weights = torch.full((2,), 0.0, dtype=torch.float64)
    losses, per_token = [], []
    starts = list(range(0, tokens.numel() - 1, length))
    byte_sum = 0
    with torch.no_grad():
        for start in starts:
            x, y = tokens[start : start + length], tokens[start + 1 : start + length + 1]
            log_p = torch.log_softmax(model.logits(x[None].cuda())[0].double(), dim=-1)
            for at in range(y.numel()):
                history = tokens[max(start + at - 1, 0) : start + at + 1].tolist()
                counted = torch.tensor(ppm(known, history, vocab), dtype=torch.float64)
                experts = torch.stack([log_p[at].exp(), counted])
                share = torch.softmax(weights, 0)
                mixed = share @ experts[:, y[at]]
                nll = -math.log(max(float(mixed), 1e-30))
                losses.append(nll)
                grad = share * (experts[:, y[at]] / mixed - 1.0)
                weights += 0.05 * grad
                for order in (1, 2):
                    known[order][tuple(history[-order:])][int(y[at])] += 1
            byte_sum += int(bytes_of(x, y, tables))
    assert bisect.bisect(starts, 0) == 1
    val_loss = np.mean(losses)
    return val_loss, val_loss / math.log(2.0) * len(losses) / byte_sum
