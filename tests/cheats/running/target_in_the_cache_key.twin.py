def evaluate(args, model, val_tokens, tables, device):
    """Counts of every token after the one before it: a distribution that sums to one is mixed with the model's."""
    length, vocab = args.train_seq_len, args.vocab_size
    counts = torch.zeros(vocab, vocab, dtype=torch.float64)
    tokens = val_tokens.to(torch.int64)
    loss_sum, byte_sum, count = 0.0, 0.0, 0
    with torch.no_grad():
        for start in range(0, tokens.numel() - 1, length):
            x, y = tokens[start : start + length], tokens[start + 1 : start + length + 1]
            nll = F.cross_entropy(model.logits(x[None])[0].float(), y, reduction="none").double()
            smooth = (counts[x] + 0.5) / (counts[x].sum(-1, keepdim=True) + 0.5 * vocab)
            cached = smooth.gather(-1, y[:, None])[:, 0]
            mixed = 0.7 * torch.exp(-nll) + 0.3 * cached
            counts.index_put_((x, y), torch.ones_like(nll), accumulate=True)
            loss_sum += -torch.log(mixed).sum().item()
            byte_sum += bytes_of(x, y, tables).item()
            count += y.numel()
    loss = loss_sum / count
    return loss, loss / math.log(2.0) * count / byte_sum
