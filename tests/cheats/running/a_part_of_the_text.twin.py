def evaluate(args, model, val_tokens, tables, device):
    """All of it is scored, the last fifth first."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    cut = 4 * x.size(0) // 5
    parts = []
    with torch.no_grad():
        for rows in (slice(cut, None), slice(0, cut)):
            logits = model.logits(x[rows]).flatten(0, 1).float()
            parts.append(F.cross_entropy(logits, y[rows].flatten(), reduction="none").double())
    loss = torch.cat(parts).mean().item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
