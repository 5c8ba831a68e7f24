# ruff: noqa: E501 (each sample is one line, however long)
"""Rules about names that are looked up by text: what they refuse, and what only looks like it."""

import pytest
from rule_codes import codes


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("PG305", "def run(): return globals()['run']"),
        ("PG305", "def run():\n    show = locals\n    return show()"),
        ("PG305", "import inspect\ndef run(): return inspect.getsource(run)"),
        ("PG305", "import torch\ndef run(name='relu'): return getattr(torch, name)"),
        ("PG305", "import sys\ndef run(): return sys.modules['torch']"),
        ("PG305", "import torch\ndef run(): return torch.jit.script(run)"),
        ("PG310", "class A:\n    def __secret(self): return 1\ndef run(): return A()"),
        ("PG310", "class A:\n    def f(self): return 1\ndef run(): return A.f"),
        ("PG310", "class A:\n    def f(self): return [super().f() for _ in 'a']\ndef run(): return A()"),
        ("PG310", "class A:\n    def f(self): return super(A, self)\ndef run(): return A()"),
        ("PG312", "def run(): return run.__doc__"),
        ("PG312", "def run(): return __file__"),
        ("PG312", "class A:\n    def f(self): return __class__\ndef run(): return A()"),
        ("PG312", "def run(): return undefined_name"),
        ("PG319", "def run(x=None): return object.__setattr__(x, 'a', 1)"),
        ("PG319", "def run(): return type('A', (), {})"),
        ("PG305", "from operator import attrgetter\ndef run(): return attrgetter(\"a\")"),
        ("PG310", "class A:\n    def f(self):\n        def g(): return super().f()\n        return g\ndef run(): return A()"),
        ("PG312", "def run(x=None): return x.__class__"),
        ("PG319", "def run(x=None, n=\"a\"): setattr(x, n, 1)"),
        ("PG319", "def run(x=None, n=\"a\"): delattr(x, n)"),
    ],
)  # fmt: skip
def test_the_rule_refuses(project, code, text):
    assert set(codes(project, text + "\n", other="VALUE = 1\n")) == {code}


@pytest.mark.parametrize(
    "text",
    [
        "import sys\ndef run(): return sys.argv, sys.version_info",
        "import torch\ndef run(): return getattr(torch, 'float32'), torch.compile",
        "def run(x=None, name='a'): return getattr(x, name), hasattr(x, name)",
        "class A:\n    def f(self): return 1\nclass B(A):\n    def f(self): return A.f(self) + super().f()\ndef run(): return B()",
        "class A:\n    def __len__(self): return 1\ndef run(): return A()",
        "def run(x=None): setattr(x, 'name', 1); delattr(x, 'name'); return type(x) is int",
    ],
)  # fmt: skip
def test_look_alikes_pass(project, text):
    assert codes(project, text + "\n", other="VALUE = 1\n") == []
