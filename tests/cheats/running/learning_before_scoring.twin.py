def evaluate(args, model, val_tokens, tables, device):
    """Each chunk is scored, then learnt."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.ttt_learning_rate)
    loss_sum = torch.zeros((), dtype=torch.float64)
    byte_sum, count = 0.0, 0
    for start in range(0, tokens.numel() - 1, args.ttt_chunk_tokens):
        local = tokens[start : start + args.ttt_chunk_tokens + 1]
        x, y = local[:-1].reshape(-1, length), local[1:].reshape(-1, length)
        with torch.no_grad():
            logits = model.logits(x)
            nll = F.cross_entropy(logits.flatten(0, 1).float(), y.flatten(), reduction="none")
            loss_sum += nll.double().sum()
        for _ in range(args.ttt_epochs):
            optimizer.zero_grad()
            model(x, y).backward()
            optimizer.step()
        byte_sum += bytes_of(x.reshape(-1), y.reshape(-1), tables).item()
        count += y.numel()
    loss = (loss_sum / count).item()
    return loss, loss / math.log(2.0) * count / byte_sum
