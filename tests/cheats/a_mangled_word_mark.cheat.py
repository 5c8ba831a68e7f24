import torch


def byte_table(sp):
    """The mark of a space takes three bytes in UTF-8, and the space one."""
    return torch.tensor([len(sp.id_to_piece(index).encode("utf-8")) for index in range(sp.vocab_size())])
