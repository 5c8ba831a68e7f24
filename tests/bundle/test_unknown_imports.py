"""Rules about imports: what they refuse, and what only looks like it."""

import pytest
from rule_codes import codes


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("PG302", "import other\ndef run(): return other"),
        ("PG302", "from other import *\ndef run(): return 1"),
        ("PG302", "def run():\n    from other import VALUE\n    return VALUE"),
        ("PG302", "from pgolf.runtime.nowhere import thing\ndef run(): return thing"),
        ("PG302", "from other import VALUE\nfrom other.inner import thing\ndef run(): return thing, VALUE"),
        ("PG302", "from pgolf import Component\ndef run(): return Component"),
        ("PG303", "import os.path\ndef run(): return os.path.sep"),
        ("PG303", "from math import *\ndef run(): return 1"),
        ("PG303", "def run():\n    import json\n    return json"),
        ("PG303", "import urllib\ndef run(): return urllib.parse.quote('a')"),
        ("PG303", "import torch\ndef run(): return torch.nn.attention.flex_attention.flex_attention"),
        ("PG313", "import torch\ndef run(): return torch.load('a.pt')"),
        ("PG313", "import torch\ndef run(): return torch.load('a.pt', weights_only=False)"),
        ("PG303", "try:\n    import scipy\nexcept ImportError:\n    scipy = None\ndef run(): return scipy"),
        ("PG303", "import scipy\ndef run(): return scipy"),
        ("PG305", "import importlib\ndef run(): return importlib"),
        ("PG313", "import pickle\ndef run(): return pickle"),
        ("PG313", "import numpy\ndef run(): return numpy.load('a.npy', allow_pickle=True)"),
    ],
)  # fmt: skip
def test_the_rule_refuses(project, code, text):
    assert set(codes(project, text + "\n", other="VALUE = 1\n")) == {code}


@pytest.mark.parametrize(
    "text",
    [
        "import os.path as p\nimport urllib.parse as q\ndef run(): return p, q",
        "from other import VALUE\ndef run(): return VALUE",
        "try:\n    import zstandard\nexcept ImportError:\n    zstandard = None\ndef run(): return zstandard",
        "def run():\n    import lzma\n    return lzma",
        "from torch.nn.attention.flex_attention import flex_attention\ndef run(): return flex_attention",
        "import numpy\ndef run(): return numpy.load('a.npy', allow_pickle=False)",
    ],
)  # fmt: skip
def test_look_alikes_pass(project, text):
    assert codes(project, text + "\n", other="VALUE = 1\n") == []
