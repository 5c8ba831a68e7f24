"""Rows and output of the bigram table against the public script, and its start."""

import pytest
import torch
from models import Case, built, tokens

from pgolf.runtime.context import Context

HASHES = [(96, 256), (3072, 1024), (2048, 1024), (1536, 1024), (50, 64)]


@pytest.mark.parametrize(("rows", "vocab"), HASHES)
def test_rows_and_output_match_the_public_script(rows, vocab):
    case = Case("unit_embedding", f"bigram_v2_N{rows}_V{vocab}_tri0")
    made = built("bigram_hash", model_dim=16, bigram_vocab_size=rows, bigram_dim=8)
    (term,), ids = made.program.stem_terms, case.inputs["ids"].long()
    assert torch.equal(term.index(ids), case.outputs["index"].long())
    if "out" in case.outputs:
        weights = {f"bigram.{key}": value.float() for key, value in case.params.items()}
        case.check("out", term(made.model, ids, Context(ids, (), True, weights, {}, {}, None, None, None)))


def test_it_starts_at_zero_and_its_table_can_learn():
    made, plain = built("bigram_hash"), built()
    ids, targets = tokens()
    assert torch.equal(made.model(ids, targets), plain.model(ids, targets))
    made.model(ids, targets).backward()
    assert made.model.bigram.proj.weight.any() and made.model.bigram.embed.weight.grad.any()
