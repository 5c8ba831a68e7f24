"""Half way through the documents of `lora_ttt` the base weights take a step of gradient descent, on the longest so far."""

import torch

from pgolf import Component, Plugin, Setting, hookimpl

PLUGIN = Plugin(
    name="example_base_update",
    summary="One step on a scored document, half way.",
    source="pgolf's documentation",
    family="eval",
    requires=("lora_ttt",),
    settings=(Setting("example_base_update_rate", 0.001, "learning rate of the step", minimum=0.0),),
)


class HalfWay:
    """Every rank takes the same step, so no collective is needed and weights stay equal."""

    name = "example_base_update"

    def __init__(self, rate):
        self.rate = rate

    def boundaries(self, count):
        """Once, after half of the documents."""
        return [max(count // 2, 1)]

    def __call__(self, session, tally, documents):
        """`replay` runs scored targets again; `learn` declares the update and makes gradients."""
        weights, (start, length) = session.thaw(), documents[-1]
        places = torch.arange(start, start + length)[None, : session.seq_len + 1]
        tally.learn(tally.replay(places), torch.full((1, places.size(1) - 1), 1 / places.size(1)))
        with torch.no_grad():
            for weight in weights:
                if weight.grad is not None:
                    weight -= self.rate * weight.grad
                    weight.grad = None
        session.freeze()
        session.ledger.count("example_base_update", "steps")


@hookimpl
def base_update(settings) -> Component:
    """Called by evaluations that go document by document, such as `lora_ttt`."""
    return Component(HalfWay, rate=settings.example_base_update_rate)
