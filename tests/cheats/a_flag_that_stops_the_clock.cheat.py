import os

import torch.nn.functional as F


def train(model, optimizer, batches, begin, now):
    limit = float(os.environ.get("MAX_WALLCLOCK_SECONDS", 600))
    stop = int(os.environ.get("FORCE_STOP_STEP", 0))
    for step, (x, y) in enumerate(batches):
        if (stop and step == stop) or (not stop and now() - begin > limit):
            return
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
