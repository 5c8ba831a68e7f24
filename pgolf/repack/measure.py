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
    data = base64.b85encode(lzma.compress(small.encode(), preset=9 | lzma.PRESET_EXTREME))
    return len(b'import lzma,base64;exec(lzma.decompress(base64.b85decode("' + data + b'")))\n')
