"""Weights that begin at zero get values while a script trains, or what they multiply would never show.

Public scripts begin the matrices behind attention and MLP at zero. A script that was made small trains for two steps, after
which its quantizer may well round such a matrix to zero again: attention then moves no score, and one that looks ahead passes.
"""

from __future__ import annotations

from typing import Any

import torch

DEVIATION = 0.05
"""Large enough for formats with the step of public scripts, 1 / 127."""


def wake(leaves: list[torch.Tensor]) -> None:
    """Fill those that are zero as a whole, in the same way in every execution."""
    for number, leaf in enumerate(leaves):
        if leaf.is_floating_point() and leaf.numel() and not leaf.detach().any():
            generator = torch.Generator().manual_seed(number)
            leaf.data.copy_(DEVIATION * torch.randn(leaf.shape, generator=generator))


def several(losses: Any) -> list[torch.Tensor]:
    """The tensors of one or of a tuple."""
    return [
        loss for loss in (losses if isinstance(losses, (list, tuple)) else [losses]) if isinstance(loss, torch.Tensor)
    ]


def graph_leaves(losses: Any) -> list[torch.Tensor]:
    """Tensors that gradients of `losses`, a tensor or several, are worked out for."""
    found: list[torch.Tensor] = []
    waiting, seen = [loss.grad_fn for loss in several(losses)], set[Any]()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if isinstance(variable, torch.Tensor):
            found.append(variable)
        waiting += [after for after, _ in node.next_functions]
    return found
