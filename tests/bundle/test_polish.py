"""Polish: other letters for local variables, the same program."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgolf.bundle.minify.alpha import check_renaming
from pgolf.bundle.minify.polish import Model, polish, variables
from pgolf.bundle.pack.pack import compressed

ALIKE = """def f(a,b):
 c=a+b
 for d in range(c):c=c*d+a
 return c
"""
OTHER = """def g(q,w):
 z=q+w
 for v in range(z):z=z*v+q
 return z
"""


def same(text):
    changed = polish(text, sweeps=2)
    check_renaming(ast.parse(text), ast.parse(changed))
    return changed


def test_functions_that_do_alike_get_alike_letters():
    text = ALIKE * 6 + OTHER
    changed = same(text)
    assert compressed(changed) < compressed(text)
    assert changed.endswith(ALIKE.replace("def f", "def g"))


def test_the_result_does_not_depend_on_anything_but_the_text():
    assert polish(ALIKE * 3 + OTHER) == polish(ALIKE * 3 + OTHER)


@pytest.mark.parametrize(
    "kept",
    [
        "def g(q,w):\n def z(v):return v+q\n return z(w)\n",
        "def g(q,w):\n match q+w:\n  case z:return z\n",
        "g=lambda q,w:q+w\n",
        "class G:\n q=1\n w=q+q\n",
        "def g(qq,ww):\n zz=qq+ww\n return zz\n",
        "é=1\n" + OTHER,
    ],
    ids=["nested", "match", "lambda", "class", "long", "not-ascii"],
)
def test_what_is_not_plain_keeps_its_names(kept):
    assert same(ALIKE * 6 + kept) == ALIKE * 6 + kept


def test_letters_that_mean_something_else_in_the_function_are_not_taken():
    text = "a=b=c=d=3\n" + ALIKE * 6 + OTHER.replace("return z", "return z+a+b+c+d")
    changed = same(text)
    space = {}
    exec(changed, space)
    assert space["g"](2, 1) == space["f"](2, 1) + 12


def test_parameters_that_are_passed_by_name_keep_their_names():
    text = ALIKE * 6 + OTHER + "x=g(q=2,w=1)\n"
    changed = same(text)
    assert "def g(q,w)" in changed and "g(q=2,w=1)" in changed


def test_names_that_others_know_stay():
    text = ALIKE * 6 + OTHER
    changed = polish(text, {"q", "z"})
    assert "def g(q," in changed and "z=" in changed and changed != text


def test_variables_of_comprehensions_lambdas_handlers_and_imports_follow():
    text = ALIKE * 3 + (
        "def g(q):\n try:\n  import math as w\n  z=[v*w.pi for v in q if v]\n  return sorted(z,key=lambda v:-v)\n"
        " except Exception as u:return u\n"
    )
    changed, space = same(text), {}
    exec(changed, space)
    assert len(space["g"]([1, 2])) == 2 and isinstance(space["g"](3), TypeError)
    assert changed != text


NAMES = st.permutations("abcdefghijklmnopqrstuvwxyz")


@settings(deadline=None, max_examples=40)
@given(st.lists(NAMES, min_size=2, max_size=6))
def test_any_letters_give_a_program_that_does_the_same(draws):
    body = (
        "def f{n}({0},{1}):\n {2}=[{3}*{0} for {3} in range({1})]\n {4}=lambda {0}:{0}+{1}\n return {4}(sum({2})),{0}\n"
    )
    text = "".join(body.format(*names, n=number) for number, names in enumerate(draws))
    changed = same(text)
    before, after = {}, {}
    exec(text, before)
    exec(changed, after)
    for number in range(len(draws)):
        assert before[f"f{number}"](3, 4) == after[f"f{number}"](3, 4)


def test_the_model_counts_what_stands_before_each_character():
    model = Model("abcabd")
    assert model.counts["ab"] == {"c": 1, "d": 1} and model.totals["ab"] == 2
    model.add(3, 6, -1)
    assert model.counts["ab"] == {"c": 1, "d": 0} and model.totals["ab"] == 1
    assert model.price([2]) < Model("xyzxyw").price([2])


def test_a_variable_with_the_name_of_its_function_is_another_name():
    text = ALIKE * 6 + OTHER.replace("z", "g") + "x=g(2,1)\n"
    changed = same(text)
    space = {}
    exec(changed, space)
    assert space["x"] == space["f"](2, 1) and "def g(" in changed


def test_global_names_stay_and_are_not_taken():
    text = ALIKE * 6 + OTHER.replace("def g(q,w):\n", "def g(q,w):\n global a,d\n a=d=q\n")
    changed, space = same(text), {}
    exec(changed, space)
    assert "global a,d" in changed and changed != text
    assert space["g"](2, 1) == space["f"](2, 1) and space["a"] == space["d"] == 2


def test_decorators_and_defaults_are_outside():
    text = "def a(b):return b\n" + ALIKE * 6 + "@a\ndef g(q,w=a):\n z=[q,w]\n return z\n"
    changed, space = same(text), {}
    exec(changed, space)
    assert space["g"](1) == [1, space["a"]]


def test_a_word_that_ends_like_the_one_before_the_name_is_not_it():
    text = "def f(b):\n from m import bias as a,cas as s\n try:return g(b,s)\n except Bas as a:return a\n"
    places = [place for function in variables(text) for found in function.variables.values() for place in found]
    around = [text[place - 1] + text[place + 1] for place in places]
    assert len(places) == 7 and not any(char.isalnum() for pair in around for char in pair)


def test_the_counts_are_those_of_the_text_as_it_is(monkeypatch):
    made = []

    class Kept(Model):
        def __init__(self, text):
            super().__init__(text)
            made.append(self)

    def found(model):
        return {(context, char): n for context, chars in model.counts.items() for char, n in chars.items() if n}

    monkeypatch.setattr("pgolf.bundle.minify.polish.Model", Kept)
    changed = polish(ALIKE * 3 + OTHER.replace("return z\n", "return q,z\n") + "def h(w):return w\ndef k(v):return v\n")
    assert "".join(made[0].text) == changed != ""
    assert found(made[0]) == found(Model(changed))
