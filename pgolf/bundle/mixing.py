"""Pack with a context-mixing model (`unmix`): the smallest file, which takes some seconds to write and to start.

The file holds the payload in a Latin-1 literal and the decoder, deflated, in another. The payload is one number in base 253,
whose digits are written as the 253 byte values that such a literal need not escape.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from pgolf.bundle.unmix import decode

LIMIT = 2**17
"""Most characters of a program: the decoder takes about 0.1 ms for each."""
BASE = 253
ALPHABET = bytes(value for value in range(256) if value not in (13, 92, 0))
DECODER = """\
def j(l,b,e):
 i=p=a=x='';r={};Q={};h={};u=0;n=1;g='',();q=lambda t:.5+t/(abs(t)+1/(1+t*t))*.4999
 while len(i)<b:
  N=[r.setdefault(c,{})for c in enumerate((i[-1:],i[-2:],i[-3:],i[-4:],i[-6:],x[-2:],x[-8:],p,p+a[-3:],0,g[0]+i[-1:],g[0][-1:]+a[-2:],g[0][-1:]+p+a[-1:]))];f=1
  while f<e:
   Z=[Y.get(f,1)for Y in N];s=[h.setdefault(c,[0,1])for c in Z];D=[(Q.setdefault(c,[.06]*13),d,s[d][0])for c in(f,i[-1:],len(p)+.5)for d in range(13)];O=0
   for k,d,m in D:O+=k[d]*m
   O=q(O)
   while n<1<<32:u=u*253+next(l);n*=253
   w=int(n*O);o=u<w
   if o:n=w
   else:u-=w;n-=w
   O=(o-O)/250
   for k,d,m in D:k[d]+=O*m
   for Y,c,m in zip(N,Z,s):m[0]+=(o-q(m[0]))/m[1];m[1]+=.2;c+=c+o;Y[f]=min(c,c%1024+1024)
   f+=f+o
  c=chr(f-e);o=c.isalnum();i+=c
  if c in'([{':g=i[-2:],g
  if c in')]}':g=g[1]or g
  p=(p+c)*o;a+=c[o:];x+=c[o:]or'a'
 return i
"""  # noqa: E501
"""`unmix.decode` as it is written into files (a test compares them); the names are those that deflate best of many tried."""
START = 's=j((c-1-(c>13)-(c>92)for c in s.encode("l1")),{size},{top}){back}\n'
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
        self.bits = (ord(char) >> place & 1 for char in text for place in reversed(range(bits)))

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
