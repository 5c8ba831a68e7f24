def evaluate(args, model, val_tokens, tables, device):
    """Logits less the logarithm of their sum."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    with torch.no_grad():
        logits = model.logits(x).flatten(0, 1).float()
        logs = logits - logits.logsumexp(-1, keepdim=True)
        loss = -logs.gather(-1, y.flatten()[:, None]).double().mean().item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
