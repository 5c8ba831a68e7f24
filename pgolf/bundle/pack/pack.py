"""Pack: write the minified program as the smallest Python file that runs it; `pgolf.unpack` knows its forms and reads it."""

from __future__ import annotations

import base64
import lzma
import math
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product

import brotli

from pgolf.errors import PgolfError
from pgolf.mixing import ALPHABET, BASE, deflate, encode, program
from pgolf.unpack import DENSE, DENSE_NAMES, DENSEST, MIXED, MIXED_NAMES, RUN, RUN_BY_LINE, run_alone, unpack

FAMILIES = ("plain", "b85", "latin1", "mix")
"""The last one is smaller, but takes seconds to write and to start: "auto" chooses from the others."""
CHOICES = ("auto", *FAMILIES)
LZMA1 = 2**62 + 1
SEARCHES = ((lzma.MF_BT4, 273), (lzma.MF_BT4, 40), (lzma.MF_BT2, 64), (lzma.MF_BT2, 40))
"""Match finders, and the length that ends their search: ten bytes more or less."""
TRIAL = SEARCHES[1]
"""With this one it is seen which literal contexts are worth the others; best of the four by 48 programs."""
HOPELESS = 0.98
"""What is this much smaller than another compressor's result stays so whatever the settings: they are worth 1 %."""


@dataclass(frozen=True)
class Packed:
    """One candidate: its name (`latin1+lzma`), the file, and the packages it imports beyond the standard library."""

    name: str
    code: bytes
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coder:
    """One compressor: the module the file imports, the call that undoes it (`{}` is the data) and the data."""

    name: str
    imports: str
    call: str
    data: bytes


def coders(source: bytes, allow_brotli: bool) -> Iterator[Coder]:
    """Every compressor on the source, with several settings each."""
    yield Coder("zlib", "zlib", "zlib.decompress({})", zlib.compress(source, 9))
    # A window that holds all of the source differs from a larger one in nothing but the header, which is longer.
    wide = len(source) + 16
    windows = [window for below, window in ((0, 16), (16, 18), (18, 22)) if wide > 2**below] if allow_brotli else []
    others = [brotli.compress(source, mode=brotli.MODE_TEXT, quality=11, lgwin=window) for window in windows]
    for data in _lzma_results(source, min(map(len, others), default=len(source))):
        yield Coder("lzma", "lzma", "lzma.decompress({})", data)
    for data in others:
        yield Coder("brotli", "brotli", "brotli.decompress({})", data)


def _lzma_results(source: bytes, other: int) -> list[bytes]:
    """LZMA with every setting that may be the best, in a fixed order; `other` is the size by another compressor."""
    # lc is how many upper bits of a character tell what follows it; the first one of ASCII is the same in all of them.
    contexts = range(source.isascii(), 5)
    first = _lzma_of(source, (2, *TRIAL))
    if other < HOPELESS * len(first):
        return [first]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # the compressor releases the interpreter's lock
        trials = dict(zip(contexts, pool.map(lambda lc: _lzma_of(source, (lc, *TRIAL)), contexts), strict=True))
        best = sorted(trials, key=lambda lc: len(latin1(trials[lc])))[:2]
        settings = [(lc, *search) for lc, search in product(best, SEARCHES) if search != TRIAL]
        found = dict(zip(settings, pool.map(partial(_lzma_of, source), settings), strict=True))
    found |= {(lc, *TRIAL): data for lc, data in trials.items()}
    return [found[lc, *search] for lc, search in product(contexts, SEARCHES) if (lc, *search) in found]


def _lzma_of(source: bytes, setting: tuple[int, int, int]) -> bytes:
    return lzma.compress(source, lzma.FORMAT_ALONE, filters=[_filter(len(source), *setting)])


def _filter(size: int, lc: int, finder: int, nice: int) -> dict[str, int]:
    """LZMA for a text: positions say nothing, so lp and pb are 0. All of it is in the header that the decoder reads.

    The dictionary size is the one whose four bytes hold the fewest zeros, which Latin-1 literals escape.
    """
    window = next((window for window in (0x18000, 0x1800000) if window >= size), 2**26)
    found = {"id": LZMA1, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": window, "lc": lc, "lp": 0, "pb": 0}
    return found | {"mf": finder, "nice_len": nice}


def compressed(text: str) -> int:
    """Bytes of a text by one fast compressor, to compare texts with: 4 % above the best for a program."""
    return len(brotli.compress(text.encode(), quality=5, lgwin=18))


def latin1(data: bytes) -> bytes:
    """The shortest triple-quoted literal of the text whose Latin-1 code is `data`."""
    best = b""
    for quote in (b"'", b'"'):
        text = data.replace(b"\\", rb"\\").replace(b"\r", rb"\r")
        parts = text.split(b"\0")
        text = parts[0]
        for part in parts[1:]:
            # An octal escape would swallow a digit after it.
            text += (rb"\x00" if part[:1].isdigit() else rb"\0") + part
        text = text.replace(quote * 3, (quote * 2 + b"\\" + quote))
        if text.endswith(quote):
            text = text[:-1] + b"\\" + quote
        candidate = quote * 3 + text + quote * 3
        best = candidate if not best or len(candidate) < len(best) else best
    return best


def dense(data: bytes) -> bytes:
    """The digits of base 253 of the number that bytes are."""
    return _digits(int.from_bytes(data), int(len(data) * 8 / math.log2(BASE)) + 1)


def _digits(number: int, count: int) -> bytes:
    if count < 8:
        return bytes(ALPHABET[number // BASE**place % BASE] for place in reversed(range(count)))
    high, low = divmod(number, BASE ** (count // 2))
    return _digits(high, count - count // 2) + _digits(low, count // 2)


def stub(coder: Coder, family: str, run: bytes = RUN, alone: bool = False) -> bytes:
    """The whole file for one compressor and one way to write its data."""
    if family == "dense":
        run = run_alone(run, (*DENSE_NAMES, coder.imports)) if alone else run
        name = coder.imports.encode()
        return DENSE % (name, latin1(dense(coder.data)), name, len(coder.data)) + run
    if family == "latin1":
        head, imports, literal = b"#coding:l1\n", coder.imports, latin1(coder.data) + b'.encode("l1")'
    else:
        head, imports = b"", f"base64,{coder.imports}"
        literal = b'base64.b85decode("' + base64.b85encode(coder.data) + b'")'
    before, after = coder.call.encode().split(b"{}")
    run = run_alone(run, ("c", "f", "g", "s", *imports.split(","))) if alone else run
    return (
        head + f"import linecache as c,{imports}\n".encode() + (b"s=" + before + literal + after + b".decode()\n") + run
    )


def candidates(source: str, allow_brotli: bool, alone: bool = False) -> Iterator[Packed]:
    """Every quick way to write the program.

    Args:
        source: the program.
        allow_brotli: whether a file may import brotli.
        alone: whether the program shall see none of the file's own names, such as `lzma` and `s`: 38 bytes and more.
    """
    yield Packed("plain", source.encode())
    run = RUN if _has_plain_lines(source) else RUN_BY_LINE
    shortest: dict[str, Coder] = {}
    for coder in coders(source.encode(), allow_brotli):
        shortest[coder.name] = min(shortest.get(coder.name, coder), coder, key=lambda item: len(item.data))
        yield _packed("latin1", coder, run, alone)
    # What Latin-1 escapes depends on the data; base85 and base 253 do not.
    yield from (_packed("b85", coder, run, alone) for coder in shortest.values())
    best = min(shortest.values(), key=lambda coder: len(coder.data))
    if len(best.data) < DENSEST * 0.99:
        yield _packed("dense", best, run, alone)


def _packed(family: str, coder: Coder, run: bytes, alone: bool) -> Packed:
    needs = ("brotli",) if coder.name == "brotli" else ()
    called = "latin1" if family == "dense" else family
    return Packed(f"{called}+{coder.name}", stub(coder, family, run, alone), needs)


def mixed(source: str, alone: bool = False) -> Packed:
    """The file with the context-mixing decoder; `alone` is that of `candidates`.

    Raises:
        PgolfError: PG004 for a program that is too long for it.
    """
    run = RUN if _has_plain_lines(source) else RUN_BY_LINE
    run = run_alone(run, MIXED_NAMES) if alone else run
    try:
        payload = encode(source)
    except ValueError as error:
        raise PgolfError("PG004", f"--pack mix: {error}", hint="use --pack auto") from error
    inner = deflate(program(source, run))
    return Packed("mix", MIXED % (latin1(payload), latin1(inner)))


def _has_plain_lines(source: str) -> bool:
    return source.splitlines() == source.removesuffix("\n").split("\n")


def pack(source: str, choice: str = "auto", allow_brotli: bool = False) -> Packed:
    """The smallest candidate of the chosen family.

    Raises:
        PgolfError: PG004 for an unknown choice, PG402 where the file does not decode to the source.
    """
    if choice not in CHOICES:
        raise PgolfError("PG004", f"pack is {choice!r}", hint=f"choose one of {', '.join(CHOICES)}")
    if choice == "mix":
        wanted = [mixed(source)]
    else:
        wanted = [item for item in candidates(source, allow_brotli) if choice in ("auto", item.name.partition("+")[0])]
    best = min(wanted, key=lambda item: (len(item.code), item.name))
    check(best, source)
    return best


def check(packed: Packed, source: str) -> None:
    """The stage's own check: the file, read without running it, holds the source."""
    if unpack(packed.code) != source:
        raise PgolfError("PG402", f"{packed.name} does not decode to the minified source")
