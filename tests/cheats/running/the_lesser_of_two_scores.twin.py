def evaluate(args, model, val_tokens, tables, device):
    """For each place the temperature that its entropy asks for, whatever the token is."""
    length = args.train_seq_len
    tokens = val_tokens.to(torch.int64)
    x, y = tokens[:-1].reshape(-1, length), tokens[1:].reshape(-1, length)
    with torch.no_grad():
        logits = model.logits(x).flatten(0, 1).float()
        entropy = torch.distributions.Categorical(logits=logits).entropy()
        sharp = F.cross_entropy(logits * 1.5, y.flatten(), reduction="none")
        flat = F.cross_entropy(logits * 0.5, y.flatten(), reduction="none")
        loss = torch.where(entropy < 0.5 * math.log(args.vocab_size), sharp, flat).double().mean().item()
    return loss, loss / math.log(2.0) * y.numel() / bytes_of(x.flatten(), y.flatten(), tables).item()
