"""n-gram tilt: where the tokens before a target were seen before, what mostly followed them gets more weight.

    p'(y) = p(y) e^(beta [y = h]) / (1 + p(h) (e^beta - 1)),   h the hint;   without a hint p' = p

A context is the last n tokens, n = 16, 14, ..., 8. The longest one that the stream has shown often enough decides: its hint is
the token that followed it most often (of several the one that was first to get so far), if that share is large enough.

    n >= 14: twice, .5;   n >= 10: twice, .6;   shorter: three times, .7

Counts are of the stream before the target and nothing else, and the tilt is added to the logits, so what comes out is a
distribution. All contexts of one length are counted at once, without a table: places are sorted by a 64-bit hash of their
context and then by place, so each context's history lies in order, and the leader so far is a running maximum. (A table of
2^26 slots, as in the public script, needs a compiled loop.)

What adapts while it scores (`lora_ttt`) learns through the tilt: that loss is the one that counts, and another would take a
forward of its own. What learns again from what is scored (`sgd_ttt`, `phased_ttt`) sees no hints.

The experts of the public script for words, whose weights are 0 in the record, are left out.

Source: openai/parameter-golf PR #1514.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="ngram_tilt",
    summary="Tokens that followed the same context before get more weight.",
    source="openai/parameter-golf#1514",
    family="eval",
    effect="-0.0006 to -0.001 BPB",
    settings=(
        Setting("ngram_base_beta", 2.0, "added to the hint's logit", minimum=0),
        Setting("ngram_order_stride", 2, "from one length of contexts to the next", minimum=1),
        Setting("ngram_max_order", 16, "tokens of the longest context", minimum=1),
        Setting("ngram_min_order", 8, "tokens of the shortest context", minimum=1),
    ),
)

# Odd, so that no power of it loses bits modulo 2^64.
BASE = 6364136223846793005


def find_hints(tokens: Tensor, device: torch.device, ledger: Ledger, orders: tuple[int, ...]) -> Tensor:
    """(N,) -> int32 (N,): the hint for each place, -1 for none; `orders` are context lengths, the longest first."""
    # Python's own type stands for the dtype int64.
    ids = tokens.to(device, torch.int64)
    hints = torch.full_like(ids, -1)
    undecided = torch.ones_like(ids, dtype=torch.bool)
    for order in orders:
        if order < len(ids):
            seen, best, hint = count_contexts(ids, order)
            least, tenths = (2, 5) if order >= 14 else (2, 6) if order >= 10 else (3, 7)
            deciding = undecided[order:] & (seen >= least)
            hints[order:] = torch.where(deciding & (10 * best >= tenths * seen), hint, hints[order:])
            undecided[order:] &= ~deciding
    ledger.count("ngram_tilt", "hints", int((hints >= 0).sum()))
    return hints.cpu().to(torch.int32)


def count_contexts(ids: Tensor, order: int) -> tuple[Tensor, Tensor, Tensor]:
    """For places order .. N - 1: how often their context came before, how often its leader followed, the leader."""
    targets = ids[order:]
    hashes = torch.zeros_like(targets)
    for back in range(order):
        hashes = hashes * BASE + ids[back : back + len(targets)] + 1
    places = hashes.argsort(stable=True)
    numbers, first = group_starts(hashes[places])
    at = torch.arange(len(targets), device=ids.device)
    follower = targets[places]
    # How often the same token had followed the same context, this time included.
    pairs = numbers * (int(ids.max()) + 1) + follower
    ranked = pairs.argsort(stable=True)
    times = torch.empty_like(at)
    times[ranked] = at - group_starts(pairs[ranked])[1] + 1
    # Groups stand one after the other, so a running maximum that counts from the group's start never sees an earlier one.
    record = (first + times).cummax(0).values
    leads = torch.ones_like(at, dtype=torch.bool)
    leads[1:] = record[1:] > record[:-1]
    leader = torch.where(leads, at, 0).cummax(0).values
    before = (at - 1).clamp(min=0)
    seen, best, hint = at - first, times[leader[before]], follower[leader[before]]
    order_again = places.argsort()
    return seen[order_again], best[order_again], hint[order_again]


def group_starts(values: Tensor) -> tuple[Tensor, Tensor]:
    """(number of the group, index of its first element) for each of sorted values (N,)."""
    begins = torch.ones_like(values)
    begins[1:] = values[1:] != values[:-1]
    at = torch.arange(len(values), device=values.device)
    return begins.cumsum(0) - 1, (begins * at).cummax(0).values


def tilt(model: GPT, logits_BTV: Tensor, ids_BT: Tensor, ctx: Context, beta: float) -> Tensor:
    """logits_BTV -> logits_BTV in float32, `beta` more at the hints; unchanged where nothing is known of the stream."""
    hints_BT = ctx.fields.get("ngram_hints")
    if hints_BT is None:
        return logits_BTV
    hints_BT1 = hints_BT[..., None].long()
    return logits_BTV.float().scatter_add(-1, hints_BT1.clamp(min=0), beta * (hints_BT1 >= 0).float())


@hookimpl
def stream_fields(settings: SettingsView) -> dict[str, Component]:
    """Hints."""
    low, high = settings.ngram_min_order, settings.ngram_max_order
    settings.require(low <= high, "ngram_min_order", f"at most ngram_max_order={high}")
    return {"ngram_hints": Component(find_hints, orders=tuple(range(high, low - 1, -settings.ngram_order_stride)))}


@hookimpl
def distribution_transforms(settings: SettingsView) -> Component:
    """After everything else that changes logits."""
    return Component(tilt, beta=settings.ngram_base_beta)
