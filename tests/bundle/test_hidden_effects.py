# ruff: noqa: E501 (each sample is one line, however long)
"""Rules about effects that no stage could see: what they refuse, and what only looks like it."""

import pytest
from rule_codes import codes


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("PG304", "def run(): return 1\ndef run(): return 2"),
        ("PG304", "from math import sqrt\ndef sqrt(x): return x\ndef run(): return sqrt(1)"),
        ("PG304", "class A:\n    x = 1\ndef run():\n    A.x = 2"),
        ("PG304", "CACHE = {}\ndef run():\n    CACHE['a'] = 1"),
        ("PG304", "CACHE = []\ndef run():\n    CACHE.append(1)"),
        ("PG304", "from other import VALUE\ndef run():\n    VALUE.x = 1"),
        ("PG304", "class A:\n    n = 0\n    def step(self):\n        type(self).n += 1\ndef run(): return A()"),
        ("PG308", "def run():\n    async def inner(): pass\n    return inner"),
        ("PG308", "def run():\n    x = 1\n    f = lambda: x\n    x = 2\n    return f()"),
        ("PG308", "def run():\n    fs = []\n    for i in range(3):\n        i = i + 1\n        fs.append(lambda: i)\n    return fs"),
        ("PG308", "def run(): return [y for x in 'ab' if (y := x)]"),
        ("PG308", "def run():\n    n = 0\n    def f():\n        nonlocal n\n        n = 1\n    return f"),
        ("PG315", "def run():\n    assert (n := 3)\n    return n"),
        ("PG316", "def run(): return list({1, 2})"),
        ("PG316", "def run(): return ', '.join({'a', 'b'})"),
        ("PG316", "def run():\n    seen = set()\n    seen.add(1)\n    for x in seen | {2}:\n        return x"),
        ("PG316", "class A:\n    def __init__(self):\n        self.s = set()\n    def f(self): return [x for x in self.s]\ndef run(): return A()"),
        ("PG316", "def run():\n    a, b = {1, 2}\n    return a"),
        ("PG316", "NAMES = frozenset(('a', 'b'))\ndef run(): return tuple(NAMES)"),
        ("PG321", "def run(x=None): return f'{x:{x[\"w\"]}.{x[\"p\"]}}'"),
        ("PG321", "def run(x=None): return f'{x[b\"a\"]:{x}{x}}'"),
        ("PG304", "class A:\n    x = 1\ndef run(): setattr(A, \"x\", 2)"),
        ("PG308", "def run():\n    class A: pass\n    return A"),
        ("PG315", "def run(x=()):\n    assert x.pop()"),
        ("PG316", "def run():\n    s = {1}\n    return s.pop()"),
        ("PG316", "def run(a=1): return [x for x in ({1} if a else [2])]"),
        ("PG316", "def run(): return f'{ {1} }'"),
        ("PG316", "def run(): return [*{1}.union([2])]"),
        ("PG316", "def run():\n    s = {1}\n    t = s\n    return [x for x in t]"),
    ],
)  # fmt: skip
def test_the_rule_refuses(project, code, text):
    assert set(codes(project, text + "\n", other="VALUE = 1\n")) == {code}


@pytest.mark.parametrize(
    "text",
    [
        "from other import VALUE\ndef run(): return VALUE",
        "class A:\n    n = 0\n    def step(self): self.n = 1\ndef run(): return A()",
        "CACHE = ('a',)\ndef run():\n    found = {}\n    found[CACHE] = 1\n    found.update(a=2)\n    return found",
        "class Log:\n    @staticmethod\n    def append(x): return x\ndef run(): return Log.append(1)",
        "def run(x=None):\n    assert x.dim() == 2 and isinstance(x, int) and x.size(0) > len('a')\n    return x",
        "def run():\n    s = {1, 2}\n    return any(x for x in s), max(s), 1 in s, {x + 1 for x in s}, sorted(s), sorted(x for x in s)",
        "def run():\n    s = [1]\n    s = sorted({2})\n    return [x for x in s], ', '.join(str(x) for x in s)",
        "def run():\n    n = 2\n    def f(): return n\n    return f",
        "def run(x=None): return f'{x:{x}.{x}f} {x!r:>{x}}'",
    ],
)  # fmt: skip
def test_look_alikes_pass(project, text):
    assert codes(project, text + "\n", other="VALUE = 1\n") == []
