"""Where the bytes of an artifact are, by tensor and part: an estimate, since coders share what they learn.

    weight of a part = entropy of its values (of its bytes, where it is no integers)
    bytes of a part  = bytes of the artifact * its weight / all weights

The artifact is decoded by the plugins that are installed here, within the limits that every decoder has.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pgolf.byte_report import Item
from pgolf.errors import PgolfError
from pgolf.resolve import load_entry
from pgolf.runtime.export import unpack_artifact
from pgolf.runtime.parameters import canonical_tensors, matrix_role

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.submission import Made

ENTRY_NAME = "pgolf_report_entry"
OUTSIDE = "outside the blocks"
LIMIT = 10**9
"""Most bytes of an artifact that is looked into."""


def artifact_items(made: Made, path: Path) -> list[Item]:
    """The parts of an artifact that this build's program has written, the role of the tensor as their group.

    Raises:
        PgolfError: PG501 where it cannot be read.
    """
    size = path.stat().st_size
    if size > LIMIT:
        raise PgolfError("PG501", f"the artifact has {size:,} bytes", str(path))
    module = load_entry(made.resolved.entry, ENTRY_NAME)
    try:
        tensors = canonical_tensors(module.make_parameters())
        shapes = {name: record.shape[1:] if record.members else record.shape for name, _, record in tensors}
        state = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
        encoded = unpack_artifact(path.read_bytes(), state, module.make_program())
    except (OSError, ValueError) as error:
        raise PgolfError("PG501", str(error), str(path)) from None
    finally:
        del sys.modules[ENTRY_NAME]
    return shares(encoded, size)


def shares(encoded: dict[str, dict[str, Any]], size: int) -> list[Item]:
    """`size` divided among all parts by their entropy."""
    weights: dict[tuple[str, str], float] = {}
    for name, parts in encoded.items():
        weights |= {(name, part): weight(value) for part, value in parts.items()}
    total = sum(weights.values()) or 1.0
    items = []
    for (name, part), bits in weights.items():
        role, layer = matrix_role(name, OUTSIDE)
        label = f"{name if role == OUTSIDE else layer} {part}"
        items.append(Item(role, f"{name} {part}", round(size * bits / total), label=label))
    return items


def weight(value: Tensor) -> float:
    """Bits of a part by the frequencies of its own values; never nothing, since its name and shape are stored."""
    value = value.detach().cpu().contiguous().flatten()
    if value.is_floating_point() and value.numel():
        value = value.view(torch.uint8)
    _, counts = value.unique(return_counts=True)
    share = counts.double() / max(1, value.numel())
    return float(-(share * share.log2()).sum()) * value.numel() + 64.0
