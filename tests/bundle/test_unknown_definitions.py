# ruff: noqa: E501 (each sample is one line, however long)
"""Rules about decorators, annotations, bases and records: what they refuse, and what only looks like it."""

import pytest
from rule_codes import codes


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("PG306", "import functools\n@functools.singledispatch\ndef run(x=0): return x"),
        ("PG307", "def run():\n    x: int\n    x = 1\n    return x"),
        ("PG307", "import typing\ndef run(): return typing.get_type_hints(run)"),
        ("PG307", "import torch\n@torch.library.custom_op('a::b', mutates_args=())\ndef op(x): return x\ndef run(): return op(1)"),
        ("PG309", "class A(dict):\n    pass\ndef run(): return A()"),
        ("PG309", "class A:\n    pass\nclass B:\n    pass\nclass C(A, B):\n    pass\ndef run(): return C()"),
        ("PG309", "class A:\n    def __getattr__(self, name): return 1\ndef run(): return A()"),
        ("PG309", "from typing import TypedDict\nclass A(TypedDict):\n    x: int\ndef run(): return A(x=1)"),
        ("PG309", "class A(ValueError, KeyError):\n    pass\ndef run(): return A()"),
        ("PG311", "from dataclasses import dataclass\n@dataclass(slots=True)\nclass A:\n    x: int\ndef run(): return A(1)"),
        ("PG311", "from dataclasses import dataclass, InitVar\n@dataclass\nclass A:\n    x: InitVar[int]\ndef run(): return A(1)"),
        ("PG311", "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: list = []\ndef run(): return A(1)"),
        ("PG306", "import torch\n@torch.compile(dynamic=len(\"a\"))\ndef run(): return 1"),
        ("PG307", "def run(x: print(\"a\") = 1): return x"),
        ("PG307", "import torch\n@torch.library.custom_op(\"a::b\", mutates_args=())\ndef op(x: \"int\") -> int: return x\ndef run(): return op(1)"),
        ("PG306", "import torch\n@torch.library.custom_op(\"a::b\", mutates_args=())\ndef op(x: int) -> int: return x\n@torch.no_grad()\n@op.register_fake\ndef fake(x): return x\ndef run(): return op(1)"),
        ("PG309", "from abc import ABC\nclass A(ABC, metaclass=type):\n    pass\ndef run(): return A()"),
        ("PG309", "class A:\n    def __del__(self): pass\ndef run(): return A()"),
        ("PG311", "from typing import NamedTuple\nclass A(NamedTuple):\n    x: int\n    y = 2\ndef run(): return A(1)"),
        ("PG311", "from dataclasses import dataclass, field\n@dataclass\nclass A:\n    x: list = field(default_factory=lambda: [])\ndef run(): return A()"),
    ],
)  # fmt: skip
def test_the_rule_refuses(project, code, text):
    assert set(codes(project, text + "\n", other="VALUE = 1\n")) == {code}


@pytest.mark.parametrize(
    "text",
    [
        "import functools\n@functools.lru_cache(maxsize=None)\ndef run(x=0): return x",
        "import contextlib\n@contextlib.contextmanager\ndef run(): yield 1",
        "from enum import Enum\nclass A(str, Enum):\n    x = 'x'\ndef run(): return A.x",
        "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass A(Generic[T]):\n    pass\ndef run(): return A()",
        "class Bad(ValueError):\n    pass\ndef run(): raise Bad('no')",
        "from dataclasses import dataclass, field\n@dataclass(frozen=True, order=True)\nclass A:\n    x: int\n    y: tuple = ()\n    z: list = field(default_factory=list)\ndef run(): return A(1)",
        "from typing import NamedTuple\nclass A(NamedTuple):\n    '''Doc.'''\n    x: int = 1\n    def f(self): return self.x\ndef run(): return A()",
        "def run():\n    x: int = 1\n    y: 'Undefined' = x\n    return y",
        "import torch\n@torch.library.custom_op('a::b', mutates_args=('y',))\ndef op(x: int, y: int) -> int: return x\ndef run(): return op(1, 2)",
    ],
)  # fmt: skip
def test_look_alikes_pass(project, text):
    assert codes(project, text + "\n", other="VALUE = 1\n") == []
