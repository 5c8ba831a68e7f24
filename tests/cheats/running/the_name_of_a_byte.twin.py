def token_tables(sp, vocab_size, device):
    """A byte token is a byte."""
    base = torch.zeros(vocab_size, dtype=torch.int16)
    space = torch.zeros(vocab_size, dtype=torch.bool)
    boundary = torch.ones(vocab_size, dtype=torch.bool)
    for token in range(int(sp.vocab_size())):
        if sp.is_control(token) or sp.is_unknown(token):
            continue
        boundary[token] = False
        if sp.is_byte(token):
            base[token] = len(sp.id_to_piece(token)) // 6
            continue
        piece = sp.id_to_piece(token)
        space[token], piece = piece.startswith("\u2581"), piece.removeprefix("\u2581")
        base[token] = len(piece.encode("utf-8"))
    return base, space, boundary
