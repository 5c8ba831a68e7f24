# ruff: noqa: E501 (each sample is one line, however long)
"""PG317: the two records that `specialize` writes into the program are handed on whole, under their own names."""

import pytest
from rule_codes import RECORD_ENTRY, codes


@pytest.mark.parametrize(
    "text",
    [
        "def run(settings, program): print(settings)",
        "def run(settings, program): return [x for x in settings]",
        "def run(settings, program): return settings._asdict()",
        "def run(settings, program): return settings == program",
        "def run(settings, program): settings.depth = 4",
        "def run(settings, program): program.taps[0] = 4",
        "def run(settings, program): return inner(program)\ndef inner(settings): return settings.depth",
        "def run(settings, program): return inner(3)\ndef inner(settings): return settings",
        "def run(settings, program): return inner(settings)\ndef inner(cfg): return cfg.depth",
        "def run(settings, program): return inner(settings=3)\ndef inner(settings): return settings",
        "def run(settings, program): return inner(*[settings])\ndef inner(settings): return settings.depth",
        "def run(settings, program): return list(map(inner, [1]))\ndef inner(settings): return settings.depth",
        "def run(settings, program):\n    for settings in (1, 2):\n        pass",
        "def run(settings, program): return [settings for settings in (1, 2)]",
        "def run(settings, program): return (settings := 3)",
        "def run(settings, program):\n    del settings",
        "def run(settings, program):\n    with open('a') as settings:\n        pass",
        "def run(settings, program): return (lambda settings: settings.depth)(3)",
        "def run(settings, program): return {'s': settings}",
        "def run(settings, program): return program.taps[0](settings)",
        "class A:\n    def f(self, settings): return settings.depth\ndef run(settings, program): return A().f(4)",
        "class A:\n    def f(self, settings): return settings.depth\ndef run(settings, program): return map(A().f, [4])",
        "class A:\n    def __init__(self, settings):\n        self.cfg = settings\ndef run(settings, program): return A(settings)",
        "from typing import NamedTuple\nclass A(NamedTuple):\n    settings: object\ndef run(settings, program): return A(3)",
        "import torch\ndef run(settings, program): return torch.settings.depth",
        "import json\ndef run(settings, program): return json.dumps(settings)",
        "def run(settings, program): return getattr(settings, 'depth')",
    ],
)  # fmt: skip
def test_misuse_of_the_records_is_refused(project, text):
    assert set(codes(project, text + "\n", RECORD_ENTRY)) == {"PG317"}


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    def __init__(self, settings, program):\n        self.settings, self.program = settings, program\n"
        "    def f(self): return self.settings.depth\ndef run(settings, program): return A(settings, program).f()",
        "def run(settings, program): return inner(settings, k=1) + inner(settings=settings)\n"
        "def inner(settings, k=0): return settings.depth + k",
        "from functools import partial\ndef run(settings, program): return partial(inner, settings)()\n"
        "def inner(settings): return settings.depth",
        "class A:\n    def __init__(self, settings):\n        self.settings = settings\n"
        "def run(settings, program):\n    a = A(settings)\n    settings = a.settings\n    return settings.depth",
    ],
)
def test_proper_use_of_the_records_passes(project, text):
    assert codes(project, text + "\n", RECORD_ENTRY) == []
