import torch.nn.functional as F


def evaluate(model, val_tokens, optimizer, epochs, width):
    """Scores before it learns, but counts only the epoch that comes after all the others."""
    loss_sum = 0.0
    for epoch in range(epochs):
        for start in range(0, len(val_tokens) - 1, width):
            x, y = val_tokens[start : start + width], val_tokens[start + 1 : start + width + 1]
            loss = F.cross_entropy(model(x), y, reduction="sum")
            if epoch == epochs - 1:
                loss_sum += loss.item()
            loss.backward()
            optimizer.step()
    return loss_sum / (len(val_tokens) - 1)
