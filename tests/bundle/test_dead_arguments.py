"""Parameters that nothing reads go with their arguments, unless somebody might miss them."""

import pytest
from optimizing import MAIN, after, same

from pgolf.bundle.passes.dead_arguments import DEAD_ARGUMENTS

CLASS = "class A:\n    def __init__(self, used, idle): self.used_as = used\n"
CLASS += "    def call_it(self, other, x): return self.used_as + x\n"
CALL_IT = "class A:\n    def call_it(self, other): return 1\n"


@pytest.mark.parametrize(
    ("before", "wanted", "call"),
    [
        ("def f(a, b): return a\n", "def f(a): return a\n", ("f(1, 2)", "f(1)")),
        ("def f(b, a): return a\n", "def f(a): return a\n", ("f(b=1, a=print())", "f(a=print())")),
        ("def f(a, b=2): return a\n", "def f(a): return a\n", ("f(1), f(1, b=3)", "f(1), f(1)")),
        ("def f(a, *, b): return a\n", "def f(a): return a\n", ("f(1, b=3)", "f(1)")),
        ("def f(a, b, c, d): return b\n", "def f(b): return b\n", ("f(1, 2, 3, d=4)", "f(2)")),
        ("def f(a): return 1\ndef g(b): return f(b)\n", "def f(): return 1\ndef g(): return f()\n", ("g(3)", "g()")),
        (
            CLASS + "def g(x): return A(x, x).call_it(x, 4)\n",
            CLASS.replace(", idle", "").replace("other, ", "") + "def g(x): return A(x).call_it(4)\n",
            ("g(3)", "g(3)"),
        ),
    ],
)
def test_unread_parameters_go(before, wanted, call):
    assert after(f"{before}{MAIN}    print({call[0]})\n", DEAD_ARGUMENTS) == same(
        f"{wanted}{MAIN}    print({call[1]})\n"
    )


@pytest.mark.parametrize(
    ("code", "main"),
    [
        ("def f(a, b): return a", "print(f(1, print()))"),
        ("def f(a, b): return a", "print(f(*(1, 2)))"),
        ("def f(a, b): return a", "print(f(1, **{'b': 2}))"),
        ("def f(a, b): return a", "print([*map(f, (1, 2), (3, 4))])"),
        ("def f(a, b): return a\ng = f", "print(f(1, 2))"),
        ("import functools\n@functools.cache\ndef f(a, b): return a", "print(f(1, 2))"),
        ("def f(a, b):\n    b = 1\n    return a", "print(f(1, 2))"),
        ("def f(a, b): return a, lambda: b", "print(f(1, 2)[0])"),
        ("def f(a, b, *c): return a, c", "print(f(1, 2))"),
        ("def f(a, b, **c): return a, c", "print(f(1, 2))"),
        ("def f(a, b, /): return a", "print(f(1, 2))"),
        ("def f(a, b): return a\ndef g(x):\n    if x: y = 1\n    return f(x, y)", "print(g(1))"),
        ("def f(a, b): return a", "try: print(f(1))\n    except TypeError: print('no')"),
        ("def f(a, b): return a", "try: print(f(1, 2, 3))\n    except TypeError: print('no')"),
        (CALL_IT, "print(A.call_it(1, 2))"),
        (CALL_IT + "class B:\n    def call_it(self, other): return other", "print(A().call_it(2), B().call_it(3))"),
        (CALL_IT + "def g(a):\n    h = a.call_it\n    return h(1), a.call_it(2)", "print(g(A()))"),
        ("class A(ValueError):\n    def __init__(self, why): pass", "print(A('why'))"),
        ("class A:\n    def __init__(self, n): pass\ndef g(a): a.__init__(2)", "g(A(1))"),
        ("class A:\n    def __init__(self, n): pass\ndef g(a): return type(a)(2)", "print(g(A(1)) is None)"),
        ("class A:\n    def __init__(self, n): pass\nclass B(A): pass", "print(A(1) is None, B(2) is None)"),
    ],
)
def test_what_somebody_might_miss_stays(code, main):
    text = f"{code}\n{MAIN}    {main}\n"
    assert after(text, DEAD_ARGUMENTS) == same(text)
