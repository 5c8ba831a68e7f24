"""Pack with a context-mixing model (`unmix`): the smallest file, which takes some seconds to write and to start.

The file holds the payload in a Latin-1 literal and the decoder, deflated, in another. The payload is one number in base 253,
whose digits are written as the 253 byte values that such a literal need not escape.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from pgolf.unmix import decode

LIMIT = 2**17
"""Most characters of a program: the decoder takes 0.1 to 0.3 ms for each."""
BASE = 253
ALPHABET = bytes(value for value in range(256) if value not in (13, 92, 0))
DECODER = """\
def h(f,a,k):
 u=i=r=m='';y={};q={};j=[(0,1)]*2048;N=0;l=1;o='',();z=lambda x:.5+x/(abs(x)+1/(1+x*x))*.4999
 while len(u)<a:
  C=[y.setdefault(e,{})for e in enumerate((u[-1:],u[-2:],u[-3:],u[-4:],u[-6:],m[-2:],m[-8:],i,i+r[-3:],0,o[0]+u[-1:],o[0][-1:]+r[-2:],o[0][-1:]+i+r[-1:]))];w=1
  while w<k:
   d=[p.get(w,1)for p in C];X=[j[e][0]for e in d];b=w,u[-1:],len(i)+.5;Y=[q.get(e)or[.07]*13 for e in b];s=0
   for p,c,g,v in zip(X,*Y):s+=(c+g+v)*p
   s=z(s)
   while l<1<<32:N=N*253+next(f);l*=253
   t=int(l*s);n=N<t
   if n:l=t
   else:N-=t;l-=t
   s=(n-s)/180
   for e,x in zip(b,Y):q[e]=[c+s*p for c,p in zip(x,X)]
   for S,e in zip(C,d):c,g=j[e];j[e]=c+(n-z(c))/g,g+.2;e+=e+n;S[w]=e if e<2048 else e%1024+1024
   w+=w+n
  e=chr(w-k);n=e.isalnum();u+=e
  if e in'([{':o=u[-2:],o
  if e in')]}':o=o[1]or o
  i=(i+e)*n;r+=e[n:];m+=e[n:]or'a'
 return u
"""  # noqa: E501
"""`unmix.decode` as it is written into files (a test compares them); the names are those that deflate best of many tried."""
START = 's=h((c-1-(c>13)-(c>92)for c in s.encode("l1")),{size},{top}){back}\n'
BACK = '.encode("l1").decode()'
FORM = re.compile(re.escape(DECODER + START).replace(r"\{size\}", r"(\d{1,6})").replace(r"\{top\}", "(128|256)").replace(
    r"\{back\}", f"({re.escape(BACK)})?"
))  # fmt: skip


class _Number:
    """Stands for the decoder's number while it runs, so that it encodes: it answers each comparison with the next bit of a
    text, and finds out which number would have given that answer.

    Attributes:
        low: the least such number.
        digits: how many digits it has.
    """

    def __init__(self, text: str, bits: int):
        self.low, self.digits = 0, 0
        self.bits = iter([int(bit) for bit in "".join(f"{ord(char):0{bits}b}" for char in text)])

    def __mul__(self, base: int) -> _Number:
        self.low *= base
        return self

    def __add__(self, digit: object) -> _Number:
        self.digits += 1
        return self

    __radd__ = __add__

    def __lt__(self, part: int) -> bool:
        return next(self.bits) == 1

    def __sub__(self, part: int) -> _Number:
        self.low += part
        return self


def shape(source: str) -> tuple[str, int]:
    """The text that is coded, and its number of bits for each character: ASCII as it is, else UTF-8 read as Latin-1."""
    return (source, 7) if source.isascii() else (source.encode().decode("l1"), 8)


def encode(source: str) -> bytes:
    """The payload's bytes.

    Raises:
        ValueError: for an empty text, or one that is longer than `LIMIT`.
    """
    text, bits = shape(source)
    if not 0 < len(text) <= LIMIT:
        raise ValueError(f"the program has {len(text):,} characters; 1 to {LIMIT:,} can be mixed")
    number = _Number(text, bits)
    decode(_endless(number), len(text), 1 << bits)
    payload = bytearray()
    low = number.low
    for _ in range(number.digits):
        low, digit = divmod(low, BASE)
        payload.append(ALPHABET[digit])
    return bytes(payload[::-1])


def _endless(number: _Number) -> Iterator[_Number]:
    while True:
        yield number


def program(source: str, run: bytes) -> bytes:
    """What the deflated part of the file holds: the decoder, its call on the payload `s`, and the lines that run the text."""
    text, bits = shape(source)
    start = START.format(size=len(text), top=1 << bits, back="" if bits == 7 else BACK)
    return b"import linecache as c\n" + (DECODER + start).encode() + run


def deflate(data: bytes) -> bytes:
    """A raw deflate stream."""
    coder = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    return coder.compress(data) + coder.flush()


def undo(payload: bytes, deflated: bytes, runs: tuple[bytes, ...]) -> str:
    """The source that a payload and a deflated decoder hold, read without running anything of them.

    Raises:
        ValueError: for another decoder, or a payload that it does not decode.
    """
    inflater = zlib.decompressobj(-15)
    inner = inflater.decompress(deflated, 2**14).decode()
    for run in runs:
        inside = inner.removeprefix("import linecache as c\n").removesuffix(run.decode())
        form = FORM.fullmatch(inside)
        if form is not None and len(inside) < len(inner):
            break
    else:
        raise ValueError("the decoder is not the one of this version of pgolf")
    size, top = int(form[1]), int(form[2])
    if size > LIMIT or not set(payload) <= set(ALPHABET) or (top == 256) is not bool(form[3]):
        raise ValueError("the payload is not one of this version of pgolf")
    try:
        text: str = decode(map(ALPHABET.index, payload), size, top)
    except (StopIteration, RuntimeError):
        raise ValueError("the payload is cut short") from None
    return text if top == 128 else text.encode("l1").decode()
