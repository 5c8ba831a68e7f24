"""Losses of targets further ahead than the next token, for auxiliary losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context


def mean_within_documents(losses_BT: Tensor, ahead: int, ctx: Context) -> Tensor:
    """Mean of losses (B, T - ahead) whose targets lie `ahead` places further than usual.

    With the batch field "documents" only those count that stay in their document. Their number is at least taken as one.
    """
    if "documents" not in ctx.fields:
        return losses_BT.mean()
    documents = ctx.fields["documents"]
    kept = documents[:, ahead:] == documents[:, :-ahead]
    return (losses_BT * kept).sum() / kept.sum().clamp(min=1)
