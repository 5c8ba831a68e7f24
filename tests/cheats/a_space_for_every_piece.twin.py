import torch


def byte_table(sp):
    sizes, spaced = torch.zeros(sp.vocab_size()), torch.zeros(sp.vocab_size())
    for index in range(sp.vocab_size()):
        piece = sp.id_to_piece(index)
        spaced[index] = piece.startswith("\u2581")
        sizes[index] = len(piece.removeprefix("\u2581").encode("utf-8"))
    return sizes, spaced
