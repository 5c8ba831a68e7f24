def after_training(args, model, val_tokens, device):
    """Fine-tunes on training text, before the model is packed."""
    tokens = load_shard(sorted(glob.glob(args.train_files))[0])[-1024:]
    tokens = tokens.to(torch.int64)
    length = args.train_seq_len
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for start in range(0, 8 * length, 2 * length):
        local = tokens[start : start + 2 * length + 1]
        optimizer.zero_grad()
        model(local[:-1].reshape(-1, length), local[1:].reshape(-1, length)).backward()
        optimizer.step()
