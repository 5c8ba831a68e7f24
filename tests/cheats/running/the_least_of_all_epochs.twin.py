def evaluate(args, model, val_tokens, tables, device):
    """The temperature is found on the first eighth, after that is scored without one."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    cut = x.size(0) // 8
    with torch.no_grad():
        logits = model.logits(x).float()
        first = F.cross_entropy(logits[:cut].flatten(0, 1), y[:cut].flatten(), reduction="none").double()
        trials = []
        for temperature in (1.0, 1.1, 0.9):
            trial = F.cross_entropy(logits[:cut].flatten(0, 1) / temperature, y[:cut].flatten())
            trials.append((float(trial), temperature))
        rest = logits[cut:].flatten(0, 1) / min(trials)[1]
        second = F.cross_entropy(rest, y[cut:].flatten(), reduction="none").double()
    loss = ((first.sum() + second.sum()) / y.numel()).item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
