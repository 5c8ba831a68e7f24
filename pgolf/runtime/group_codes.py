"""Matrices of one or two magnitudes: a scale for each group of weights in a row, and codes -1, 0, 1 or -1, 1.

    groups of n weights along the row, the last one filled up with zeros      s = float16(mean |w| of a group)
    ternary q = clamp(round(w / s), -1, 1)      binary q = 1 where w >= 0, else -1      W' = s q

The forward always uses s q, made anew of the weights. What is decoded must therefore have the scale s again: it is
s q / mean |q| of its group, so that mean |w| is s, and codes and scales of the decoded weights are those that were stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from pgolf.runtime.layers import rms_norm
from pgolf.runtime.parameters import matrix_role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.context import Context
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.model import GPT

LAYER_ROLES = ("attn.c_q", "attn.c_k", "attn.c_v", "attn.c_qkv", "attn.proj", "mlp.fc", "mlp.gate_up", "mlp.proj")


def split_rows(matrix: Tensor, size: int) -> Tensor:
    """(rows, columns) -> (rows, groups, size), rows filled up with zeros."""
    padded = F.pad(matrix, (0, -matrix.shape[1] % size))
    return padded.view(len(matrix), padded.shape[1] // size, size)


def join_rows(groups: Tensor, columns: int) -> Tensor:
    """The inverse of `split_rows`."""
    return groups.flatten(1)[:, :columns]


def group_codes(weight: Tensor, size: int, binary: bool) -> tuple[Tensor, Tensor]:
    """int8 codes (rows, columns) and float16 scales (rows, groups) of a float32 matrix; exporter and forward share it."""
    groups = split_rows(weight, size)
    scale = groups.abs().mean(2).half()
    # A group whose scale is zero has no sign worth keeping: codes 0, and 1 where they must be -1 or 1.
    divisor = torch.where(scale > 0, scale, torch.inf).float()
    ternary = (groups / divisor[:, :, None]).round().clamp(-1, 1)
    codes = torch.where(groups >= 0, 1.0, -1.0) if binary else ternary
    return join_rows(codes, weight.shape[1]).to(torch.int8), scale


def scaled_codes(codes: Tensor, scale: Tensor, size: int) -> Tensor:
    """s q in float32."""
    return join_rows(split_rows(codes.float(), size) * scale.float()[:, :, None], codes.shape[1])


def decoded_codes(codes: Tensor, scale: Tensor, size: int) -> Tensor:
    """s q / mean |q| in float32."""
    share = split_rows(codes.float(), size).abs().mean(2).clamp_min(1e-8)
    return join_rows(split_rows(codes.float(), size) * (scale.float() / share)[:, :, None], codes.shape[1])


class GroupRecipe:
    """Tensor recipe; matrices of the layers have parts "codes" and "scale", other tensors are kept in float16."""

    def __init__(self, plugin: str, size: int, binary: bool) -> None:
        self.name = plugin
        self.size = size
        self.binary = binary

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """Codes and scales of a matrix of a layer, whatever its size: the forward has no other weights for it."""
        if matrix_role(name, "")[0] not in LAYER_ROLES:
            return {"kept": tensor.half()}
        ledger.count(self.name, "matrices stored")
        codes, scale = group_codes(tensor.float(), self.size, self.binary)
        return {"codes": codes, "scale": scale}

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        if "kept" in parts:
            return parts["kept"].to(kind)
        return decoded_codes(parts["codes"], parts["scale"], self.size).to(kind)


def use_codes(
    model: GPT,
    weight: Tensor,
    role: str,
    layer: int,
    position: int,
    ctx: Context,
    plugin: str,
    size: int,
    binary: bool,
) -> Tensor:
    """Weight tap, in training and in scoring: s q, with the gradient of the matrix itself."""
    if role not in LAYER_ROLES:
        return weight
    ctx.fired(plugin, "matrices")
    used = scaled_codes(*group_codes(weight.detach().float(), size, binary), size)
    return weight + (used.to(weight.dtype) - weight).detach()


def norm_outputs(model: GPT, x: Tensor, role: str, layer: int, position: int, ctx: Context) -> Tensor:
    """Input tap: what the output projections multiply has norm one for each element."""
    return rms_norm(x) if role in ("attn.proj", "mlp.proj") else x
