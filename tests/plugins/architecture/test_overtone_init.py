"""Singular values of the embedding's start, and that its directions stay."""

import torch
from models import built


def test_singular_values_fall_like_overtones_and_directions_stay():
    plain, toned = built().model.tok_emb.weight.detach(), built("overtone_init").model.tok_emb.weight.detach()
    # Eigenvalues of E^T E are the squares, found without an SVD.
    first = torch.linalg.eigvalsh(plain.double().T @ plain.double()).max().sqrt()
    found = torch.linalg.eigvalsh(toned.double().T @ toned.double()).flip(0).sqrt()
    want = first * torch.arange(1, 65).double() ** -0.5
    torch.testing.assert_close(found, want, rtol=1e-4, atol=1e-6)
    # Both have the same singular vectors, so these products commute.
    a, b = (plain.double().T @ plain.double()), (toned.double().T @ toned.double())
    torch.testing.assert_close(a @ b, b @ a, rtol=1e-4, atol=1e-8)


def test_nothing_else_starts_otherwise():
    toned, plain = built("overtone_init").model.state_dict(), built().model.state_dict()
    assert {key for key in plain if not torch.equal(plain[key], toned[key])} == {"tok_emb.weight"}


def test_untied_embeddings_have_overtones_too():
    model = built("overtone_init", "untied_head").model
    values = torch.linalg.svdvals(model.tok_emb.weight.detach())
    torch.testing.assert_close(values[3] / values[0], torch.tensor(0.5), rtol=1e-4, atol=1e-4)
