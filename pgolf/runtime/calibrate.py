"""Input statistics of every matrix, for quantizers that use them."""

import torch

from pgolf.runtime.parameters import canonical_tensors


class HessianObserver:
    """Sums X^T X of every (role, layer) it is shown, in float32."""

    def __init__(self):
        self.sums = {}

    def __call__(self, role, layer, x):
        x = x.flatten(0, -2).float()
        key = (role, layer)
        if key not in self.sums:
            self.sums[key] = torch.zeros(x.size(1), x.size(1), device=x.device)
        self.sums[key].addmm_(x.T, x)


@torch.no_grad()
def collect_hessians(session):
    """canonical tensor name -> sum over batches of X^T X divided by the number of batches.

    Runs the uncompiled forward in eval mode under the scoring phases, so windows, gates and loops are those of scoring.
    """
    observer, count = HessianObserver(), 0
    session.model.eval()
    for ids in session.program.calibration_source(session):
        session.model(ids, ids, phases=session.scoring_phases(), observe=observer)
        count += 1
    session.model.train()
    found = {}
    for name, _, record in canonical_tensors(session.parameters):
        key = matrix_role(name, record.tap)
        if key in observer.sums:
            found[name] = observer.sums[key] / count
    return found


def matrix_role(name, tap):
    """("attn.c_q", 3) for "blocks.3.attn.c_q.weight"; (tap, 0) for a tensor outside the blocks that names its tap."""
    if name.startswith("blocks.") and name.endswith(".weight"):
        layer, role = name[len("blocks.") : -len(".weight")].split(".", 1)
        return role, int(layer)
    return tap, 0
