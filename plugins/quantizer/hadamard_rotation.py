"""Hadamard rotation: matrices are quantized in a basis in which large weights are spread over many.

    W R      R = blockdiag(H_n, H_n, ...) / sqrt(n) on the input side, n the largest power of two that divides the columns
    X^T X -> R^T X^T X R for the statistics of inputs      at load W' R^T

R is orthogonal and its own inverse, so a rounding error keeps its size, and nothing but the codes changes: no bytes are
stored for it, and the forward is that of the plain matrix. It pays where rows have outliers that set the step. With steps from
standard deviations it does not: they do not change under a rotation, and trained weights are near normal already.

Source: QuaRot, arXiv:2404.00456; without gain in a fork of openai/parameter-golf#1493.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from pgolf import Component, Conflict, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import KEPT_ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="hadamard_rotation",
    summary="Matrices are rounded after a Hadamard rotation of their inputs.",
    source="arXiv:2404.00456; openai/parameter-golf#1493 (fork)",
    family="quantizer",
    effect="nothing with sdclip (the fork)",
    conflicts=(
        Conflict("qat", "training would prepare for codes of matrices that are not rotated"),
        Conflict("bank_qat", "training would prepare for codes of matrices that are not rotated"),
    ),
    settings=(
        Setting("hadamard_names", "blocks.", "what the names of rotated matrices begin with, separated by commas"),
    ),
)


class HadamardRotation:
    """Tensor transform; matrices of at most 65,536 elements are not rotated, because recipes keep them."""

    def __init__(self, prefixes: tuple[str, ...]) -> None:
        self.prefixes = prefixes

    def rotates(self, name: str, tensor: Tensor) -> bool:
        """Is it a large matrix under one of the names? Both ways ask the same."""
        return tensor.ndim == 2 and tensor.numel() > KEPT_ELEMENTS and name.startswith(self.prefixes)

    def apply(
        self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The rotated matrix, and the statistics of rotated inputs."""
        if not self.rotates(name, tensor):
            return tensor, statistics
        ledger.count("hadamard_rotation", "matrices")
        # A Hessian is rotated on both of its sides; what `fit` adds may be a single number.
        turned = {
            key: rotate_columns(rotate_columns(value).T).T if value.ndim == 2 else value
            for key, value in statistics.items()
        }
        return rotate_columns(tensor.float()), turned

    def undo(self, name: str, tensor: Tensor) -> Tensor:
        """The matrix again, in its own dtype."""
        return rotate_columns(tensor.float()).to(tensor.dtype) if self.rotates(name, tensor) else tensor


def rotate_columns(matrix: Tensor) -> Tensor:
    """`matrix` (rows, columns) times R."""
    rows, columns = matrix.shape
    block = columns & -columns
    work = matrix
    width = 1
    while width < block:
        pairs = work.reshape(rows, -1, 2, width)
        first, second = pairs.unbind(2)
        work = torch.stack((first + second, first - second), 2)
        width *= 2
    return work.reshape(rows, columns) / math.sqrt(block)


@hookimpl
def tensor_transforms(settings: SettingsView) -> Component:
    """After pruning, if there is any."""
    prefixes = tuple(part.strip() for part in settings.hadamard_names.split(",") if part.strip())
    settings.require(bool(prefixes), "hadamard_names", "at least one beginning of a name, such as blocks.")
    return Component(HadamardRotation, prefixes=prefixes)
