"""What is always the same literal is written in place; programs in which it is not do the same as before."""

import ast
import contextlib
import io

import pytest
from constants_programs import PROGRAMS
from hypothesis import given, settings
from hypothesis import strategies as st

from pgolf.bundle.specialize.constants import constants
from pgolf.bundle.specialize.prune import prune

HEAD = "from typing import NamedTuple\n"
RECORD = (
    HEAD + "class Spec(NamedTuple):\n    title: str\n    kind_of: str = 'plain'\n    members_of: tuple = ()\n"
    "def make(): return [Spec('a'), Spec('b', kind_of='plain')]\n"
)
MAIN = "\nif __name__ == '__main__':\n    main()\n"


def changed(text, rounds=9):
    """The program after constants, to the fixed point."""
    tree = ast.parse(text)
    for _ in range(rounds):
        if not constants(tree):
            return ast.unparse(ast.fix_missing_locations(tree))
        prune(tree)
        compile(ast.fix_missing_locations(tree), "changed", "exec")
    raise AssertionError("no fixed point")


def printed(text):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, "program", "exec"), {"__name__": "__main__"})
    return out.getvalue()


def body_of(text, name):
    """The text of one function or class."""
    return next(ast.unparse(node) for node in ast.parse(text).body if getattr(node, "name", "") == name)


def check(text, name="main"):
    """What a function becomes, in a program that prints the same as before."""
    text += MAIN
    after = changed(text)
    assert printed(after) == printed(text) != "", after
    return body_of(after, name)


def same(text):
    return ast.unparse(ast.parse(text))


# Rules


def test_record_fields_that_are_always_the_same_go():
    text = (
        RECORD + "def main():\n    for spec in make():\n        print(spec.title, spec.kind_of, spec.members_of or 3)"
    )
    assert check(text) == same("def main():\n    for spec in make():\n        print(spec.title, 'plain', 3)")
    assert check(text, "Spec") == same("class Spec(NamedTuple):\n    title: str")
    assert check(text, "make") == same("def make(): return [Spec('a'), Spec('b')]")


def test_fields_with_names_that_libraries_use_too():
    text = HEAD + (
        "class Part(NamedTuple):\n    source: str\n    index: int\n"
        "def parts(names):\n    found = []\n    for name in names:\n        found.append(Part(name, -1))\n"
        "    found += [Part(name * 2, -1) for name in names]\n    return found\n"
        "def main():\n    print([part.source if part.index < 0 else 9 for part in parts(['a', 'b'])])"
    )
    assert "[part.source for part in parts(['a', 'b'])]" in check(text) and "Part(name)" in check(text, "parts")


def test_a_field_that_a_loop_copies_is_found_in_a_later_round():
    text = HEAD + (
        "class Old(NamedTuple):\n    index: int\n    text: str\nclass New(NamedTuple):\n    index: int\n    text: str\n"
        "def olds(): return (Old(-1, 'a'), Old(-1, 'b'))\n"
        "def main():\n    for new in [New(old.index, old.text) for old in olds()]:\n"
        "        print(new.text, new.index if new.index > 0 else 'none')"
    )
    assert "print(new.text, 'none')" in check(text) and "New(old.text)" in check(text)


def test_parameters_that_every_call_gives_alike():
    text = (
        "def f(x, y, z=3, *, w=None): return (x, y, z, w is None)\ndef main():\n    print(f(1, 2), f(2, y=2, w=None))"
    )
    assert check(text, "f").startswith("def f(x, *, w=None):\n    return (x, 2, 3, True)")


def test_parameters_that_calls_through_variables_give():
    text = (
        "def f(x, y): return x + y\ndef g(x, y): return x - y\n"
        "def main():\n    for tap in (f, g):\n        print(tap(2, 5))\n    print(f(2, 5))"
    )
    assert check(text, "f") == same("def f(x, y): return 7")
    text = "def f(x, y): return x\ndef main():\n    handed = f\n    print(handed(9, []), handed('a', {1: main}))"
    assert check(text, "f") == same("def f(x): return x")


def test_recursion_hands_a_literal_on():
    text = "def f(n, k): return n if n < 3 else f(n // k, k)\ndef main(): print(f(40, 2), f(30, 2))"
    assert check(text, "f") == same("def f(n): return n if n < 3 else f(n // 2)")


def test_attributes_that_are_stored_once():
    text = (
        "class A:\n    def __init__(self, n): self.size_of, self.n_of = 64, n\n"
        "    def total(self): return self.size_of * self.n_of\n"
        "def main():\n    for a in (A(1), A(2)):\n        print(a.total(), a.size_of)"
    )
    assert check(text, "A").endswith("return 64 * self.n_of") and "a.total(), 64" in check(text)


def test_class_attributes_and_texts():
    text = "class A:\n    name = 'zip'\ndef main():\n    a = A()\n    print(a.name, f'final_{a.name}.txt')"
    assert "print('zip', 'final_zip.txt')" in check(text)


def test_forward_of_a_module_gets_what_the_program_gives():
    text = (
        "class Module:\n    def __init__(self): pass\n    def __call__(self, *a, **k): return self.forward(*a, **k)\n"
        "import types\nnn = types.SimpleNamespace(Module=Module)\n"
    )
    text = "from torch import nn\n" + (
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.kept_as = 3\n"
        "    def forward(self, x, watch=None, scale=1):\n"
        "        if watch is not None:\n            watch(x)\n        return x * scale * self.kept_as\n"
        "def main():\n    net = Net()\n    net.eval()\n    print(net(2, scale=5), net(3, scale=7))"
    )
    pytest.importorskip("torch")
    assert "def forward(self, x, scale=1):\n        return x * scale * 3" in check(text, "Net")


def test_variables_and_constants_of_the_top_level():
    text = "LIMIT = 5\ndef main():\n    n = 3\n    print(n * LIMIT)\n    for x in (7,):\n        print(x)"
    assert "print(15)" in check(text) and "print(7)" in check(text)


def test_what_a_function_hands_back_is_known_for_each_call():
    text = (
        "def same_one(x): return x\ndef f(a, b): return a\nclass A:\n    def __call__(self, a, c): return a\n"
        "def main(): print(same_one(f)([1], 2), same_one(A())([3], 4))"
    )
    assert "same_one(f)([1])" in check(text) and "def __call__(self, a):" in check(text, "A")


def test_long_literals_are_written_only_once():
    text = "LONG = 'a text that is too long to be repeated'\ndef main(): print(LONG.upper(), [LONG], [LONG])"
    assert "[LONG], [LONG]" in check(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("len('abc') + len(())", "3"),
        ("max(64, 1) * min(2, 3)", "128"),
        ("(any(()), all(()), sum(()), tuple(()))", "(False, True, 0, ())"),
        ("[x for x in xs if True]", "[x for x in xs]"),
        ("[x for x in xs if False]", "[]"),
        ("tuple((x for x in xs if False))", "()"),
        ("3 not in EMPTY", "True"),
        ("[x for x in xs if x not in EMPTY]", "[x for x in xs]"),
    ],
)
def test_folds_with_the_names_known(before, after):
    text = f"EMPTY = ()\nZERO = 0\ndef main():\n    xs = [f(), 2]\n    print({before}, ZERO)\ndef f(): return input"
    assert f"print({after}, 0)" in check(text)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_do_the_same_as_before(name):
    text = PROGRAMS[name] + MAIN
    after = changed(text)
    assert printed(after) == printed(text) != "", after


# Random programs

VALUES = ("1", "True", "1.0", "-0.0", "None", "()", "'t'", "(1, 'a')", "here", "LIMIT", "[2]", "made.first_of", "made")
few = st.lists(st.sampled_from(VALUES), min_size=1, max_size=2)
"""What one parameter or field gets: often the same at every place."""
CODE = (
    HEAD
    + """
LIMIT = {limit}
class R(NamedTuple):
    first_of: object
    index: object = {default}
    third_of: object = ()
class A:
    label_of = {label}
    def __init__(self, given, size_of={default}):
        self.given_as, self.size_of, self.left = given, size_of, {left}
    def idle_one(self, x): {idle}
    def tell_it(self, x, y={default}):
        return show(self.given_as, self.size_of, x, y, self.left if self.left is not None else 'none', self.label_of)
def show(*xs): return [x if not isinstance(x, (R, A)) else 'object' for x in xs]
def work(x, y={default}, *, z=None):
    here = {local}
    made = R(x, {default})
    a = A({first}, {second})
    out = [x, y, z] if y else [z, x]
    for r in [made, R({field}, {other}), R(first_of={first}){replaced}]:
        a.idle_one(r)
        out += show(r.first_of, r.index, 'yes' if r.third_of else 'no', f'{{r.index}}|{{here!r:>3}}')
    {change}
    out.append(a.tell_it({first}, {second}))
    return out, {last}
def main():
    here, made = {local}, R({first_outside})
    for call in ({calls}):
        print(call({one}, {two}), call({one}))
    print(work({one}, z={two}))
"""
)
CHANGES = (
    "pass",
    "a.size_of = here",
    "a.left = x",
    "out.extend(map(a.tell_it, [here, x]))",
    "a.given_as = made",
    "x = LIMIT",
)
ENDS = (
    "made",
    "None",
    "tuple(made)",
    "[r.third_of for r in [made]]",
    "made == (x, 1, ())",
    "a.size_of",
    "R._fields",
    "len(out)",
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_programs_do_the_same(data):
    def draw(*values):
        return data.draw(st.sampled_from(values))

    literals = tuple(value for value in VALUES if value not in ("here", "LIMIT", "[2]", "made.first_of", "made"))
    inside = data.draw(few)
    outside = [value for value in data.draw(few) if value not in ("made", "made.first_of")] or ["1"]
    text = CODE.format(
        **{name: draw(*literals) for name in ("limit", "default", "label", "left", "local")},
        **{name: draw(*inside) for name in ("field", "first", "second", "other")},
        **{name: draw(*outside) for name in ("one", "two")},
        first_outside=draw("1", "'t'", "LIMIT"),
        idle=draw("pass", "return ()", "return 3", "print('busy')"),
        replaced=draw("", "", "._replace(index=here)", "._replace(third_of=(1,))"),
        change=draw(*CHANGES),
        last=draw(*ENDS),
        calls=draw("work,", "work, work", "lambda x, y=1: work(x, y, z=2),", "work, A(1).tell_it"),
    )
    text += MAIN
    after = changed(text)
    # An address is printed where a whole object of class A is.
    assert printed(after) == printed(text), after
