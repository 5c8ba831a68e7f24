# ruff: noqa: E501 (each sample is one line, however long)
"""Rules about what stands at the top level: what they refuse, and what only looks like it."""

import pytest
from rule_codes import codes


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("PG301", "helper = 3\ndef run(): return helper"),
        ("PG301", "if 1:\n    X = 2\ndef run(): pass"),
        ("PG301", "try:\n    import torch\nexcept ImportError:\n    pass\ndef run(): pass"),
        ("PG301", "A = B = 1\ndef run(): pass"),
        ("PG301", "X = lambda: 3\ndef run(): return X()"),
        ("PG301", "X = (Y := 3)\ndef run(): return X"),
        ("PG301", "class A:\n    for i in (1, 2):\n        pass\ndef run(): return A()"),
        ("PG301", "class A:\n    x = [i for i in (1, 2)]\ndef run(): return A()"),
        ("PG301", "SIZE = 1\nclass A:\n    SIZE = SIZE\ndef run(): return A"),
        ("PG301", "from typing import NamedTuple\nclass A(NamedTuple):\n    bytes: int\n    data: bytes\ndef run(): return A"),
        ("PG301", "def make(): return 1\nX = make()\ndef run(): return X"),
        ("PG301", 'if __name__ == "__main__":\n    pass\ndef run(): pass'),
        ("PG301", "X = 1\ndel X\ndef run(): pass"),
        ("PG314", "def run(x=[]): return x"),
        ("PG314", "SIZE = 3\ndef run(x=[SIZE]): return x"),
        ("PG314", "def run(x=sorted((1, 2))): return x"),
        ("PG314", "def run(x=lambda: 1): return x"),
        ("PG314", "class A:\n    def f(self, *, x={}): return x\ndef run(): return A()"),
        ("PG320", "import os\nHOME = os.environ.get('HOME')\ndef run(): return HOME"),
        ("PG320", "import torch\nX = torch.rand(3)\ndef run(): return X"),
        ("PG320", "import time\ndef run(now=time.time()): return now"),
        ("PG301", "try:\n    import triton\nexcept ImportError:\n    triton = None\nif triton is not None:\n    def kernel(x): pass\ndef run(): return kernel"),
        ("PG301", "import triton\nif triton is not None:\n    @triton.jit\n    def kernel(x): pass\ndef run(): return kernel"),
        ("PG318", "from __future__ import division\ndef run(): return 1"),
    ],
)  # fmt: skip
def test_the_rule_refuses(project, code, text):
    assert set(codes(project, text + "\n", other="VALUE = 1\n")) == {code}


@pytest.mark.parametrize(
    "text",
    [
        "import torch\nX = torch.device('cpu')\ndef run(): return X",
        "import enum\nclass A(enum.Enum):\n    x = enum.auto()\ndef run(): return A.x",
        "def run(x=-1, y=(1, 'a'), z=frozenset((1, 2))): return x, y, z",
        "class A:\n    '''Doc.'''\n    x: int = 2\n    y = z = (1, len('ab'))\n    def f(self): pass\ndef run(): return A()",
        "class A:\n    @property\n    def x(self): return 1\n    @x.setter\n    def x(self, v): pass\ndef run(): return A()",
        "try:\n    import triton\nexcept ImportError:\n    triton = None\nif triton is not None:\n    @triton.jit\n    def kernel(x): pass\ndef run(): return kernel",
    ],
)  # fmt: skip
def test_look_alikes_pass(project, text):
    assert codes(project, text + "\n", other="VALUE = 1\n") == []
