"""What one call names is written out in its place, unless somebody could tell."""

import ast

import pytest
from hypothesis import HealthCheck, given, settings
from inline_programs import HELPERS, MAIN, outcome, output, programs

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.specialize.inline import inline
from pgolf.bundle.specialize.specialize import check, specialize
from pgolf.errors import PgolfError


def inlined(text):
    tree = ast.parse(text)
    inline(tree)
    return ast.unparse(ast.fix_missing_locations(tree))


def same(text):
    return ast.unparse(ast.parse(text))


def body(text, name="main"):
    """The statements of one function after inlining, in a program that prints the same before and after."""
    whole = HELPERS + text + "\n" + MAIN
    changed = inlined(whole)
    assert output(changed) == output(whole) != ""
    function = next(node for node in ast.walk(ast.parse(changed)) if getattr(node, "name", "") == name)
    return "\n".join(ast.unparse(node) for node in function.body)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # Values, anywhere in an expression.
        ("def f(x): return x + 1\ndef main():\n    a = 2\n    note(1, f(a))", "a = 2\nnote(1, a + 1)"),
        ("def f(x): return -x\ndef main(): note([f(x) for x in (1, 2)])", "note([-x for x in (1, 2)])"),
        ("def f(x, y): return [x, y]\ndef main(): note(f(note(1), note(2)))", "note([note(1), note(2)])"),
        ("def f(x, y=3): return [y, x]\ndef main(): note(f(note(1)))", "note([3, note(1)])"),
        ("def f(x): return sum(x for y in (1, 2))\ndef main():\n    a = 2\n    note(f(a))",
         "a = 2\nnote(sum((a for y in (1, 2))))"),
        ("def f(x): return [x for y in (1, 2)]\ndef main():\n    y = 2\n    note(f(y), y)",
         "y = 2\nnote([y for y_2 in (1, 2)], y)"),
        # Statements, with what is given first.
        ("def f(x):\n    note(x)\n    note(x)\ndef main():\n    a = 2\n    f(a)\n    note(a)",
         "a = 2\nnote(a)\nnote(a)\nnote(a)"),
        ("def f(x):\n    x = x + 1\n    return x * 2\ndef main():\n    note(0)\n    return f(note(1))",
         "note(0)\nx = note(1)\nx = x + 1\nreturn x * 2"),
        ("def f(x):\n    note(x)\n    x += 1\n    return 5\ndef main():\n    a = note(1)\n    a = f(a)\n    note(a)",
         "a = note(1)\nnote(a)\na += 1\na = 5\nnote(a)"),
        ("def f(x):\n    note(x)\n    x += 1\n    return 5\ndef main():\n    a = note(1)\n    b = f(a)\n    note(b)",
         "a = note(1)\nnote(a)\na += 1\nb = 5\na = None\nnote(b)"),
        ("def f(x):\n    note(x)\n    x += 1\n    return x * 2\ndef main():\n    a = note(1)\n    a = f(a)\n    note(a)",
         "a = note(1)\nnote(a)\na += 1\na = a * 2\nnote(a)"),
        ("def f(x):\n    note(5)\n    return x\ndef main():\n    a = f(note(1))\n    note(a)",
         "a = note(1)\nnote(5)\nnote(a)"),
        ("def f(x):\n    note(x, 5)\n    return 3\ndef main():\n    return f(note(1))", "note(note(1), 5)\nreturn 3"),
        ("def f():\n    a = note(1)\n    b = note(2)\n    return b, a\ndef main():\n    a, b = f()\n    note(a, b)",
         "b = note(1)\na = note(2)\nnote(a, b)"),
        ("def f():\n    a = note(1)\n    return a, a\ndef main():\n    b, c = f()\n    note(b, c)",
         "b = note(1)\nc = b\nnote(b, c)"),
        ("def f(x, y): return y\ndef main():\n    f(2, note(1))\n    f(2, y=note(3))", "note(1)\nnote(3)"),
        ("def f(x, y):\n    return y\ndef main():\n    f(note(1), y=note(2))\n    note(3)", "note(1)\nnote(2)\nnote(3)"),
        # A variable that takes a name lets no other have it.
        ("def f(x):\n    y = note(1)\n    note(x)\n    return note(x), y\n"
         "def main():\n    a, x = f(note(2))\n    note(a)",
         "x_2 = note(2)\nx = note(1)\nnote(x_2)\na = note(x_2)\nx_2 = None\nnote(a)"),
        ("def f(x):\n    if x: return 1\n    return 2\ndef main():\n    note(0)\n    return f(note(1))",
         "note(0)\nif note(1):\n    return 1\nreturn 2"),
        ("def f(x):\n    note(x)\n    return 2\ndef main():\n    a = 1\n    if f(a): note(5)",
         "a = 1\nnote(a)\nif 2:\n    note(5)"),
        ("def f(x):\n    note(x)\n    return x\ndef main():\n    a = 1\n    for b in note(3, (a, f(a))): note(b)",
         "a = 1\nnote(a)\nfor b in note(3, (a, a)):\n    note(b)"),
        # Early returns.
        ("def f(x):\n    if x > 1: return 5\n    note(x)\n    return 6\ndef main():\n    a = 2\n    b = f(a)\n    note(b)",
         "a = 2\nif a > 1:\n    b = 5\nelse:\n    note(a)\n    b = 6\nnote(b)"),
        ("def f(x):\n    if x: return\n    note(x)\ndef main():\n    a = 0\n    f(a)\n    note(a)",
         "a = 0\nif not a:\n    note(a)\nnote(a)"),
        ("def f(x):\n    try: return note(x)\n    except ValueError as e: raise TypeError from e\n"
         "def main():\n    e = 2\n    b = f(e)\n    note(b, e)",
         "e = 2\ntry:\n    b = note(e)\nexcept ValueError as e_2:\n    raise TypeError from e_2\nnote(b, e)"),
        # Variables that die here.
        ("def f(x):\n    y = note(x)\n    note(y)\ndef main():\n    a = 2\n    f(a)\n    note(a)",
         "a = 2\ny = note(a)\nnote(y)\ny = None\nnote(a)"),
        ("def f(x):\n    y = len(x)\n    note(y)\ndef main():\n    a = 'b'\n    f(a)\n    note(a)",
         "a = 'b'\ny = len(a)\nnote(y)\nnote(a)"),
        ("def f():\n    x = note(1)\n    note(x)\ndef main():\n    x = 2\n    f()\n    note(x)",
         "x = 2\nx_2 = note(1)\nnote(x_2)\nx_2 = None\nnote(x)"),
        # Two statements from one.
        ("def f():\n    note(2)\n    return 3\ndef main():\n    a, b = note(1), f()\n    note(a, b)",
         "a = note(1)\nnote(2)\nb = 3\nnote(a, b)"),
    ],
)  # fmt: skip
def test_functions_are_written_out(text, wanted):
    assert body(text) == wanted


THING = """
class Thing:
    def __init__(self, size):
        self.the_size = size
        self.moving = size
    def first_of(self, x):
        return x + self.the_size
    def shift_it(self, x):
        note(self.the_size, x)
        self.moving += x
        return 7
"""


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("def main():\n    t = Thing(2)\n    note(t.first_of(t.the_size))", "t = Thing(2)\nnote(t.the_size + t.the_size)"),
        ("def main():\n    t = Thing(2)\n    a = t.shift_it(3)\n    note(a, t.moving)",
         "t = Thing(2)\nnote(t.the_size, 3)\nt.moving += 3\na = 7\nnote(a, t.moving)"),
        ("def main():\n    note(Thing(2).first_of(note(1)))", "note(Thing(2).first_of(note(1)))"),
        ("def main():\n    t = Thing(2)\n    note(t.first_of(t.moving), t.moving)",
         "t = Thing(2)\nnote(t.moving + t.the_size, t.moving)"),
        # Looked up elsewhere, or on the class.
        ("def main():\n    t = Thing(2)\n    note((1, t.first_of)[1](t.first_of(1)))",
         "t = Thing(2)\nnote((1, t.first_of)[1](t.first_of(1)))"),
        ("def main():\n    t = Thing(2)\n    note(Thing.first_of(t, 1))", "t = Thing(2)\nnote(Thing.first_of(t, 1))"),
        ("class Other:\n    def first_of(self, x): return note(x)\ndef main():\n    note(Other().first_of(1))",
         "note(Other().first_of(1))"),
        ("def main():\n    t = Thing(2)\n    t.first_of = note\n    note(t.first_of(1))",
         "t = Thing(2)\nt.first_of = note\nnote(t.first_of(1))"),
        ("def main():\n    t = Thing(2)\n    setattr(t, 'first_of', note)\n    note(t.first_of(1))",
         "t = Thing(2)\nsetattr(t, 'first_of', note)\nnote(t.first_of(1))"),
        # What the body stores must not be read later than it was.
        ("def main():\n    t = Thing(2)\n    a = t.moving + t.shift_it(3)\n    note(a)",
         "t = Thing(2)\na = t.moving + t.shift_it(3)\nnote(a)"),
        ("def main():\n    t = Thing(2)\n    t.moving += t.shift_it(3)\n    note(t.moving)",
         "t = Thing(2)\nt.moving += t.shift_it(3)\nnote(t.moving)"),
        ("def f(x, y):\n    y.moving = 9\n    return note(x)\ndef main():\n    t = Thing(2)\n    f(t.moving, t)\n    note(1)",
         "t = Thing(2)\nx = t.moving\nt.moving = 9\nnote(x)\nx = None\nnote(1)"),
        ("class Child(Thing):\n    def first_one(self, x):\n        return super().first_of(x)\n"
         "def main():\n    t = Child(2)\n    note(t.first_one(1))", "t = Child(2)\nnote(t.first_one(1))"),
    ],
)  # fmt: skip
def test_methods(text, wanted):
    assert body(THING + text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        # What the function is.
        "def twice(f): return lambda x: f(f(x))\n@twice\ndef f(x): return x + 1\ndef main(): note(f(1))",
        "def f(x):\n    note(3)\n    yield x\ndef main(): note(list(f(1)))",
        "def f(x): return lambda: x\ndef main():\n    a = []\n    for b in (1, 2): a.append(f(b))\n    note(a[0](), a[1]())",
        "def f(x): return (x for y in (1, 2))\ndef main():\n    b = 1\n    a = f(b)\n    b = 2\n    note(list(a), b)",
        "def f(x):\n    def g(): return x\n    return g\ndef main():\n    b = 1\n    a = f(b)\n    b = 2\n    note(a(), b)",
        "def f(x, y=[]):\n    y.append(x)\n    return y\ndef main():\n    for a in (1, 2): note(f(a))",
        "def f(x, *y): return [x, y]\ndef main(): note(f(1, 2))",
        "def f(x): return f(x - 1) if x else note(5)\ndef main(): note(f(2))",
        "def f(x): return x + 1\ndef main(): note(f(1), list(map(f, (1, 2))))",
        # What it is given.
        "def f(x, y): return [x, y]\ndef main(): note(f(*(1, 2)))",
        "def f(x, y): return [x, y]\ndef main(): note(f(**{'x': 1, 'y': 2}))",
        "def f(x): return [x, x]\ndef main(): note(f(note(1)), 2)",
        "def f(x): return 1 if note(2) else x\ndef main(): note(f(note(3)))",
        "def f(x): return [1 for y in (1, 2) if x]\ndef main(): note(f(note(3)))",
        "def f(x, y): return [y, x]\ndef main(): note(f(note(1), note(2)))",
        "def f(x): return [note(1), x]\ndef main(): note(f(note(2)))",
        "def f(x, y): return [x, y]\ndef main():\n    a = 1\n    note(f(a, (a := 2)))",
        "def f(x, y): return [x, y()]\n"
        "def main():\n    a = 1\n    def g():\n        nonlocal a\n        a = 2\n    note(f(a, g), a)",
        # What it means there.
        "A = 1\ndef f(x): return x + A\ndef main():\n    A = 5\n    note(f(2), A)",
        "def f(x): return max(x)\ndef main(max=5): note(f((1, 2)), max)",
        "A = 1\ndef f(x): return x + A\ndef main(): note([f(2) for A in (5, 6)])",
        "def f(): return 1\ndef main(f=lambda: 5): note(f())",
        # What would be evaluated in another order.
        "def f():\n    note(1)\n    return 2\ndef main(): note(note(3), f())",
        "def f():\n    note(1)\n    return 2\ndef main(): note(note(3) and f())",
        "def f():\n    note(1)\n    return 2\ndef main(): note(note(0) and f())",
        "def f(x):\n    x.append(1)\n    return 2\ndef main():\n    a = []\n    note(f'{a}{f(a)}')",
        "def f(x):\n    x.append(1)\n    return 2\ndef main():\n    a = [5]\n    note(a[-1] + f(a))",
        "def f(x):\n    x.append(1)\n    return len(x) < 4\ndef main():\n    a = []\n    while f(a): note(a)",
        "def f(x):\n    note(x)\n    return x\ndef main(): note([f(y) for y in (1, 2)])",
        # Where it returns.
        "def f(x):\n    for y in x:\n        if y: return y\n    return 3\ndef main():\n    a = f((0, 4))\n    note(a)",
        "def f(x):\n    if x:\n        if x > 1: return 5\n    note(x)\n    return 6\ndef main():\n    a = f(2)\n    note(a)",
        "def f(x):\n    try: return note(x)\n    finally: note(3)\ndef main():\n    a = f(2)\n    note(a)",
        "def f(x):\n    try: return x\n    except TypeError: return 4\n"
        "class A:\n    @property\n    def put_it(self): pass\n"
        "def main():\n    A().put_it = f(2)\n    note(1)",
        # Where its variables would live on.
        "def f(x):\n    y = note(x)\n    return [y]\ndef main(): note(f(1))",
        "def f(x):\n    y = note(x)\n    z = note(y)\n    a = note(3)\n    note(y, z, a)\ndef main():\n    f(1)\n    note(2)",
        "def f(x):\n    y = note(x)\n    y.append(y)\ndef main():\n    try: f(1)\n    except AttributeError: note(2)",
        # What could not be printed.
        "def f(x): return x['a']\ndef main():\n    b = {'a': 1}\n    note(f'{f(b)}')",
    ],
)  # fmt: skip
def test_what_somebody_might_notice_stays(text):
    whole = HELPERS + text + "\n" + MAIN
    assert inlined(whole) == same(whole)
    assert output(whole) != ""


LIFE = """
class Tensor:
    def __init__(self, value): self.the_value = value
    def __del__(self): print("gone", self.the_value)
"""


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    y = Tensor(x)\n    note(y.the_value)\ndef main():\n    f(1)\n    note(2)",
        "def f(x):\n    note(1)\n    note(x.the_value)\n    note(x.the_value)\ndef main():\n    f(Tensor(2))\n    note(3)",
        "def f(x):\n    y = Tensor(x)\n    note(y.the_value)\n    return 5\n"
        "def main():\n    for a in (1, 2):\n        b = f(a)\n        note(b)\n    note(9)",
        "def f(x):\n    y = Tensor(x)\n    note(1)\n    return y\n"
        "def main():\n    z = f(1)\n    note(2)\n    z = 1\n    note(3)",
        "def f(x):\n    note(1)\n    x = Tensor(x)\n    note(x.the_value)\ndef main():\n    a = note(5)\n    f(a)\n    note(2)",
        "def f(x):\n    if x: return 1\n    y = Tensor(x)\n    note(y.the_value)\n    return 2\n"
        "def main():\n    a = 0\n    b = f(a)\n    note(b)",
        "def g(x):\n    y = Tensor(x)\n    note(y.the_value)\ndef h(x):\n    y = Tensor(x)\n    note(y.the_value)\n"
        "def f(x):\n    g(x)\n    h(2)\ndef main():\n    f(1)\n    note(3)",
        "def g(x):\n    y = Tensor(x)\n    note(y.the_value)\ndef f(x):\n    note(0)\n    g(x)\n    note(1)\n"
        "def main():\n    f(1)\n    note(2)",
    ],
)
def test_variables_die_when_they_did(text):
    whole = HELPERS + LIFE + text + "\n" + MAIN
    changed = inlined(whole)
    assert "    f(" not in changed.partition("def main")[2]
    assert output(changed) == output(whole)


@pytest.mark.parametrize(
    "text",
    [
        "def f(x): return g(x - 1) if x else note(5)\ndef g(x): return f(x)\ndef main(): note(f(2), g(2))",
        "def f(x): return g(x - 1) if x else note(5)\ndef g(x): return h(x)\ndef h(x): return f(x)\ndef main(): note(f(2))",
        "def f(x):\n    note(x)\n    g(x - 1)\ndef g(x):\n    if x: f(x)\ndef main():\n    f(2)",
        "def f(x): return x and g(x - 1)\ndef g(x): return f(x)\ndef main(): note(1)",
    ],
)
def test_functions_that_call_each_other_are_done_in_the_end(text):
    tree = ast.parse(HELPERS + text + "\n" + MAIN)
    rounds = 0
    while inline(tree):
        rounds += 1
        assert rounds < 5
    assert output(ast.unparse(ast.fix_missing_locations(tree))) == output(HELPERS + text + "\n" + MAIN)


def test_a_global_statement_comes_along():
    text = "A = 1\ndef f(x):\n    global A\n    A = x\n    note(A)\ndef main():\n    note(A)\n    f(2)\n    note(A)"
    assert body(text) == "global A\nnote(A)\nA = 2\nnote(A)\nnote(A)"


def test_what_a_function_binds_of_the_top_level_is_not_read_later():
    text = "A = 1\ndef f(x):\n    global A\n    A = 5\n    note(x, A)\n    note(A)\ndef main():\n    f(A)\n    note(A)"
    assert body(text) == "global A\nx = A\nA = 5\nnote(x, A)\nnote(A)\nx = None\nnote(A)"


def test_a_small_value_is_written_out_twice_but_not_three_times():
    two = "def f(x): return x + 1\ndef main():\n    a = 1\n    note(f(a), f(2))"
    assert body(two) == "a = 1\nnote(a + 1, 2 + 1)"
    three = HELPERS + two.replace("f(2)", "f(2), f(3)")
    assert inlined(three) == same(three)
    long = HELPERS + two.replace("x + 1", "x + " + " + ".join("1" * 20))
    assert inlined(long) == same(long)


def test_nothing_moves_into_the_main_block_class_bodies_and_unknown_decorators():
    text = (
        "from torch import compile\ndef f(x): return x + 1\ndef g(x): return x + 1\ndef h(x): return x + 1\n"
        "class A:\n    kind = f(1)\n@compile\ndef k(x): return g(x)\nif __name__ == '__main__':\n    print(h(1), k(A.kind))\n"
    )
    assert inlined(text) == same(text)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_random_programs_do_the_same(text):
    try:
        tree = ast.parse(text)
        compile(text, "program", "exec")
    except SyntaxError:
        return
    expected = outcome(text)
    for _ in range(4):
        if not inline(tree):
            break
    changed = ast.unparse(ast.fix_missing_locations(tree))
    assert outcome(changed) == expected, changed


def test_the_check_of_specialize_knows_what_comes_with_a_function():
    text = (
        HELPERS + "def f(x): return [note(x), 1]\n"
        "class A:\n    def use_one(self):\n        note = 3\n        return [note, note]\n"
        "    def use_two(self, x):\n        return f(x)\n"
        "def main():\n    for a in (A(), A()):\n        print(a.use_one(), a.use_two(4), a.use_two(5))\n"
        "        print(a.use_one(), a.use_one(), a.use_two(6))\n" + MAIN
    )
    nodes = ast.parse(text).body
    flat = Flat(tuple(Owned("__main__" if isinstance(node, ast.If) else "m", node) for node in nodes))
    changed = specialize(flat, passes=(inline,))
    assert "f(" not in changed.text.replace("def main()", "")
    assert output(changed.text) == output(flat.text) != ""


def test_a_name_that_no_function_below_reads_is_still_found_by_the_check():
    before = "def g(): return A\nA = 1\ndef f():\n    A = 2\n    return A\nprint(f(), g)"
    after = before.replace("    A = 2\n", "    pass\n")
    old, new = (Flat(tuple(Owned("m", node) for node in ast.parse(text).body)) for text in (before, after))
    with pytest.raises(PgolfError, match="made A a global name in f"):
        check(old, new)


@pytest.mark.parametrize("helper", ["return x + x", "note(1)\n    return x"])
def test_a_property_is_read_as_often_and_when_it_was(helper):
    box = "class Box:\n    @property\n    def zorkel(self):\n        note('read')\n        return 2\n"
    helper = f"def f(x):\n    {helper}\n"
    text = f"{HELPERS}{box}{helper}def main():\n    for b in [Box(), Box()]:\n        note(f(b.zorkel))\n{MAIN}"
    assert output(inlined(text)) == output(text) != ""
