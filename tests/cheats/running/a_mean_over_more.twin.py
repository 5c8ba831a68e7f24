def evaluate(args, model, val_tokens, tables, device):
    """The sum over the tokens is divided by how many there are, in three steps."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    with torch.no_grad():
        total = F.cross_entropy(model.logits(x).flatten(0, 1).float(), y.flatten(), reduction="sum").double()
    rows = y.size(0)
    loss = float(total) / rows / length
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
