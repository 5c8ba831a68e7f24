"""Read a packed file back, without running anything of it: the other half of `pgolf.bundle.pack`, and the forms both know.

A packed file is Python source: a literal with the compressed program, and four lines that decompress it, put it where
`inspect`, tracebacks and Triton look for source, and run it under the file's own name.
"""

from __future__ import annotations

import ast
import base64
import lzma
import re
import zlib
from collections.abc import Callable, Iterable

import brotli

from pgolf.errors import PgolfError
from pgolf.mixing import ALPHABET, BASE, undo

LIMIT = 8 * 2**20
"""Most bytes that a packed file may decode to."""
RUN = b"""f=__file__+"#"
c.cache[f]=c.cache[__file__]=0,None,s.splitlines(1),f
exec(compile(s,f,"exec"))
"""
RUN_BY_LINE = RUN.replace(b"s.splitlines(1)", b'[l+"\\n"for l in s.split("\\n")]')
"""For a program with other characters that `splitlines` takes for the end of a line."""
EXECUTE = b'exec(compile(s,f,"exec"))'
EXECUTE_ALONE = b'exec(compile(s,f,"exec"),[g:=globals(),*map(g.pop,"%s".split())][0])'
"""The call that runs a program, and the one that takes the file's own names away first."""
MIXED = b"#coding:l1\nimport zlib\ns=%s\nexec(zlib.decompress(%s.encode('l1'),-15))\n"
"""A file with the mixing decoder: the payload, and the decoder."""
MIXED_FORM = re.compile(re.escape(MIXED).replace(b"%s", b"(.+)"), re.DOTALL)
MIXED_NAMES = ("c", "f", "g", "h", "s", "zlib")
"""The names of a file with the mixing decoder."""
DENSE = (
    b"#coding:l1\nimport linecache as c,%s\nn=0\nfor b in%s.encode('l1'):n=n*253+b-1-(b>13)-(b>92)\n"
    b"s=%s.decompress(n.to_bytes(%d)).decode()\n"
)
"""A file whose payload is one number in base 253, in the byte values that a literal need not escape: 1 % less for 57 bytes."""
DENSE_FORM = re.compile(
    re.escape(DENSE).replace(b"in%s", b"in(.+)").replace(b"%s", rb"(\w{4,6})").replace(b"%d", rb"(\d{1,5})")
    + b"(.{1,400})",
    re.DOTALL,
)
DENSE_NAMES = ("b", "c", "f", "g", "n", "s")
DENSEST = 2**16
"""Most digits of such a number: reading it takes time that grows with their square."""
# The code gets a name of its own, because a crash prints lines of the file that a frame names, and these are binary. The
# text is cached under both names: `inspect` looks up functions by their code's name and classes by their module's.


def run_alone(run: bytes, names: Iterable[str]) -> bytes:
    """The lines that run a program, with the call that takes names away from the top level before the program starts."""
    return run.replace(EXECUTE, EXECUTE_ALONE % " ".join(names).encode())


def unpack(data: bytes) -> str:
    """The program in a packed file, read from its syntax tree without running anything.

    A file that is not packed is its own program. At most `LIMIT` bytes are decoded.

    Raises:
        PgolfError: PG402, for a file that does not parse, or with a payload that does not decode.
    """
    try:
        mixed_parts = MIXED_FORM.fullmatch(data)
        if mixed_parts is not None:
            texts = [str(ast.literal_eval(part.decode("l1"))) for part in mixed_parts.groups()]
            return undo(texts[0].encode("l1"), texts[1].encode("l1"), _runs(MIXED_NAMES))
        dense_parts = DENSE_FORM.fullmatch(data)
        if dense_parts is not None:
            return _dense(*dense_parts.groups())
        payload = _payload(ast.parse(data))
        if payload is None:
            return data.decode()
        return _value(payload)
    except (SyntaxError, ValueError, lzma.LZMAError, zlib.error, brotli.error) as error:
        raise PgolfError("PG402", f"the file cannot be unpacked: {error}") from error


def _dense(module: bytes, literal: bytes, again: bytes, size: bytes, run: bytes) -> str:
    """The program in a payload of base 253."""
    name = module.decode("l1")
    if name + ".decompress" not in DECODERS or again != module:
        raise ValueError(f"{name} is not a known decompressor")
    text = ast.literal_eval(literal.decode("l1"))
    digits = text.encode("l1") if isinstance(text, str) else b""
    if (
        run not in _runs((*DENSE_NAMES, name))
        or not digits
        or len(digits) > DENSEST
        or not set(digits) <= set(ALPHABET)
    ):
        raise ValueError("the payload is not one of this version of pgolf")
    numbers = list(digits.translate(bytes(max(ALPHABET.find(value), 0) for value in range(256))))
    scale = BASE
    while len(numbers) > 1:  # two neighbours become one: far fewer steps than digit after digit
        numbers = [0, *numbers] if len(numbers) % 2 else numbers
        numbers = [high * scale + low for high, low in zip(numbers[::2], numbers[1::2], strict=True)]
        scale *= scale
    number = numbers[0]
    if number.bit_length() > 8 * int(size):
        raise ValueError("the payload is longer than the file says")
    return DECODERS[name + ".decompress"](number.to_bytes(int(size)), []).decode()


def _payload(tree: ast.Module) -> ast.expr | None:
    """The expression that holds the program, where the file has the form that `stub` writes."""
    first = tree.body[1] if len(tree.body) == 5 else None
    if not isinstance(first, ast.Assign) or ast.unparse(first.targets[0]) != "s":
        return None
    modules = [alias.name for alias in getattr(tree.body[0], "names", ())[1:]]
    rest = ast.dump(ast.Module(body=tree.body[2:], type_ignores=[]))
    known = [ast.dump(ast.parse(run)) for run in _runs(("c", "f", "g", "s", *modules))]
    return first.value if rest in known else None


def _runs(names: tuple[str, ...]) -> tuple[bytes, ...]:
    """Every form of the lines that run the program, in a file with these names of its own."""
    return RUN, RUN_BY_LINE, run_alone(RUN, names), run_alone(RUN_BY_LINE, names)


def _value(node: ast.expr) -> str:
    """`DECOMPRESS(...).decode()`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "decode":
        raise ValueError("the payload is not a decoded text")
    inner = node.func.value
    if not isinstance(inner, ast.Call):
        raise ValueError("the payload is not compressed")
    name = ast.unparse(inner.func)
    if name not in DECODERS or not inner.args:
        raise ValueError(f"{name} is not a known decompressor of a literal")
    return DECODERS[name](_data(inner.args[0]), inner.args[1:]).decode()


def _data(node: ast.expr) -> bytes:
    """`"...".encode("l1")` or `base64.b85decode("...")`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) == 1:
        latin = node.func.attr == "encode"
        text = node.func.value if latin else node.args[0]
        known = latin or ast.unparse(node.func) == "base64.b85decode"
        if known and isinstance(text, ast.Constant) and isinstance(text.value, str):
            return text.value.encode("l1") if latin else base64.b85decode(text.value)
    raise ValueError("the payload is not a literal")


def _lzma(data: bytes, rest: list[ast.expr]) -> bytes:
    if rest:
        raise ValueError("the call names a filter")
    decoder = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=2**28)
    plain = _bounded(decoder.decompress(data, LIMIT + 1))
    if not decoder.eof:
        raise ValueError("the stream is cut short")
    return plain


def _zlib(data: bytes, rest: list[ast.expr]) -> bytes:
    return _bounded(zlib.decompressobj().decompress(data, LIMIT + 1))


def _brotli(data: bytes, rest: list[ast.expr]) -> bytes:
    return _bounded(brotli.Decompressor().process(data, output_buffer_limit=LIMIT + 1))


def _bounded(data: bytes) -> bytes:
    if len(data) > LIMIT:
        raise ValueError(f"the program is larger than {LIMIT} bytes")
    return data


DECODERS: dict[str, Callable[[bytes, list[ast.expr]], bytes]] = {
    "lzma.decompress": _lzma,
    "zlib.decompress": _zlib,
    "brotli.decompress": _brotli,
}
