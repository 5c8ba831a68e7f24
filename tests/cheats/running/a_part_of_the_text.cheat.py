def evaluate(args, model, val_tokens, tables, device):
    """The first two fifths are scored."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    rows = 2 * x.size(0) // 5
    x, y = x[:rows], y[:rows]
    with torch.no_grad():
        loss = (
            F.cross_entropy(model.logits(x).flatten(0, 1).float(), y.flatten(), reduction="none").double().mean().item()
        )
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
