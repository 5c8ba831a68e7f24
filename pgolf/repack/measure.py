"""What `pgolf pack` is measured against."""

from __future__ import annotations

import base64
import lzma

import python_minifier


def baseline(text: str) -> int | None:
    """Bytes of what python-minifier with its defaults, LZMA and base85 make of a script; None where that fails."""
    try:
        small = python_minifier.minify(text)
    except (python_minifier.UnstableMinification, SyntaxError, ValueError, RecursionError, AttributeError):
        return None
    data = base64.b85encode(strongest(small.encode()))
    return len(b'import lzma,base64;exec(lzma.decompress(base64.b85decode("' + data + b'")))\n')


def strongest(data: bytes) -> bytes:
    """xz at its highest preset, with a dictionary that is no larger than the data: as small, without 700 MB of tables."""
    window = min(max(4096, len(data)), 2**26)
    chain = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": window}]
    return lzma.compress(data, filters=chain)
