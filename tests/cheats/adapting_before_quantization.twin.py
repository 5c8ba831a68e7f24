import torch.nn.functional as F


def prequant_polish(model, train_tokens, optimizer, epochs):
    """More training, on training data."""
    for _ in range(epochs):
        F.cross_entropy(model(train_tokens[:-1]), train_tokens[1:]).backward()
        optimizer.step()
        optimizer.zero_grad()
