"""How many UTF-8 bytes a SentencePiece token stands for, the denominator of bits per byte.

    bytes(y | x) = size[y] + (lead[y] and not boundary[x])

The word mark U+2581 is a space, one byte, which is charged except after a control token: a document's first word has no
space before it. Source: openai/parameter-golf, train_gpt.py; the check for the lone word mark answers its issue #897.
"""

import torch
from sentencepiece import SentencePieceProcessor

WORD_MARK = "\u2581"


def load_tokenizer(path: str, vocab_size: int) -> SentencePieceProcessor:
    """The tokenizer; OSError when it cannot be read, ValueError where byte counts made from it could be wrong."""
    try:
        tokenizer = SentencePieceProcessor(path)
    except (OSError, RuntimeError) as error:
        raise OSError(f"{path}: not a SentencePiece model") from error
    if len(tokenizer) > vocab_size:
        raise ValueError(f"{path} has {len(tokenizer)} pieces, wanted at most vocab_size={vocab_size}")
    if tokenizer.piece_to_id(WORD_MARK) == tokenizer.unk_id():
        raise ValueError(f"{path}: U+2581 is not a piece of its own")
    return tokenizer


def byte_tables(tokenizer: SentencePieceProcessor, vocab_size: int) -> torch.Tensor:
    """Rows (3,V) int64 over ids: `size` without the word mark, `lead` and `boundary` 0 or 1; spare ids are boundary."""
    rows = [(0, 0, 1)] * vocab_size
    for token in range(len(tokenizer)):
        if not (tokenizer.is_control(token) or tokenizer.is_unknown(token) or tokenizer.is_unused(token)):
            piece = tokenizer.id_to_piece(token)
            # The word mark itself has three bytes.
            lead = piece.startswith(WORD_MARK)
            rows[token] = 1 if tokenizer.is_byte(token) else len(piece.encode()) - 3 * lead, lead, 0
    return torch.tensor(rows).T
