# ruff: noqa: E501 (each sample is one line, however long)
"""Small programs about the corners of Python's scoping and syntax: what they print survives the whole build."""

import contextlib
import io

import pytest

from pgolf.bundle.pipeline import build

CASES = {
    "closure loop": "def run():\n    fs = [lambda i=i: i for i in range(3)]\n    print([f() for f in fs])",
    "kw names": "def inner(long_name, /, other, *, key=1): return long_name, other, key\ndef run(): print(inner(1, other=2, key=3))",
    "posonly kwargs": "def inner(a, /, **rest): return a, rest\ndef run(): print(inner(1, a=2, b=3))",
    "generator close": "def gen():\n    try:\n        yield 1\n    finally:\n        print('closed')\ndef run():\n    for x in gen():\n        print(x)\n        break",
    "except name": "def run():\n    e = 1\n    try:\n        raise ValueError('x')\n    except ValueError as e:\n        print(e)\n    try:\n        print(e)\n    except NameError as n:\n        print('gone')",
    "match": "def run(x=None):\n    x = (1, {'a': 2, 'b': 3})\n    match x:\n        case (1, {'a': value, **rest}) if value:\n            print(value, rest)",
    "class attr vs global": "VALUE = 1\nclass A:\n    value = 2\n    def f(self): return VALUE, self.value\ndef run(): print(A().f())",
    "namedtuple": "from typing import NamedTuple\nclass R(NamedTuple):\n    width: int\n    height: int = 2\n    def area(self): return self.width * self.height\ndef run():\n    r = R(width=3)\n    print(r.area(), r._replace(width=5).area(), R._fields, r._asdict(), r == (3, 2))",
    "dataclass": "from dataclasses import dataclass, replace, asdict\n@dataclass(frozen=True)\nclass D:\n    width: int\n    name: str = 'n'\ndef run(): print(asdict(replace(D(1), width=4)))",
    "local shadows global": "def helper(): return 1\ndef run():\n    def helper(): return 2\n    print(helper())",
    "comp scope": "X = 3\ndef run(): print([X for X in range(2)], X, {k: v for k, v in zip('ab', range(X))})",
    "nested fstring width": "def run(w=6, p=2): print(f'{3.14159:{w}.{p}f}|{{}}|{w!r:>4}|{w=}')",
    "star": "def run():\n    a, *b = range(4)\n    print(a, b, *b, **{'sep': '-'})",
    "lambda kw": "def run(): print((lambda key, other=2: key + other)(key=1))",
    "super": "class A:\n    def __init__(self, n): self.n = n\n    def f(self, k=1): return self.n + k\nclass B(A):\n    def __init__(self, n):\n        super().__init__(n)\n        self.m = n\n    def f(self, k=2): return super().f(k=k) * self.m\ndef run(): print(B(3).f())",
    "property": "class A:\n    def __init__(self): self._x = 1\n    @property\n    def x(self): return self._x\n    @x.setter\n    def x(self, value): self._x = value\ndef run():\n    a = A()\n    a.x = 5\n    print(a.x)",
    "classmethod": "class A:\n    @classmethod\n    def make(cls, size): return cls(), size\n    @staticmethod\n    def other(value): return value\ndef run(): print(A.make(size=2)[1], A.other(value=3))",
    "try else finally": "def run():\n    for i in range(3):\n        try:\n            if i == 1:\n                continue\n        except ValueError:\n            pass\n        else:\n            print('else', i)\n        finally:\n            print('finally', i)\n    else:\n        print('done')",
    "with": "import contextlib\n@contextlib.contextmanager\ndef ctx(name):\n    print('in', name)\n    yield name\n    print('out')\ndef run():\n    with ctx('a') as x, ctx(name='b') as y:\n        print(x, y)",
    "cache": "import functools\n@functools.lru_cache(maxsize=None)\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\ndef run(): print(fib(20))",
    "strings": "TEXT = '\\x00\\x01\\r\\n\\t\\\\\\'\"\\u2028\\x85\\U0001F600'\ndef run(): print(ascii(TEXT), len(TEXT), b'\\x00\\xff')",
    "floats": "def run(): print(1e400, -0.0, 1e-310, 0.1 + 0.2, 3 * 0.1, 1j * 2, 10 ** 20, 7 // -2, -7 % 3)",
    "partial": "from functools import partial\ndef inner(a, b, c): return a, b, c\ndef run(): print(partial(inner, b=2)(1, c=3))",
    "callable class": "class A:\n    def __init__(self, k): self.k = k\n    def __call__(self, x, *args, scale=1, **more): return self.k * x * scale, args, sorted(more)\ndef run(): print(A(2)(3, 4, scale=5, z=1, y=2))",
    "sorted key": "def run(): print(sorted([(1, 'b'), (0, 'a')], key=lambda pair: pair[1]), max([1, 2], key=lambda v: -v))",
    "global builtin alias": "def run():\n    total = 0\n    for i in range(3): total += len(str(i)) + len(range(i)) + len(list(range(i)))\n    print(total, isinstance(total, int), isinstance(1, str))",
    "raise from": "def run():\n    try:\n        try:\n            raise KeyError('k')\n        except KeyError as error:\n            raise ValueError('v') from error\n    except ValueError as error:\n        print(error, repr(error.__cause__))",
    "recursion nested": "def run():\n    def walk(n):\n        return [] if n == 0 else [n, *walk(n - 1)]\n    print(walk(3))",
    "del": "def run():\n    x = [1, 2, 3]\n    del x[0]\n    y = 1\n    del y\n    print(x)",
    "aug": "class A:\n    total = 0\n    def add(self, n):\n        self.total += n\n        return self\ndef run(): print(A().add(2).add(3).total, A.total)",
    "walrus": "def run(items=(1, 2, 3)):\n    it = iter(items)\n    while (x := next(it, None)) is not None:\n        print(x)",
    "annotated locals": "def run():\n    x: int = 3\n    y: 'Undefined' = x\n    print(x, y)",
    "unicode names": "def run():\n    größe = 3\n    ℌ = 4\n    print(größe + ℌ)",
}


def printed(code):
    """What a program prints, run as a main module."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        exec(compile(code, "program", "exec"), {"__name__": "__main__", "__file__": "program"})
    return text.getvalue()


@pytest.mark.parametrize("name", CASES)
def test_the_built_program_prints_the_same(project, name):
    main = 'if __name__ == "__main__":\n    run()\n'
    entry = "from code_ import run\n" + main
    built = build(entry, project({"code_": CASES[name] + "\n"}))
    expected = printed(CASES[name] + "\n" + main)
    assert expected and printed(built.code) == expected
