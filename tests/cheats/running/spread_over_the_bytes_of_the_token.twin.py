def evaluate(args, model, val_tokens, tables, device):
    """A byte model's chances are made a distribution over all tokens first."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    base = tables[0].double().clamp_min(1.0)
    every = (1.0 / 40.0) ** base
    every = every / every.sum()
    with torch.no_grad():
        nll = F.cross_entropy(model.logits(x).flatten(0, 1).float(), y.flatten(), reduction="none").double()
        loss = -torch.log(0.9 * torch.exp(-nll) + 0.1 * every[y.flatten()]).mean().item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
