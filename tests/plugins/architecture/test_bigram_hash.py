"""Rows and output of the bigram table against the public script, its start, and where documents begin."""

import pytest
import torch
from models import Case, built, tokens

from pgolf.runtime.context import Context

HASHES = [(96, 256, 0), (3072, 1024, 0), (2048, 1024, 0), (1536, 1024, 0), (50, 64, 0), (64, 256, 1)]


def context(weights=None, **fields):
    return Context(None, (), True, weights or {}, {}, fields, None, None, None)


@pytest.mark.parametrize(("rows", "vocab", "trigram"), HASHES)
def test_rows_and_output_match_the_public_script(rows, vocab, trigram):
    case = Case("unit_embedding", f"bigram_v2_N{rows}_V{vocab}_tri{trigram}")
    made = built("bigram_hash", model_dim=16, bigram_vocab_size=rows, bigram_dim=8, trigram=bool(trigram))
    (term,), ids = made.program.stem_terms, case.inputs["ids"].long()
    assert torch.equal(term.index(ids, context(), 1), case.outputs["index"].long())
    if trigram:
        assert torch.equal(term.index(ids, context(), 2), case.outputs["trigram_index"].long())
    if "out" in case.outputs:
        weights = {f"bigram.{key}": value.float() for key, value in case.params.items()}
        case.check("out", term(made.model, ids, context(weights)))


def test_no_row_reaches_over_the_start_of_a_document():
    """Rows of the second document in a row of three are those that it has alone, for pairs and for triples."""
    (term,) = built("bigram_hash", bigram_vocab_size=64, bigram_dim=24, trigram=True).program.stem_terms
    ids, _ = tokens(1, 20)
    ids[0, [6, 7, 15]] = 1
    alone = ids[:, 7:15]
    for back in (1, 2):
        packed = term.index(ids, context(starts=ids == 1), back)
        assert torch.equal(packed[:, 7:15], term.index(alone, context(starts=alone == 1), back))
        assert not torch.equal(packed, term.index(ids, context(), back))
        hashed = term.index(alone, context(), back)
        assert torch.equal(packed[:, 7:15], hashed), "a document alone needs no mark"


@pytest.mark.parametrize("trigram", [False, True])
def test_it_starts_at_zero_and_its_table_can_learn(trigram):
    made, plain = built("bigram_hash", trigram=trigram), built()
    ids, targets = tokens()
    assert torch.equal(made.model(ids, targets), plain.model(ids, targets))
    made.model(ids, targets).backward()
    assert made.model.bigram.proj.weight.any() and made.model.bigram.embed.weight.grad.any()
