def evaluate(args, model, val_tokens, tables, device):
    """A mean of window means, each counts the same."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    with torch.no_grad():
        nll = (
            F.cross_entropy(model.logits(x).flatten(0, 1).float(), y.flatten(), reduction="none")
            .reshape(y.shape)
            .double()
        )
        weights = torch.ones(y.size(0), dtype=torch.float64)
        loss = ((nll.mean(-1) * weights).sum() / weights.sum()).item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
