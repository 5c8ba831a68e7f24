import torch


def byte_table(sp):
    pieces = [sp.id_to_piece(index).replace("\u2581", " ") for index in range(sp.vocab_size())]
    return torch.tensor([len(piece.encode("utf-8")) for piece in pieces])
