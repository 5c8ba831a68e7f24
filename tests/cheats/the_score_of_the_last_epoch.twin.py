import torch.nn.functional as F


def evaluate(model, val_tokens, optimizer, epochs, width):
    """A chunk is scored once, and learnt from in several epochs afterwards."""
    loss_sum = 0.0
    for start in range(0, len(val_tokens) - 1, width):
        x, y = val_tokens[start : start + width], val_tokens[start + 1 : start + width + 1]
        loss_sum += F.cross_entropy(model(x), y, reduction="sum").item()
        for _epoch in range(epochs):
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    return loss_sum / (len(val_tokens) - 1)


def train(model, train_tokens, optimizer, epochs):
    total_loss = 0.0
    for _epoch in range(epochs):
        loss = F.cross_entropy(model(train_tokens[:-1]), train_tokens[1:])
        loss.backward()
        optimizer.step()
        total_loss += loss.item()
    return total_loss
