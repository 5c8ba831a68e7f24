"""Decoders that stop at a bound, for data that nobody vouches for."""

from __future__ import annotations

import base64
import binascii
import bz2
import importlib
import lzma
import zlib
from collections.abc import Callable
from typing import Any

OUTPUT_LIMIT = 4 * 2**20
"""Most bytes that one decoder may give."""
MEMORY_LIMIT = 64 * 2**20
"""Most memory for a dictionary: what xz at its highest preset uses."""
DECODER_MEMORY = MEMORY_LIMIT + 4 * 2**20
"""Most memory of a whole xz decoder: the dictionary and what it needs besides."""
FILTER_KEYS = ("id", "preset", "lc", "lp", "pb", "dict_size", "mode", "nice_len", "mf", "depth", "dist", "start_offset")


class Undecodable(Exception):
    """Data or an expression that is not decoded; the message says why."""


def bounded(data: bytes) -> bytes:
    """The data, unless they are more than `OUTPUT_LIMIT`."""
    if len(data) > OUTPUT_LIMIT:
        raise Undecodable(f"it decodes to more than {OUTPUT_LIMIT:,} bytes")
    return data


def ended(decoder: Any, data: bytes) -> bytes:
    """The data of a stream that has its end: one that is cut short does not start."""
    if not decoder.eof and len(data) <= OUTPUT_LIMIT:
        raise Undecodable("the packed data are cut short")
    return bounded(data)


def un_lzma(data: bytes, format: Any = lzma.FORMAT_AUTO, filters: Any = None) -> bytes:
    """xz, lzma-alone, or raw LZMA with a chain of filters."""
    try:
        if format == lzma.FORMAT_RAW:
            decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(filters))
        elif format in (lzma.FORMAT_AUTO, lzma.FORMAT_XZ, lzma.FORMAT_ALONE):
            decoder = lzma.LZMADecompressor(format, memlimit=DECODER_MEMORY)
        else:
            raise Undecodable("an LZMA format that is not known")
        return ended(decoder, decoder.decompress(data, OUTPUT_LIMIT + 1))
    except (lzma.LZMAError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise Undecodable(f"LZMA: {error}") from None


def _filters(chain: Any) -> list[dict[str, int]]:
    """A filter chain of whole numbers whose dictionaries fit into `MEMORY_LIMIT`."""
    if not isinstance(chain, list) or not 1 <= len(chain) <= 4:
        raise Undecodable("raw LZMA without a filter")
    made = []
    for item in chain:
        known = isinstance(item, dict) and all(key in FILTER_KEYS and type(value) is int for key, value in item.items())
        if not known or item.get("dict_size", 0) > MEMORY_LIMIT:
            raise Undecodable("an LZMA filter that is unknown or needs too much memory")
        made.append(dict(item))
    return made


def un_zlib(data: bytes, wbits: Any = zlib.MAX_WBITS) -> bytes:
    """zlib, gzip or raw deflate."""
    try:
        decoder = zlib.decompressobj(wbits)
        return ended(decoder, decoder.decompress(data, OUTPUT_LIMIT + 1))
    except (zlib.error, ValueError, TypeError) as error:
        raise Undecodable(f"zlib: {error}") from None


def un_gzip(data: bytes) -> bytes:
    """One gzip member."""
    return un_zlib(data, 31)


def un_bz2(data: bytes) -> bytes:
    """One bzip2 stream."""
    try:
        decoder = bz2.BZ2Decompressor()
        return ended(decoder, decoder.decompress(data, OUTPUT_LIMIT + 1))
    except (OSError, ValueError) as error:
        raise Undecodable(f"bzip2: {error}") from None


def un_brotli(data: bytes) -> bytes:
    """Brotli; its window is at most 16 MiB."""
    import brotli

    try:
        return bounded(brotli.Decompressor().process(data, output_buffer_limit=OUTPUT_LIMIT + 1))
    except brotli.error as error:
        raise Undecodable(f"brotli: {error}") from None


def un_zstd(data: bytes) -> bytes:
    """Zstandard, where a decoder is installed."""
    try:
        module: Any = importlib.import_module("zstandard")
    except ImportError:
        raise Undecodable("zstandard is not installed: pip install zstandard") from None
    try:
        decoder = module.ZstdDecompressor(max_window_size=MEMORY_LIMIT).stream_reader(data)
        return bounded(decoder.read(OUTPUT_LIMIT + 1))
    except (module.ZstdError, ValueError) as error:
        raise Undecodable(f"zstd: {error}") from None


def text_decoder(function: Callable[..., bytes]) -> Callable[..., bytes]:
    """A decoder of base-N text as one that raises `Undecodable`."""

    def decode(data: Any) -> bytes:
        try:
            return function(data)
        except (ValueError, TypeError, binascii.Error) as error:
            raise Undecodable(f"{function.__name__}: {error}") from None

    return decode


COMPRESSED: dict[str, Callable[..., bytes]] = {
    "lzma.decompress": un_lzma,
    "zlib.decompress": un_zlib,
    "gzip.decompress": un_gzip,
    "bz2.decompress": un_bz2,
    "brotli.decompress": un_brotli,
    "brotlicffi.decompress": un_brotli,
    "zstandard.decompress": un_zstd,
    "zstd.decompress": un_zstd,
    "pyzstd.decompress": un_zstd,
    "compression.zstd.decompress": un_zstd,
}
WRITTEN: dict[str, Callable[..., bytes]] = {
    "base64.b85decode": text_decoder(base64.b85decode),
    "base64.a85decode": text_decoder(base64.a85decode),
    "base64.b64decode": text_decoder(base64.b64decode),
    "base64.standard_b64decode": text_decoder(base64.standard_b64decode),
    "base64.urlsafe_b64decode": text_decoder(base64.urlsafe_b64decode),
    "base64.b32decode": text_decoder(base64.b32decode),
    "base64.b16decode": text_decoder(base64.b16decode),
    "base64.decodebytes": text_decoder(base64.decodebytes),
    "binascii.a2b_base64": text_decoder(binascii.a2b_base64),
    "binascii.unhexlify": text_decoder(binascii.unhexlify),
    "binascii.a2b_hex": text_decoder(binascii.a2b_hex),
    "bytes.fromhex": text_decoder(bytes.fromhex),
}
OBJECTS: dict[str, str] = {
    # A decoder object's `.decompress` or `.process` is the function's.
    "lzma.LZMADecompressor": "lzma.decompress",
    "zlib.decompressobj": "zlib.decompress",
    "bz2.BZ2Decompressor": "bz2.decompress",
    "brotli.Decompressor": "brotli.decompress",
    "zstandard.ZstdDecompressor": "zstandard.decompress",
}
