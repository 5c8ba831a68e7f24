"""The first bigram table against the public script, its start, its projection's place, and where documents begin."""

import pytest
import torch
from models import Case, built, resolved, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.context import Context


def context(weights=None, **fields):
    return Context(None, (), True, weights or {}, {}, fields, None, None, None)


def test_rows_and_output_match_the_public_script():
    case = Case("unit_embedding", "bigram_v1")
    made = built("bigram_hash_v1", model_dim=20, num_heads=2, bigram_hash_buckets=64, bigram_hash_dim=12)
    (term,), ids = made.program.stem_terms, case.inputs["ids"].long()
    assert torch.equal(term.index(ids, context()), case.outputs["index"].long())
    weights = {f"bigram_hash.{key}": value.float() for key, value in case.params.items()}
    # The record was trained with fake-quantized matrices, and its output has them.
    weights["bigram_hash.proj.weight"] = on_int6_grid(weights["bigram_hash.proj.weight"])
    case.check("out", term(made.model, ids, context(weights)))


def on_int6_grid(weight):
    """Rows clipped at the 0.9999984 quantile of their magnitudes, in steps of clip / 31; by numpy's own quantile."""
    clip = torch.from_numpy(numpy_quantile(weight.abs().double().numpy())).float()[:, None]
    step = (clip / 31).clamp_min(1e-8)
    return (weight.clamp(-clip, clip) / step).round() * step


def numpy_quantile(magnitudes):
    import numpy

    return numpy.quantile(magnitudes, 0.9999984, axis=1)


def test_a_document_has_the_rows_that_it_has_alone():
    (term,) = built("bigram_hash_v1", bigram_hash_buckets=64, bigram_hash_dim=8).program.stem_terms
    ids, _ = tokens(1, 20)
    ids[0, [6, 7, 15]] = 1
    packed = term.index(ids, context(starts=ids == 1))
    assert torch.equal(packed[:, 7:15], term.index(ids[:, 7:15], context()))
    assert not torch.equal(packed, term.index(ids, context()))


def test_it_starts_at_zero_and_its_projection_learns_first():
    made, plain = built("bigram_hash_v1"), built()
    ids, targets = tokens()
    assert torch.equal(made.model(ids, targets), plain.model(ids, targets))
    made.model(ids, targets).backward()
    assert made.model.bigram_hash.proj.weight.grad.any() and made.model.bigram_hash.table.weight.any()


def test_calibration_sees_its_projection_and_the_matrix_optimizer_trains_it():
    made, seen = built("bigram_hash_v1", bigram_hash_dim=24), []
    ids, targets = tokens()
    made.model(ids, targets, observe=lambda role, layer, x: seen.append((role, x.size(-1))))
    assert seen[0] == ("bigram_hash.proj", 24)
    (record,) = [record for record in made.parameters if record.name == "bigram_hash.proj.weight"]
    assert (record.group, record.quant, record.tap) == ("matrix", "aux", "bigram_hash.proj")


def test_one_table_is_enough():
    with pytest.raises(PgolfError, match="both add a table of token pairs"):
        resolved("bigram_hash_v1", "bigram_hash")
