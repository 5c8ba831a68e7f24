"""Short names: the most used word gets the shortest, words that meet get different ones, and some stay."""

import ast
import keyword
from itertools import islice

import pytest

from pgolf.bundle.meanings import BUILTINS
from pgolf.bundle.minify.alpha_equivalence import check_renaming
from pgolf.bundle.minify.legality import survey
from pgolf.bundle.minify.symbols import ALPHABET, Plan, short_names, variable_of


def short(text, keep=(), alphabet=ALPHABET):
    """The program with short names, checked to be the same one."""
    tree = ast.parse(text)
    found = survey(tree)
    with Plan(tree, found, keep).shortened(alphabet) as renamed:
        result = ast.unparse(renamed)
    assert ast.dump(tree) == ast.dump(ast.parse(text)), "the tree has its names again"
    check_renaming(tree, ast.parse(result), found)
    return result


def same(text):
    return ast.unparse(ast.parse(text))


def test_short_names_come_shortest_first_and_mean_nothing_yet():
    names = list(islice(short_names("is"), 40))
    assert names[:5] == ["i", "s", "ii", "si", "ss"], "`is` is a keyword"
    assert [len(name) for name in names] == sorted(map(len, names)) and len(names) == 2 + 3 + 8
    everything = list(islice(short_names(ALPHABET), 3000))
    assert len(set(everything)) == 3000 and not any(map(keyword.iskeyword, everything))
    assert BUILTINS.isdisjoint(everything)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # A word gets one name in all functions, the frequent ones first; a function need not differ from its own words.
        ("def one(word): return word\ndef two(word): return word", "def e(e): return e\ndef t(e): return e"),
        ("def one(rare, often): return often + often + often + rare", "def e(t, e): return e + e + e + t"),
        # Two words that never meet share a name.
        ("def one(left): return left\ndef two(right): return right", "def e(e): return e\ndef t(e): return e"),
        # Words of the top level meet each other, and those of functions that read them.
        ("first = 1\nsecond = 2\ndef f(third): return third + first", "e = 1\na = 2\ndef t(t): return t + e"),
        # A nested function's words meet those around it.
        ("def f(outer):\n    def g(inner): return outer + inner\n    return g",
         "def e(t):\n    def e(a): return t + a\n    return e"),
        # Builtins, names that are looked up outside, and dunder names stay.
        ("def one(size): return len(size) + missing", "def e(e): return len(e) + missing"),
        ("__all__ = 1", "__all__ = 1"),
        # Imports get a short name, but not one that binds a package by its dotted name.
        ("import numpy\nnumpy.x", "import numpy as e\ne.x"),
        ("import numpy.linalg\nnumpy.x", "import numpy.linalg\nnumpy.x"),
        ("from math import sqrt as root\nroot(2)", "from math import sqrt as e\ne(2)"),
        # Keywords of unknown calls are not free, nor what a call passes by name.
        ("def f(word): return g(e=word)", "def t(t): return g(e=t)"),
        ("def f(word): return word\nf(word=1)", "def e(word): return word\ne(word=1)"),
        # `global` and `nonlocal` follow.
        ("total = 0\ndef f():\n    global total\n    total = 1", "e = 0\ndef t():\n    global e\n    e = 1"),
    ],
)  # fmt: skip
def test_names(before, after):
    assert short(before) == same(after)


def test_a_word_takes_the_most_used_name_that_is_free():
    words = (f"part_{number}" for number in range(5))
    met = "\n".join(f"def of_{word}({word}): return {word} + {word} + often + often" for word in words)
    after = short(f"often = 1\n{met}\ndef h(rare): return rare")
    assert after.startswith("e = 1\n") and after.count("(t):\n    return t + t + e + e") == 5
    assert after.endswith("(t):\n    return t"), "`e` is free too, and comes first"


def test_nonlocal_follows():
    before = "def f():\n    word = 1\n    def g():\n        nonlocal word\n        word = 2\n    return g, word"
    words = {node.id for node in ast.walk(ast.parse(short(before))) if isinstance(node, ast.Name)}
    assert "word" not in short(before) and len(words) == 2


def test_members_take_the_name_of_the_variable_that_they_hold():
    after = short("class Thing:\n    def __init__(self, width_of): self.width_of = width_of\nThing(1).width_of")
    tree = ast.parse(after)
    (store,) = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    assert store.targets[0].attr == store.value.id and len(store.value.id) == 1


def test_members_of_one_program_get_different_names():
    after = short("class A:\n    alpha_k = 1\n    beta_k = 2\n    def run_it(self): return self.alpha_k, self.beta_k")
    found = {node.attr for node in ast.walk(ast.parse(after)) if isinstance(node, ast.Attribute)}
    assert len(found) == 2 and not found & {"alpha_k", "beta_k"}


def test_what_a_class_body_reads_is_not_free_for_a_member():
    after = ast.parse(
        short("import numpy\nclass A:\n    alpha_k: numpy = 1\n    beta_k = numpy.x\nA.alpha_k, A.beta_k")
    )
    body = next(node for node in after.body if isinstance(node, ast.ClassDef)).body
    (read,) = {
        node.id
        for line in body
        for node in ast.walk(line)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert read not in [line.target.id if isinstance(line, ast.AnnAssign) else line.targets[0].id for line in body]


def test_attributes_of_others_are_not_free_for_a_member():
    after = short("class A:\n    def run_it(self): return self.run_it\ndef f(x): return x.e, x.t, x.a")
    assert all(f".{letter}" in after for letter in "eta") and ".o" in after


def test_what_is_kept_stays_and_is_not_taken():
    assert short("def f(word): return word\nlong = f", keep=["word"]) == same("def e(word): return word\nt = e")
    after = short("class A:\n    def run_it(self): return self.run_it", keep=["run_it"])
    assert after.count("run_it") == 2


def test_fields_of_records_are_renamed_in_calls():
    after = short(
        "from typing import NamedTuple\nclass A(NamedTuple):\n    wide_k: int\nx = A(wide_k=1)\nx.wide_k, x._replace(wide_k=2)"
    )
    assert "wide_k" not in after and "_replace(" in after


def test_more_words_than_letters():
    lines = [f"word_{number} = {number}" for number in range(60)]
    after = ast.parse(short("\n".join(lines)))
    names = [line.targets[0].id for line in after.body]
    assert len(set(names)) == 60 and max(map(len, names)) == 2 and names == sorted(names, key=len)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("x", "x"),
        ("x.y", None),
        ("lambda: 1", None),
        ("import a.b", "a"),
        ("import a.b as c", "c"),
        ("def f(): pass", "f"),
        ("class A: pass", "A"),
    ],
)
def test_the_variable_of_a_node(text, name):
    node = ast.parse(text).body[0]
    node = node.names[0] if isinstance(node, ast.Import) else node.value if isinstance(node, ast.Expr) else node
    assert variable_of(node) == name
