# ruff: noqa: E501 (a sample is one line, however long)
"""Which objects can be replaced, and the one thing that keeps each of the others."""

import ast

import pytest
from optimizing import flat

from pgolf.bundle.passes.aggregates import aggregates
from pgolf.bundle.program import Program

CLOCK = """
class Clock:
    unit = "ms"
    def __init__(self, begin_at):
        self.now_at = begin_at
    def tick_it(self): return self.now_at
    def __call__(self): return self.unit
"""
MAIN = "\nif __name__ == '__main__':\n    main()"


def found(text):
    """Classes whose objects can be replaced."""
    return [one.single.definition.name for one in aggregates(Program.of(flat(text + MAIN)))]


@pytest.mark.parametrize(
    ("main", "replaced"),
    [
        ("c = Clock(1)\n    print(c.tick_it(), c.now_at, c.unit, c())", True),
        ("c = Clock(1)\n    c.now_at = 2", True),
        ("Clock(1).now_at", False),
        ("c = Clock(1)\n    c.now_at += 2", True),
        ("c = Clock(1)\n    del c.now_at", False),
        ("c = Clock(1)\n    c.tick_it = 2", False),
        ("c = Clock(1)\n    c.other", False),
        ("c = Clock(1)\n    c.__init__(2)", False),
        ("c = Clock(1)\n    c.now_at: int = 2", False),
        ("c = Clock(1)\n    print(c.tick_it.name)", False),
        ("c = Clock(1)\n    print(c.now_at.name)", True),
        ("c = Clock(1)\n    match x:\n        case c.now_at: pass", False),
        ("c = Clock(1)\n    c.tick_it()\n    globals()", False),
        ("c = Clock(1)\n    c.tick_it()\n    eval('c')", False),
        # All that another can do with it is call it, so that its function will do.
        ("c = Clock(1)\n    print(c)", True),
        ("c = Clock(1)\n    print(c is None, c is not None)", True),
        ("c = Clock(1)\n    print(c == None)", True),
        ("c = Clock(1)\n    if c: pass", True),
        ("c = Clock(*x)\n    c.tick_it()", False),
        ("c = Clock()\n    c.tick_it()", False),
        ("c = Clock(1, 2)\n    c.tick_it()", False),
    ],
)
def test_what_may_be_asked_of_an_object(main, replaced):
    assert found(f"{CLOCK}def main():\n    {main}") == ["Clock"] * replaced


@pytest.mark.parametrize("use", ["print(a)", "print(a == None)", "if a: pass", "a()", "a[0]", "x.y_k = a", "lambda: a"])
def test_nothing_stands_for_an_object_that_is_not_called(use):
    assert found(f"class A:\n    def go(self): return 1\ndef main(x=1):\n    a = A()\n    a.go()\n    {use}") == []


@pytest.mark.parametrize(
    ("body", "replaced"),
    [
        # An attribute that is called like a method.
        ("def __init__(self): self.go = 1\n    def go(self): return 1", False),
        ("def __init__(self): self.gone = 1\n    def go(self): return 1", True),
        # An attribute that a method or a function inside stores.
        ("def go(self): self.seen_k = 1", True),
        ("def go(self):\n        def f(): self.seen_k = 1\n        return f()", True),
        ("def go(self): return [0 for self.seen_k in (1, 2)]", False),
    ],
)
def test_members(body, replaced):
    assert found(f"class A:\n    {body}\ndef main():\n    a = A()\n    a.go()") == ["A"] * replaced


ONLY_CALL = "class A:\n    def __call__(self, x): return x\n"
CALL_AND_MORE = "class A:\n    size_k = 1\n    def __call__(self, x): return x\n"


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        (f"{ONLY_CALL}def main(): print(list(map(A(), [1])))", True),
        (f"{ONLY_CALL}def main():\n    a = A()\n    print(list(map(a, [1])), a(2))", True),
        (f"{ONLY_CALL}def main(): print(list(map(A(), [1])), type(1) is int)", False),
        (f"{ONLY_CALL}def main(): print(list(map(A(), [1])), id(1))", False),
        (f"{ONLY_CALL}def main(x=1): print(list(map(A(), [1])), getattr(x, 'y', 1))", False),
        (f"import copy\n{ONLY_CALL}def main(x=1): print(list(map(A(), [1])), copy.copy(x))", False),
        # Somebody else asks for a member of that name.
        (f"{CALL_AND_MORE}def main(x=1):\n    a = A()\n    print(list(map(a, [1])))", True),
        (f"{CALL_AND_MORE}def main(x=1):\n    a = A()\n    print(list(map(a, [1])), x.size_k)", False),
        # A library may.
        (f"{CALL_AND_MORE.replace('size_k', 'shape')}def main():\n    a = A()\n    print(list(map(a, [1])))", False),
        # There is nothing to call.
        ("class A:\n    def go(self): return 1\ndef main():\n    a = A()\n    print([a])", False),
        ("class A:\n    def go(self): return 1\ndef main():\n    a = A()\n    print(a())", False),
        # Handed to a loop that only calls it.
        (f"{ONLY_CALL}def main():\n    a = A()\n    for f in (a, abs): print(f(1), type(1) is int)", True),
        (f"{ONLY_CALL}def main():\n    a = A()\n    for f in (a, abs): print(f, type(1) is int)", False),
        ("class A:\n    def go(self): return 1\ndef main():\n    a = A()\n    for f in (a, abs): print(f(1))", False),
    ],
)
def test_an_object_that_is_handed_to_others(text, replaced):
    assert found(text) == ["A"] * replaced


HOLDS = "class A:\n    def __init__(self): self.big_k = [1]\n    def go(self): return self.big_k\n"


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        (f"{HOLDS}def main():\n    a = A()\n    a.go()", True),
        (f"{HOLDS}def main():\n    setup()\n    print(1)\ndef setup():\n    a = A()\n    a.go()", False),
        (f"{HOLDS}def main():\n    setup()\n    a.go()\ndef setup():\n    global a\n    a = A()", True),
        (f"{HOLDS}def main(): A().go()", False),
        ("class A:\n    def go(self): return 1\ndef main(): A().go()", False),
    ],
)
def test_nothing_lives_longer_than_before(text, replaced):
    assert found(text) == ["A"] * replaced


HANDLER = "    try: print(1)\n    except Exception: pass\n"


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        (f"{HOLDS}def main():\n    a = A()\n    a.go()\n", True),
        (f"{HOLDS}def main():\n    a, b = A(), 1\n    a.go()\n", False),
        (f"{HOLDS}def main():\n    print(1)\n    a = A()\n    a.go()\n", True),
        (f"{HOLDS}def main(x=0):\n    if x: a = A()\n    a.go()\n", False),
        (f"{HOLDS}def main():\n    if 0: print(a)\n    a = A()\n    a.go()\n", False),
        (
            "class A:\n    def set_it(self): self.late_k = 1\n    def go(self): return self.late_k\ndef main():\n    a = A()\n    a.go()\n",
            False,
        ),
        (
            "class A:\n    late_k = 2\n    def set_it(self): self.late_k = 1\n    def go(self): return self.late_k\ndef main():\n    a = A()\n    a.go()\n",
            True,
        ),
        (f"{HOLDS}a = A()\ndef main():\n    a.go()\n", True),
        (f"{HOLDS}if x:\n    a = A()\ndef main():\n    a.go()\n", False),
        (f"{HOLDS}def use(b): return b.go()\ndef main():\n    a = A()\n    use(a)\n", True),
        (f"{HOLDS}def use(b):\n    b = b\n    return b.go()\ndef main():\n    a = A()\n    use(a)\n", False),
    ],
)
def test_with_a_handler_all_must_be_there_from_the_start(text, replaced):
    assert found(text + HANDLER) == ["A"] * replaced


def test_without_a_handler_less_is_asked():
    assert found(f"{HOLDS}def main(x=0):\n    if x: a = A()\n    a.go()\n") == ["A"]
    assert found(f"{HOLDS}def main():\n    a, b = A(), 1\n    a.go()\n") == ["A"]


def test_an_object_that_another_holds_waits():
    text = (
        "class In:\n    def __init__(self): self.x_k = 1\n    def go(self): return self.x_k\n"
        "class Out:\n    def __init__(self): self.in_k = In()\n    def go_on(self): return self.in_k.go()\n"
        "def main():\n    o = Out()\n    o.go_on()"
    )
    assert len(found(text)) == 1
    apart = text.replace("In()", "1").replace("self.in_k.go()", "1") + "\n    i = In()\n    i.go()"
    assert sorted(found(apart)) == ["In", "Out"]


RECORD = "from typing import NamedTuple\nclass Row(NamedTuple):\n    wide_k: int\n    high_k: int = 2\n"


@pytest.mark.parametrize(
    ("main", "replaced"),
    [
        ("r = Row(1)\n    print(r.wide_k, r.high_k)", True),
        ("r = Row(wide_k=1, high_k=3)\n    print(r.wide_k)", True),
        ("r = Row(1)\n    r.wide_k = 2", False),
        ("r = Row(1)\n    print(r[0])", False),
        ("r = Row(1)\n    print(r._replace(wide_k=2))", False),
        ("r = Row(1)\n    print(r.index(1))", False),
        ("r = Row(high_k=1)\n    print(r.high_k)", False),
    ],
)
def test_records(main, replaced):
    assert found(f"{RECORD}def main():\n    {main}") == ["Row"] * replaced


def test_the_record_of_the_entry_is_found_by_its_name():
    text = (
        "from typing import NamedTuple\nclass Program(NamedTuple):\n    part_k: object\n"
        "class Net:\n    def __init__(self, program): self.program = program\n    def go(self): return self.program.part_k\n"
        "def make_program(): return Program(part_k=3)\n"
        "def main():\n    p = make_program()\n    print([Net(p).go() for _ in (1, 2)])"
    )
    assert found(text) == ["Program"]


def test_fields_are_all_that_is_ever_stored():
    (one,) = aggregates(
        Program.of(flat(f"{CLOCK}def main():\n    c = Clock(1)\n    c.late_k = 2\n    print(c.late_k){MAIN}"))
    )
    assert one.fields == {"unit", "now_at", "late_k"}
    assert one.single.call in one.touched and {ast.unparse(node) for node in one.escape.members} >= {
        "c.late_k",
        "self.now_at",
    }
