"""Visibility: what a library may read, set, call or name, and what is the program's own."""

import ast
from pathlib import Path

import pytest
from callback_keywords import Calls, may_be_handed
from external_names import as_text
from test_hostile_programs import check

from pgolf.bundle import visibility
from pgolf.bundle.minify.legality import survey
from pgolf.bundle.names import scopes
from pgolf.bundle.visibility import EXTERNAL_NAMES, Visibility

FUNCTION = (
    "from torch import checkpoint, Thread, pool\nfrom functools import partial\ndef f(x, scale): return x * scale\n"
)
THING = """
class Thing:
    def __init__(self, wide_k): self.wide_k = wide_k
    def run_it(self, first_k): return self.wide_k
"""


def visible(text):
    return Visibility.of(ast.parse(text))


def keywords(text):
    tree = ast.parse(text)
    resolved = scopes(tree)
    looked = Visibility.of(tree, resolved)
    return {
        name
        for scope in resolved[0].walk()
        if scope.kind == "function"
        for name in looked.keywords_from_outside(scope.node)
    }


def test_an_attribute_that_only_the_program_names_is_its_own():
    looked = visible(THING)
    assert looked.own == {"wide_k", "run_it"}
    assert not looked.read_from_outside("wide_k") and not looked.set_from_outside("wide_k")


@pytest.mark.parametrize("name", ["delimiter", "write", "shape", "_hidden", "__call__"])
def test_a_library_may_read_what_its_own_classes_have(name):
    assert visible(THING).read_from_outside(name)


@pytest.mark.parametrize(
    "code",
    [
        "TEXT = 'state.wide_k'",
        "def f(t): return '{0.wide_k} is wide'.format(t)",
        "def f(t): return ('it is {0.' + 'wide_k} wide').format(t)",
        "def f(t):\n    match t:\n        case Thing(wide_k=3): return 1",
        "import torch\ndef f(): return torch.ops.wide_k",
        "def f(t): return getattr(t, 'wide_' + 'k')",
        "def f(t): return vars(t)",
        "def f(t): return t.__dict__",
        "from operator import attrgetter as a",
        "import builtins\ndef f(t): return builtins.getattr(t, 'a')",
        "import unheard_of",
    ],
)
def test_what_is_named_by_text_or_of_an_import_is_set_and_read_from_outside(code):
    looked = visible(THING + code)
    assert looked.set_from_outside("wide_k") and looked.read_from_outside("wide_k") and "wide_k" not in looked.own


@pytest.mark.parametrize(
    "code",
    [
        "def f(x): x.wide_k = 1",
        "class Net(Thing, nn.Module): pass",
        "def make():\n    class Net(Thing, nn.Module): pass\n    return Net()",
        "class Part(Thing): pass\nclass Net(Part, nn.Module): pass",
        "@register\nclass Net(Thing): pass",
        "from dataclasses import dataclass\n@dataclass\nclass Net(nn.Module, Thing): pass",
        "def f(x): return Thing.run_it(x, 1)",
    ],
)
def test_what_is_stored_on_a_librarys_object_keeps_its_name(code):
    assert "wide_k" not in visible(THING + code).own


@pytest.mark.parametrize(
    "text",
    [
        "checkpoint(f)",
        "pool.register(1, setup_context=f)",
        "g = partial(f, 1)\ncheckpoint(g)",
        "checkpoint([f])",
        "def make(): return f\ncheckpoint(make())",
        "def hand(g): checkpoint(g)\nhand(f)",
        "def hand(g): checkpoint(g)\nfor g in (f,): hand(g)",
        "checkpoint(lambda scale: scale)",
        "class K:\n    def m(self, scale): return scale\ncheckpoint(K().m)",
        "class K:\n    def __call__(self, scale): return scale\ncheckpoint(K())",
        "class K:\n    def write(self, scale): return scale\ncheckpoint(K())",
        "class K:\n    def __init__(self, scale): pass\ncheckpoint(K)",
        "class K:\n    def __init__(self): self.g = f\n    def run(self): return checkpoint(self.g)",
        "class K(nn.Module):\n    def _load(self, scale): pass",
        "@checkpoint\ndef g(scale): return scale",
    ],
)
def test_a_library_may_pass_the_parameters_of_what_it_may_call_by_name(text):
    assert "scale" in keywords(FUNCTION + text)


@pytest.mark.parametrize(
    "text",
    [
        "f(1, 2)",
        "checkpoint(f(1, 2))",
        "class K:\n    def run_it(self, scale): return scale\nK().run_it(1)",
        "class K:\n    def __init__(self, scale): pass\ncheckpoint(K(1))",
        "class K:\n    def _run(self, scale): return scale\nK()._run(1)",
        "def other():\n    f = 1\n    checkpoint(f)",
    ],
)
def test_what_only_the_program_calls_may_have_other_parameters(text):
    assert keywords(FUNCTION + text) == set()


def test_the_object_of_a_method_is_never_passed_by_name():
    assert keywords("class K:\n    def forward(self, scale): return scale") == {"scale"}
    assert keywords("class K:\n    @staticmethod\n    def forward(scale): return scale") == {"scale"}


LIBRARY = """
class Operator:
    def register(self, back, setup_context): self.back, self.setup = back, setup_context
    def run(self):
        ctx = []
        self.setup(ctx=ctx, inputs=(1, 2), output=3)
        return self.back(ctx=ctx, gradient=4)
def shows(thing): return thing.delimiter
"""


DIALECT = """
import csv, io
class Semi:
    def __init__(self, delimiter):
        self.delimiter, self.quoting, self.lineterminator = delimiter, 3, '|'
        self.doublequote = self.skipinitialspace = self.strict = False
        self.escapechar = self.quotechar = None
def main():
    out = io.StringIO()
    csv.writer(out, dialect=Semi(delimiter=';')).writerow([1, 2])
    print(out.getvalue())
"""
FORMAT = """
class Pair:
    def __init__(self, alpha_k): self.alpha_k, self.beta_k = alpha_k, 9
def main(): print('{0.alpha_k}'.format(Pair(alpha_k=3)), 'it is {p.alpha_k:>{p.beta_k}} wide'.format(p=Pair(4)))
"""
WRITER = """
import json
class Out:
    def __init__(self): self.parts_k = []
    def write(self, text): self.parts_k.append(text)
def main():
    out = Out()
    json.dump([1, 'a'], out)
    print(out.parts_k)
"""
CLOSING = """
import contextlib
class Door:
    def __init__(self): self.open_k = True
    def close(self): self.open_k = print('closed')
def main():
    with contextlib.closing(Door()) as door: print(door.open_k)
    print(door.open_k)
"""
THREAD = """
import threading
def work(first, *, second): print(first, second)
def main():
    thread = threading.Thread(target=work, kwargs=dict(first=1, second=2))
    thread.start()
    thread.join()
"""


@pytest.mark.parametrize("code", [DIALECT, FORMAT, WRITER, CLOSING, THREAD])
def test_libraries_find_what_they_look_for(code):
    check(code)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("register(apply)", {"ctx"}),
        ("register(apply, words={'alpha_k': 1})", {"ctx", "alpha_k"}),
        ("partial(apply, beta_k=1)", {"ctx", "beta_k"}),
        ("register(**dict(other=1, beta_k=2), hook=apply)", {"ctx", "beta_k"}),
        ("import mystery\nmystery.register(apply)", {"ctx", "alpha_k", "beta_k"}),
    ],
)
def test_a_function_that_is_only_handed_on_keeps_the_words_that_libraries_know(text, kept):
    assert keywords(f"def apply(ctx, alpha_k, *, beta_k): return ctx\n{text}\n") == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("class K:\n    def write(self, alpha_k): pass\ncheckpoint(K())", {"alpha_k"}),
        ("class K(nn.Module):\n    def run_it(self, alpha_k): pass\ncheckpoint(K().run_it)", {"alpha_k"}),
        ("class K:\n    def run_it(self, alpha_k): pass\ncheckpoint(K().run_it)", set()),
        ("class K:\n    def __init__(self, alpha_k): pass\ncheckpoint(K)", set()),
        ("class K:\n    def __call__(self, alpha_k): pass\ncheckpoint(K())", set()),
        ("def run_it(alpha_k): pass\ncheckpoint(run_it)", set()),
    ],
)
def test_a_library_knows_more_of_methods_that_its_own_classes_have(text, kept):
    assert keywords(text) == kept


def test_words_of_known_callbacks_are_in_the_list():
    assert {
        "ctx",
        "inputs",
        "output",
        "closure",
    } <= visibility.CALLBACK_KEYWORDS and "alpha_k" not in visibility.CALLBACK_KEYWORDS


def test_the_words_of_a_module_are_those_of_calls_of_what_it_does_not_define():
    text = "from x import f\ndef g(): pass\nclass A:\n    def m(self): self.m(a=1)\n"
    text += "def run(h, o):\n    f(b=1), g(c=1), len(d=1), h(e=1), o.hook(i=1), o[0](j=1), h()(k=1), A(l=1)\n"
    module = Calls(ast.parse(text))
    handed = [call for call, inside in module.calls if may_be_handed(call, module, inside, module.defined)]
    assert {word.arg for call in handed for word in call.keywords} == {"e", "i", "j", "k"}


def test_a_library_calls_by_its_own_keywords(tmp_path, monkeypatch):
    (tmp_path / "statistics_of_mine.py").write_text(LIBRARY)
    code = (
        "from statistics_of_mine import Operator\n"
        "def keep(ctx, inputs, output): ctx.append((inputs, output))\n"
        "def back(ctx, gradient): return ctx, gradient\n"
        "def main():\n    operator = Operator()\n    operator.register(back, setup_context=keep)\n    print(operator.run())\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    check(code)


def test_the_data_file_is_what_its_writer_writes():
    assert as_text({"b", "_hidden", "a"}) == "a\nb\n"
    assert len(EXTERNAL_NAMES) > 4000 and {"param_groups", "delimiter", "stdout"} <= EXTERNAL_NAMES
    text = Path(visibility.__file__).with_name("external_names.txt").read_text(encoding="ascii")
    assert as_text(text.split()) == text


@pytest.mark.parametrize("text", ["f(b=2, c=3)", "f(**k)"])
def test_what_the_program_itself_may_pass_is_for_the_renamer_to_know(text):
    fixed = {name for _, name in survey(ast.parse(f"def g(a, b, c): return a\n{text}")).fixed}
    assert {"b", "c"} <= fixed and not keywords(f"def g(a, b, c): return a\n{text}")
