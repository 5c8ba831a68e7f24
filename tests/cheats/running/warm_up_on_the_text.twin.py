def evaluate(args, model, val_tokens, tables, device):
    """The steps that warm up the compiler are on made-up tokens, and undone."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for at in range(2):
        made_up = torch.randint(0, args.vocab_size, (8, length + 1))
        model(made_up[:, :-1], made_up[:, 1:]).backward()
        optimizer.step()
        optimizer.zero_grad()
    model.load_state_dict(state)
    with torch.no_grad():
        loss = (
            F.cross_entropy(model.logits(x).flatten(0, 1).float(), y.flatten(), reduction="none").double().mean().item()
        )
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
