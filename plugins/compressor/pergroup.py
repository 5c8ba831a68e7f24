"""Streams by group of matrices, sorted and transposed, for a coder that compresses each group apart.

    tok_emb   c_k   c_q   c_v   proj   mlp.fc   mlp.proj   remainder   orders of rows          container "PGRP"

A group has the int8 codes of all its matrices, layers ascending, each transposed: neighbouring bytes are neighbouring
rows of one column. Rows of tok_emb, c_q and mlp.fc are sorted before that, along a greedy tour: from row 0 on, always to
the row not yet visited at the least L1 distance, the lowest index among equals. Orders are uint16. The remainder is
everything else by `torch.save`; under the name "" it says which tensor's codes, of which shape, come next in a group.

Source: openai/parameter-golf#1855 (experiments: #1586, #1667, #1729).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import torch

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.parameters import matrix_role
from pgolf.runtime.streams import join_streams, load_tensors, save_tensors, split_streams

if TYPE_CHECKING:
    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="pergroup",
    summary="Codes grouped by role, rows sorted by similarity and transposed; each group compressed by lrzip.",
    source="openai/parameter-golf#1855",
    family="compressor",
    effect="-240 to -280 kB against brotli",
    requires=("lrzip",),
)
GROUPS = ("tok_emb.weight", "attn.c_k", "attn.c_q", "attn.c_v", "attn.proj", "mlp.fc", "mlp.proj")
SORTED = ("tok_emb.weight", "attn.c_q", "mlp.fc")


def nearest_tour(codes: np.ndarray) -> np.ndarray:
    """Order of the rows of int8 `codes` along the greedy tour, uint16. 8192 rows of 512 codes take about 10 s."""
    # As unsigned bytes, so that no difference overflows.
    rows = codes.view(np.uint8) ^ 128
    left = np.arange(len(rows))
    used = np.zeros(len(rows), bool)
    tour, at = [0], 0
    for step in range(1, len(left)):
        here = rows[at]
        used[at] = True
        if step % 256 == 0:
            rows, left, used = rows[~used], left[~used], used[~used]
        distances = (np.maximum(rows, here) - np.minimum(rows, here)).sum(1, dtype=np.uint32)
        distances[used] = 2**32 - 1
        at = distances.argmin()
        tour.append(left[at])
    return np.array(tour, "<u2")


def grouped(encoded: dict[str, Parts]) -> dict[str, list[str]]:
    """group -> canonical names, layers ascending, of int8 matrices with no more rows than uint16 can count."""
    found: dict[str, list[tuple[int, str]]] = {group: [] for group in GROUPS}
    for name, parts in encoded.items():
        (role, layer), codes = matrix_role(name, name), parts.get("codes")
        fits = codes is not None and codes.dtype == torch.int8 and codes.ndim == 2 and len(codes) <= 2**16
        if role in found and fits:
            found[role].append((layer, name))
    return {group: [name for _, name in sorted(names)] for group, names in found.items()}


class PerGroup:
    """Stream layout; whatever is not in a group is remainder."""

    def pack(self, encoded: dict[str, Parts], ledger: Ledger) -> bytes:
        """The container of nine streams."""
        rest = {name: dict(parts) for name, parts in encoded.items()}
        streams = []
        shapes = []
        orders = b""
        all_names = list(encoded)
        for group, names in grouped(encoded).items():
            stream = b""
            for name in names:
                codes = rest[name].pop("codes").numpy()
                shapes.append((GROUPS.index(group), all_names.index(name), *codes.shape))
                if group in SORTED:
                    order = nearest_tour(codes)
                    codes = codes[order]
                    orders = orders + order.tobytes()
                stream += codes.T.tobytes()
            streams.append(stream)
        ledger.note("pergroup", f"{len(shapes)} of {len(encoded)} tensors in groups, {len(orders) // 2} rows sorted")
        return join_streams(b"PGRP", [*streams, save_tensors({**rest, "": {"shapes": shapes}}), orders])

    def unpack(self, data: bytes) -> dict[str, Parts]:
        """The encoded tensors."""
        *streams, rest, orders = map(io.BytesIO, split_streams(b"PGRP", 9, data))
        encoded = load_tensors(rest.read())
        shapes = encoded.pop("")["shapes"]
        names = list(encoded)
        for group, place, rows, columns in shapes:
            codes = np.frombuffer(streams[group].read(rows * columns), np.int8).reshape(columns, rows).T
            if GROUPS[group] in SORTED:
                order = np.frombuffer(orders.read(2 * rows), "<u2")
                places = np.argsort(order)
                if not np.array_equal(order[places], np.arange(rows)):
                    raise ValueError(f"the order of rows of {names[place]} is no permutation")
                codes = codes[places]
            encoded[names[place]]["codes"] = torch.from_numpy(codes.copy())
        if any(stream.read() for stream in (*streams, orders)):
            raise ValueError("some bytes of a stream belong to no matrix")
        return encoded


@hookimpl
def stream_layout(settings: SettingsView) -> Component:
    """Nine streams."""
    return Component(PerGroup)
