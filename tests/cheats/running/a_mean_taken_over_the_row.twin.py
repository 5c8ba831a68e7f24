def evaluate(args, model, val_tokens, tables, device):
    """Features are centred with the mean over what is behind."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    with torch.no_grad():
        logits = model.logits(x).float()
        behind = logits.cumsum(1) / torch.arange(1, length + 1)[None, :, None]
        logits = logits - 0.5 * behind
        loss = F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none").double().mean().item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
