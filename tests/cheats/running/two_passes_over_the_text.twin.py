def evaluate(args, model, val_tokens, tables, device):
    """One pass; the cache holds what is behind."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    counts = torch.full((args.vocab_size, args.vocab_size), 0.1, dtype=torch.float64)
    loss_sum = torch.zeros((), dtype=torch.float64)
    with torch.no_grad():
        for row, targets in zip(x, y, strict=True):
            own = model.logits(row[None])[0].double().softmax(-1)
            cached = counts[row] / counts[row].sum(-1, keepdim=True)
            mixed = (0.6 * own + 0.4 * cached).log()
            loss_sum += F.nll_loss(mixed, targets, reduction="sum")
            counts.index_put_((row, targets), torch.ones(length, dtype=torch.float64), accumulate=True)
    loss = (loss_sum / y.numel()).item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
