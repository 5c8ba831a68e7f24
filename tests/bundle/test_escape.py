# ruff: noqa: E501 (a sample is one line, however long)
"""Where the only object of a class goes: followed to where it certainly is, and left alone where it may be something else."""

import ast

import pytest
from test_hostile_programs import check

from pgolf.bundle.link import Owned
from pgolf.bundle.passes.scalar_replacement import scalar_replacement
from pgolf.bundle.program import Program

CLOCK = """
class Clock:
    unit = "ms"
    def __init__(self, begin_at, step_by=2):
        self.now_at = begin_at
        self.step_by = step_by
    def tick_it(self, by=1):
        self.now_at += self.step_by * by
        return self.now_at
    def __call__(self): return f"{self.now_at}{self.unit}"
"""
CALLS = "class Twice:\n    def __call__(self, x): return 2 * x\n    def other(self): return 1\n"
REPLACED = {
    "a local variable": "def main():\n    c = Clock(3)\n    c.tick_it()\n    print(c(), c.now_at, c.unit)",
    "an argument": (
        "def show(c, n): print(c.tick_it(n), c())\ndef main():\n    c = Clock(3)\n    show(c, 2)\n    show(n=3, c=c)"
    ),
    "order of arguments": (
        "def show(a, b, c): print(a, b, c)\ndef main():\n    c = Clock(3)\n    show(c.now_at, c.tick_it(), c.now_at)\n"
        "    show(c=c.now_at, a=c.tick_it(), b=c.now_at)"
    ),
    "a closure": (
        "def main():\n    c = Clock(3)\n    def f(): return c.tick_it()\n    g = lambda now_at: now_at + c.now_at\n"
        "    print(f(), g(1), [c.tick_it() for _ in range(2)])"
    ),
    "a generator": (
        "def gen(c):\n    yield c.tick_it()\n    yield c.now_at\ndef main():\n    c = Clock(3)\n    print(list(gen(c)))"
    ),
    "an attribute of many objects": (
        "class H:\n    def __init__(self, clock_here): self.clock_here = clock_here\n"
        "    def go(self): return self.clock_here.tick_it()\ndef main():\n    c = Clock(1)\n    print(H(c).go(), H(c).go())"
    ),
    "a result": (
        "import sys\ndef make(n):\n    try:\n        c = Clock(n)\n        c.tick_it()\n        return c\n"
        "    except ValueError:\n        sys.exit(2)\ndef main():\n    c = make(3)\n    print(c.tick_it())"
    ),
    "a result beside another function's": (
        "def make(n):\n    def other(): return 4\n    c = Clock(n)\n    print(other())\n    return c\n"
        "def main():\n    c = make(3)\n    print(c.tick_it())"
    ),
    "asked for None": (
        "def f(c=None):\n    if c is not None: print(c.tick_it())\ndef main():\n    c = Clock(3)\n    f(c)\n    print(c is None)"
    ),
    "a method as a value": (
        "def main():\n    c = Clock(3)\n    f = c.tick_it\n    print(f(), list(map(c.tick_it, [1, 2])), c.now_at)"
    ),
    "another variable": "def main():\n    c = Clock(3)\n    a, b = c, 4\n    print(a.tick_it(), b)",
    "made between two calls": (
        "def other():\n    print('o')\n    return 3\ndef main():\n    x, c, y = other(), Clock(3), other()\n"
        "    print(x, c.tick_it(), y)"
    ),
    "a top-level variable": (
        "def setup():\n    global CLOCK\n    CLOCK = Clock(3)\ndef main():\n    setup()\n    print(CLOCK.tick_it())"
    ),
    "stores of all kinds": (
        "import contextlib\ndef main():\n    c = Clock(5)\n    with contextlib.nullcontext(4) as c.now_at: print(c.now_at)\n"
        "    for c.now_at in range(3): pass\n    c.now_at, c.step_by = c.step_by, c.now_at\n    print(c.now_at, c.step_by)"
    ),
    "a thread": (
        "import threading\ndef main():\n    c = Clock(3)\n    t = threading.Thread(target=c.tick_it)\n    t.start()\n"
        "    t.join()\n    print(c.now_at)"
    ),
    "words of other variables": (
        "def main():\n    tick_it, now_at = 5, 7\n    c = Clock(now_at)\n    print(c.tick_it(), tick_it, now_at, c.now_at)"
    ),
    "a local variable called like a function": (
        "def begin(): return 9\ndef main():\n    begin = 7\n    c = Clock(begin)\n    print(c.tick_it())"
    ),
    "its truth": "def main():\n    c = Clock(5)\n    print('yes' if c else 'no', c == c, c.tick_it())",
    "a weak reference": "import weakref\ndef main():\n    c = Clock(5)\n    print(weakref.ref(c)() is c, c.tick_it())",
}
KEPT = {
    "a loop": "def main():\n    for i in range(2):\n        c = Clock(i)\n        print(c.tick_it())",
    "two objects": "def main():\n    a, b = Clock(1), Clock(5)\n    print(a.tick_it(), b.tick_it())",
    "recursion": ("def rec(n):\n    c = Clock(n)\n    if n: rec(n - 1)\n    print(c.tick_it())\ndef main(): rec(2)"),
    "a function that is called twice": (
        "def go(n):\n    c = Clock(n)\n    return c.tick_it()\ndef main(): print(go(1), go(2))"
    ),
    "a subclass": "class D(Clock):\n    def tick_it(self): return -1\ndef main(): print(D(3).tick_it())",
    "something else before": "def main():\n    c = Clock(3) if len('a') else None\n    print(c is None or c.tick_it())",
    "another result": (
        "def make(n):\n    if not n: return None\n    return Clock(n)\ndef main():\n    c = make(3)\n    print(c is None or c.tick_it())"
    ),
    "something else later": "def main():\n    c = Clock(3)\n    c.tick_it()\n    c = 4\n    print(c)",
    "something else by a closure": (
        "def main():\n    c = Clock(5)\n    def swap():\n        nonlocal c\n        c = 3\n    print(c.tick_it())\n"
        "    swap()\n    print(c)"
    ),
    "a walrus": "def main(): print((c := Clock(3)).tick_it(), c.now_at)",
    "deleted": "def main():\n    c = Clock(3)\n    print(c.tick_it())\n    del c",
    "its type": "def main():\n    c = Clock(5)\n    print(type(c) is Clock, c.tick_it())",
    "a list": "def main():\n    c = Clock(3)\n    print([d.tick_it() for d in [c, c]])",
    "stars": "def f(*a): return a[0].tick_it()\ndef g(c): return c.tick_it()\ndef main():\n    c = Clock(5)\n    print(f(c), g(*[c]))",
    "a cached function": (
        "import functools\n@functools.lru_cache\ndef g(c): return c.tick_it()\ndef main():\n    c = Clock(5)\n    print(g(c), g(c))"
    ),
    "a pattern": (
        "def main(x=5):\n    c = Clock(5)\n    match x:\n        case c.now_at: print('yes')\n        case _: print('no')"
    ),
    "a comprehension that stores": "def main():\n    c = Clock(5)\n    print([0 for c.now_at in range(3)], c.now_at)",
    "a text that asks": "def main():\n    c = Clock(5)\n    print('{0.now_at}'.format(c))",
    "getattr": "def main():\n    c = Clock(5)\n    print(getattr(c, 'now_at'), c.tick_it())",
    "an object that dies": (
        "import weakref\nclass T: pass\ndef work():\n    t = T()\n    c = Clock(t)\n    return weakref.ref(c.now_at)\n"
        "def main(): print(work()() is None)"
    ),
    "read too early": (
        "def main():\n    try:\n        print(c.tick_it())\n    except UnboundLocalError:\n        print('no')\n    c = Clock(3)\n"
        "    print(c.tick_it())"
    ),
    "set too late": (
        "def main():\n    c = Clock(3)\n    try:\n        print(c.late)\n    except Exception:\n        print('no')\n"
        "    c.late = 3\n    print(c.late)"
    ),
    "copied with what holds it": (
        "import copy\nclass H:\n    def __init__(self, c): self.held_here = c\ndef main():\n    c = Clock(1)\n    h = H(c)\n"
        "    g = copy.deepcopy(h)\n    g.held_here.now_at = 5\n    print(c.now_at, h.held_here.now_at, g.held_here.now_at)"
    ),
}


def replaced(code):
    """The program after some rounds of scalar replacement alone."""
    program = Program(Owned("m", node) for node in ast.parse(code + "\nif __name__ == '__main__':\n    main()").body)
    for _ in range(3):
        scalar_replacement(program)
    return program.flat.text


@pytest.mark.parametrize("name", REPLACED)
def test_an_object_is_followed(name):
    assert "class Clock" not in replaced(CLOCK + REPLACED[name])
    check(CLOCK + REPLACED[name])


@pytest.mark.parametrize("name", KEPT)
def test_an_object_that_escapes_stays(name):
    assert "class Clock" in replaced(CLOCK + KEPT[name])
    check(CLOCK + KEPT[name])


@pytest.mark.parametrize(
    ("line", "stays"),
    [
        ("for f in (t, abs): print(f(3))", False),
        ("for f in (t, abs): print(f)if 0 else print(f(3))", True),
        ("print([f(3) for f in (t, abs)])", True),
        ("print(list(map(t, [1, 2])))", True),
        ("print(t(3))", False),
    ],
)
def test_an_object_with_other_methods_may_only_go_where_it_is_called(line, stays):
    """`other` is a word that a library may ask for."""
    code = CALLS.replace("other", "size") + f"def main():\n    t = Twice()\n    {line}\n    print(t.size())"
    assert ("class Twice" in replaced(code)) is stays
    check(code)


def test_an_object_with_nothing_but_a_call_may_go_to_libraries():
    code = CALLS.partition("    def other")[0] + "def main():\n    t = Twice()\n    print(sorted([2, 1], key=t), t(1))"
    assert "class Twice" not in replaced(code)
    check(code)


def test_a_question_for_none_is_no_escape():
    code = (
        "class Box:\n    def __init__(self, n): self.n_here = n\n    def get_it(self): return self.n_here\n"
        "def main():\n    b = Box(3)\n    if b is not None: print(b.get_it())\n"
    )
    assert "class Box" not in replaced(code)
    check(code)
