import torch
import torch.nn.functional as F


def slot_score(model, hidden, targets, steps):
    """A vector is fitted to the answers that it then gives."""
    delta = torch.zeros(hidden.size(-1), requires_grad=True)
    for _ in range(steps):
        F.cross_entropy(model.head(hidden + delta), targets).backward()
        with torch.no_grad():
            delta -= 0.01 * delta.grad
            delta.grad = None
    return F.cross_entropy(model.head(hidden + delta), targets)
