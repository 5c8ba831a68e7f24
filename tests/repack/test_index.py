"""What names stand for."""

import ast

import pytest

from pgolf.repack.index import Index, last_name


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("exec", {"exec"}),
        ("import builtins\nbuiltins.exec", {"exec"}),
        ("from builtins import exec as run\nrun", {"exec"}),
        ("run = exec\nagain = run\nagain", {"exec"}),
        ("def exec(x): pass\nexec", set()),
        ("import torch.jit as j\nj.script", {"torch.jit.script"}),
        ("import torch.jit\ntorch.jit.script", {"torch.jit.script"}),
        ("from torch.jit import script as ts\nts", {"torch.jit.script"}),
        ("import importlib\nimportlib.import_module('inspect').signature", {"inspect.signature"}),
        ("try:\n    import a as x\nexcept ImportError:\n    import b as x\nx.f", {"a.f", "b.f"}),
        ("def f(thing): pass\nf(1).attribute", {".attribute"}),
        ("a = b\nb = a\na", set()),
        ("\n".join(f"import m{n} as x" for n in range(99)) + "\nx", {"exec"}),
    ],
)
def test_origins(text, wanted):
    index = Index(ast.parse(text))
    assert index.origins(index.tree.body[-1].value) == wanted


def test_calls_and_functions():
    text = "def f(): pass\nclass C:\n    def run(self): pass\nf()\nC().run()\nimport m\nm.run()\nprint(f)\n"
    index = Index(ast.parse(text))
    function, method = index.tree.body[0], index.tree.body[1].body[0]
    calls = [index.tree.body[number].value for number in (2, 3, 5)]
    assert [index.called(call) for call in calls] == [[function], [method], []]
    assert index.calls_of(function) is None and len(index.calls_of(method)) == 2
    assert index.is_method(method) and not index.is_method(function) and last_name(calls[1]) == "run"
