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
        tokenizer = SentencePieceProcessor(model_file=str(path))
    except (OSError, RuntimeError) as error:
        raise OSError(f"{path}: not a SentencePiece model: {error}") from error
    if len(tokenizer) > vocab_size:
        raise ValueError(f"{path}: the tokenizer has {len(tokenizer)} pieces, wanted at most vocab_size={vocab_size}")
    if tokenizer.piece_to_id(WORD_MARK) == tokenizer.unk_id():
        raise ValueError(f"{path}: the word mark U+2581 is not a piece of its own: spaces may be silently uncounted")
    return tokenizer


def byte_tables(tokenizer: SentencePieceProcessor, vocab_size: int) -> tuple[torch.Tensor, ...]:
    """Tables over ids (V,): `size` int64 without the word mark, `lead` and `boundary` bool; spare ids are boundary."""
    size = torch.zeros(vocab_size, dtype=torch.int64)
    lead = torch.zeros(vocab_size, dtype=torch.bool)
    boundary = torch.ones(vocab_size, dtype=torch.bool)
    for token in range(len(tokenizer)):
        if tokenizer.is_control(token) or tokenizer.is_unknown(token) or tokenizer.is_unused(token):
            continue
        piece = tokenizer.id_to_piece(token)
        boundary[token] = False
        lead[token] = piece.startswith(WORD_MARK)
        size[token] = 1 if tokenizer.is_byte(token) else len(piece.removeprefix(WORD_MARK).encode())
    return size, lead, boundary
