"""The penalty on the normalizer."""

import torch
import torch.nn.functional as F
from models import Case, built, scramble, tokens

from pgolf.testing.models import tiny_context
from pgolf_plugins.architecture.z_loss import square_normalizer


def test_z_loss_matches_the_public_script():
    case = Case("unit_loss", "zloss")
    logits, targets = case.inputs["logits"], case.inputs["target"].long()
    penalty = square_normalizer(None, None, logits[None], targets[None], tiny_context(), weight=1e-4)
    case.check("ce", F.cross_entropy(logits, targets))
    case.check("total", F.cross_entropy(logits, targets) + penalty)


def test_z_loss_is_in_the_training_loss_alone():
    plain, made = scramble(built().model), scramble(built("z_loss", z_loss_weight=0.5).model)
    ids, targets = tokens()
    assert made(ids, targets) > plain(ids, targets)
    assert torch.equal(made.eval()(ids, targets), plain.eval()(ids, targets))
