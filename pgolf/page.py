"""The frame of every page that pgolf writes: one file without scripts that takes nothing from the network."""

from __future__ import annotations

from html import escape

from pgolf.errors import printable

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
MESSAGE = 2000


def document(title: str, style: str, body: str) -> str:
    """A whole page, as HTML that is XML as well; `title` is text, `style` and `body` are trusted."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}"/>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"/><meta name="referrer" content="no-referrer"/>'
        f"<title>{safe(title)}</title><style>{style}</style></head><body>{body}</body></html>\n"
    )


def safe(words: object, most: int = MESSAGE) -> str:
    """Text for HTML: control characters as escapes, markup as text."""
    return escape(printable(str(words)[:most]))
