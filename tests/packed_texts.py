"""Texts that are packed, and read back."""

import base64
import bz2
import gzip
import lzma
import zlib

import brotli

from pgolf.wrappers.layers import unpack

INNER = "import torch\nprint('inner', torch.__version__)\n"


RAW = [{"id": lzma.FILTER_LZMA2}]


def b85(data):
    return base64.b85encode(data).decode()


def nothing(name):
    raise OSError("is missing")


def read_back(source, read=nothing):
    return unpack(source if isinstance(source, bytes) else source.encode(), "train_gpt.py", read)


XZ = b85(lzma.compress(INNER.encode()))


GZIP = base64.b64encode(gzip.compress(INNER.encode()))


BZIP = base64.a85encode(bz2.compress(INNER.encode()))


RAW2 = b85(lzma.compress(INNER.encode(), lzma.FORMAT_RAW, filters=RAW))


ZLIB = zlib.compress(INNER.encode())


FORMS = {
    "lzma+b85": f'import lzma as L,base64 as B\nexec(L.decompress(B.b85decode("{XZ}")))\n',
    "lzma-raw+b85": "import lzma as L,base64 as B\n"
    f'exec(L.decompress(B.b85decode("{RAW2}"),format=L.FORMAT_RAW,filters=[{{"id":L.FILTER_LZMA2}}]))\n',
    "zlib+b85": f'import zlib,base64\nexec(zlib.decompress(base64.b85decode("{b85(ZLIB)}")).decode())\n',
    "zlib+b64": f"import zlib\nfrom base64 import b64decode as d\nexec(zlib.decompress(d({base64.b64encode(ZLIB)!r})))\n",
    "brotli+b85": f'import brotli,base64\nexec(brotli.decompress(base64.b85decode("{b85(brotli.compress(INNER.encode()))}")))',
    "zlib": f"import zlib\nexec(compile(zlib.decompress({ZLIB!r}), __file__, 'exec'))\n",
    "gzip+b64": f"import gzip, base64\nexec(gzip.decompress(base64.b64decode({GZIP!r})))",
    "bz2+a85": f"import bz2, base64\nexec(bz2.decompress(base64.a85decode({BZIP!r})))",
}
