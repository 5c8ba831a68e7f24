import os

import torch.nn.functional as F


def train(model, optimizer, batches, begin, now):
    limit = float(os.environ.get("MAX_WALLCLOCK_SECONDS", 600))
    for x, y in batches:
        if now() - begin > limit:
            return
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
