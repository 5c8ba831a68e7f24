"""Text as SentencePiece will see it, so that byte counts made from tokens are byte counts of the text.

The contest's tokenizers normalise before they encode: `nmt_nfkc`, runs of white space to one space, none at the ends.
What they drop is never counted. A document that is normalised first loses nothing, and its counts can be checked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sentencepiece import SentencePieceNormalizer, SentencePieceProcessor

from pgolf.errors import PgolfError

BOS_ID = 1
WORD_MARK = "\u2581"
RULE = "nmt_nfkc"


class Normalizer:
    """The documented normalisation; `text -> text`, equal to what the tokenizer makes of it.

    NULs go, as in the published shards; a literal U+2581 becomes a space, since a tokenizer takes it for one; a lone
    surrogate, which UTF-8 cannot hold, becomes a question mark; the rest is SentencePiece's own normaliser.

    Args:
        tokenizer: a model file whose rules are used, or "" for the contest's rule.
    """

    def __init__(self, tokenizer: str = ""):
        if tokenizer:
            # The processor, not the normalizer class: that one ignores the model's white-space rule before 0.2.3.
            self.normalize = SentencePieceProcessor(model_file=tokenizer).normalize
        else:
            rule = SentencePieceNormalizer(rule_name=RULE, add_dummy_prefix=False, remove_extra_whitespaces=True)
            self.normalize = rule.normalize

    def __call__(self, text: str) -> str:
        plain = text.replace("\0", "").replace(WORD_MARK, " ").encode("utf-8", "replace").decode()
        return str(self.normalize(plain)).replace(WORD_MARK, " ")


class ByteTables:
    """Byte counts of token sequences; the same tables as the running program's, as numpy arrays."""

    def __init__(self, size: np.ndarray[Any, Any], lead: np.ndarray[Any, Any], boundary: np.ndarray[Any, Any]):
        self.size, self.lead, self.boundary = size, lead, boundary

    def count(self, ids: np.ndarray[Any, Any]) -> int:
        """UTF-8 bytes of all but the first token of `ids` (n,), each in the context of the one before it."""
        spaces = self.lead[ids[1:]] & ~self.boundary[ids[:-1]]
        return int(self.size[ids[1:]].sum() + spaces.sum())


def open_tokenizer(path: str) -> tuple[Any, ByteTables]:
    """The tokenizer and its byte tables.

    Raises:
        PgolfError: PG001 for a file that is no SentencePiece model, PG503 for one that cannot be used with shards.
    """
    from pgolf.runtime.byte_count import byte_tables, load_tokenizer  # imports torch

    try:
        tokenizer = load_tokenizer(path, 65536)
    except ValueError as error:
        raise PgolfError("PG503", str(error), hint="shards hold 16-bit ids of a model with U+2581 as a piece") from None
    except OSError as error:
        raise PgolfError("PG001", str(error), hint="give the .model file of a SentencePiece tokenizer") from None
    if tokenizer.bos_id() != BOS_ID:
        raise PgolfError("PG503", f"the tokenizer's BOS id is {tokenizer.bos_id()}, wanted {BOS_ID}", path)
    tables = byte_tables(tokenizer, len(tokenizer))
    return tokenizer, ByteTables(*(table.numpy() for table in tables))
