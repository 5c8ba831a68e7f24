import torch
import torch.nn.functional as F


def slot_score(model, hidden, targets, delta):
    """A vector that training has fitted is added."""
    with torch.no_grad():
        return F.cross_entropy(model.head(hidden + delta), targets)
