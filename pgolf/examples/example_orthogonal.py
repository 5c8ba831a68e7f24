"""U = X (X^T X)^(-1/2), from the singular value decomposition X = A S B^T: U = A B^T."""

import torch

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_orthogonal",
    summary="Exact orthogonalization.",
    source="pgolf's documentation",
    family="optimizer",
)


class ExactOrthogonal:
    """`name` is the plugin's, under which the matrix optimizer counts its matrices."""

    name = "example_orthogonal"

    def __call__(self, update, names, steps):
        """A matrix or a batch of matrices, to bfloat16."""
        left, _, right = torch.linalg.svd(update.float(), full_matrices=False)
        return (left @ right).bfloat16()


@hookimpl
def orthogonalizer(settings) -> Component:
    """In place of Newton-Schulz."""
    return Component(ExactOrthogonal)
