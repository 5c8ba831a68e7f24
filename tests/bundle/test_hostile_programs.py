"""Programs that earlier passes broke: each prints what a careless pass would change."""

import ast

import pytest
from test_scalar_replacement import printed

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.manager import shake, specialize
from pgolf.bundle.minify.minify import minify

NOISY = """
class A:
    def __init__(self): self.n = 0
    @property
    def noisy(self):
        print('noisy')
        return self.n
    def __bool__(self):
        print('bool')
        return False
"""
THING = """
import weakref
class Thing:
    def __init__(self, name):
        self.name = name
        weakref.finalize(self, print, 'gone', name)
    def __mul__(self, other): return Thing(self.name + other.name)
    def __neg__(self): return Thing('-' + self.name)
"""
LOG = """
class Log:
    def __init__(self, lines): self.lines = lines
    def show(self, line):
        self.lines += 1
        print(self.lines, line)
class Keep:
    def __init__(self, logger_thing): self.logger_thing = logger_thing
    def go(self): self.logger_thing.show('go')
"""
PROGRAM = """
from typing import NamedTuple
import copy
class Program(NamedTuple):
    part: object
class Count:
    def __init__(self): self.number = 0
    def __call__(self, x):
        self.number += 1
        return x * self.number
class Net:
    def __init__(self, program): self.program = program
    def go(self, x): return self.program.part(x)
def make_program(): return Program(part=Count())
"""


def check(code, call="main()"):
    """The specialized text, after a check that it and the minified one print what the program does."""
    nodes = ast.parse(f"{code}\nif __name__ == '__main__':\n    {call}\n").body
    entry = {"make_program", ""}
    before = Flat(tuple(Owned("__main__" if getattr(node, "name", "") in entry else "m", node) for node in nodes))
    expected = printed(before.text)
    shaken = shake(specialize(before))
    assert printed(shaken.text) == expected
    assert printed(minify(shaken).text) == expected
    return shaken.text


@pytest.mark.parametrize(
    "lines",
    [
        "a = A()\n    if a.noisy or True: print('yes')",
        "a = A()\n    if a or True: print('yes')",
        "for a in [A()]:\n        if a.noisy and False: print('no')",
        "for k in (1, 2):\n        a = A()\n        print(unread(a.noisy, k), read(a.noisy, k))",
        "for k in (1, 2):\n        a = A()\n        x = a.noisy\n        if a.noisy: pass",
    ],
)
def test_a_property_or_a_truth_is_a_call(lines):
    code = "def unread(x, y): return [y, 2]\ndef read(x, y):\n    print(y)\n    return [y, 2]\n"
    check(f"{NOISY}{code}def main():\n    {lines}\n")


@pytest.mark.parametrize(
    "code",
    [
        # An attribute of None.
        "from typing import NamedTuple\nclass Rate(NamedTuple):\n    rate: float\n"
        "def pick(k):\n    if k: return Rate(0.5)\n    return None\n"
        "def use(o):\n    try: return o.rate\n    except Exception: return 'none'\n"
        "def main(): print(use(pick(1)), use(pick(0)))\n",
        # An object that is made once, and not always.
        "class A:\n    def __init__(self, k):\n        self.n = k\n        if k > 2: raise ValueError(k)\n"
        "def make(k):\n    try: return A(k)\n    except ValueError: return None\n"
        "def main():\n    a = make(3)\n    try: print(a.n)\n    except Exception: print('none')\n",
        # A method of None.
        "class A:\n    def __init__(self, n): self.n = n\n    def go(self): return self.n\n"
        "def f(x=None): return x.go()\n"
        "def main():\n    for k in (A(1), None):\n        try: print(f(k))\n        except Exception: print('none')\n"
        "    print(f(A(1)))\n",
        # An attribute that a number lacks.
        "def f(a, b):\n    k = a.shape\n    return 1\ndef g(a): return 2\n"
        "def main():\n    for d in (1, 2):\n        try: print(f(d, d))\n        except Exception: print('none')\n"
        "        try: print(g(d.shape))\n        except Exception: print('none')\n",
        # An attribute that only a branch stores.
        "class A:\n    def __init__(self, n):\n        if n: self.late = 5\n"
        "def main():\n    for n in (0, 1):\n        try: print(A(n).late)\n        except Exception: print('none')\n",
    ],
)
def test_handlers_see_what_is_missing(code):
    check(code)


LATE = "class A:\n    def __init__(self, n):\n        if n: self.late = 5\ndef get(a): return a.late\n"
EACH = "def main():\n    for n in (0, 1):\n        "


@pytest.mark.parametrize(
    "code",
    [
        # A handler that makes another error of it, which somebody handles.
        "def ask(a):\n    try: return get(a)\n    except AttributeError as error: raise ValueError('no') from error\n"
        f"{EACH}try: print(ask(A(n)))\n        except ValueError: print('none')\n",
        # One that raises it again, but not always.
        "def ask(a):\n    try: return get(a)\n    except AttributeError:\n        if a is not None: return 'none'\n"
        f"        raise\n{EACH}print(ask(A(n)))\n",
        f"{EACH}try: print(get(A(n)))\n        except AttributeError:\n            if n < 1: continue\n            raise\n",
        # `suppress` under another name.
        f"from contextlib import suppress as quiet\n{EACH}with quiet(AttributeError): print(get(A(n)))\n",
        f"from contextlib import suppress\nQUIET = suppress\n{EACH}with QUIET(AttributeError): print(get(A(n)))\n",
        # What runs elsewhere ends alone.
        "from concurrent.futures import ThreadPoolExecutor\n"
        f"{EACH}with ThreadPoolExecutor(1) as pool: print(pool.submit(get, A(n)).exception() is None)\n",
        "import threading\ndef show(a): print(get(a))\n"
        f"{EACH}thread = threading.Thread(target=show, args=(A(n),))\n        thread.start()\n        thread.join()\n",
        "class B:\n    def __init__(self, n): self.a = A(n)\n    def __del__(self): print(get(self.a))\n"
        f"{EACH}b = B(n)\n        del b\n",
        # Whoever leaves a block is a method that looks like none.
        "def swallow(self, kind, value, trace): return True\n"
        f"class Quiet:\n    def __enter__(self): return self\n    __exit__ = swallow\n{EACH}with Quiet(): print(get(A(n)))\n",
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_is_missing_is_seen_in_roundabout_ways(code):
    check(LATE + code)


def test_an_object_is_never_none_where_the_program_ends_otherwise():
    code = (
        "import sys\nclass A:\n    def __init__(self, k): self.n = [k]\n    def go(self): return self.n\n"
        "def make(k):\n    try: return A(k)\n    except ValueError:\n        print('bad')\n        sys.exit(2)\n"
        "def main():\n    a = make(3)\n    print(a.go())\n"
    )
    check(code)


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n    def __init__(self, n=0): self.n = n\n    def get(self): return self.n\n"
        "def main():\n    a = A(n=1)\n    print(a.get())\n    a.__init__(n=5)\n    print(a.get())\n",
        "class A:\n    def __init__(self, unread, n): self.n = n\n"
        "def main():\n    for i in (1, 2):\n        a = A(1, 2)\n        a.__init__(3, i)\n        print(a.n)\n",
        LOG + "class Other:\n    def show(self, line): print('other', line)\n"
        "def main():\n    log = Log(1)\n    a = Keep(log)\n    a.go()\n    a.__init__(Other())\n    a.go()\n",
    ],
)
def test_a_constructor_may_be_called_again(code):
    check(code)


@pytest.mark.parametrize(
    "code",
    [
        LOG + "import copy\ndef main():\n    log = Log(1)\n    a = [Keep(log)]\n    b = copy.deepcopy(a)\n"
        "    a[0].go()\n    b[0].go()\n    b[0].go()\n    a[0].go()\n    log.show('log')\n",
        LOG + "from copy import deepcopy as twice\ndef main():\n    a = Keep(Log(1))\n    b = twice(a)\n"
        "    a.go()\n    b.go()\n    b.go()\n",
    ],
)
def test_a_copy_has_parts_of_its_own(code):
    check(code)


def test_a_copy_of_what_holds_the_record_has_components_of_its_own():
    main = "def main(program):\n    m = Net(program)\n    k = copy.deepcopy(m)\n    print(m.go(1), m.go(1), k.go(1), m.go(1))\n"
    assert "Count" in check(PROGRAM + main, "main(make_program())")
    alone = (PROGRAM + main).replace("copy.deepcopy(m)", "m").replace("import copy\n", "")
    assert "Count" not in check(alone, "main(make_program())")


def test_print_calls_the_file():
    check(
        "class File:\n    def __init__(self): self.parts = []\n    def write(self, text): self.parts.append(text)\n"
        "    def flush(self, why='asked'): self.parts.append(why)\n"
        "def main():\n    file = File()\n    file.write('a')\n    file.flush('f')\n"
        "    print('b', 'c', file=file, flush=True)\n    print(file.parts)\n",
    )


@pytest.mark.parametrize(
    "code",
    [
        # What None replaces is gone.
        "def part():\n    a = Thing('a')\n    b = [a]\n    a = None\n    print('a')\n    return b\n"
        "def main():\n    b = part()\n    print('b')\n    b = None\n    print('end')\n",
        # So is what an attribute held that nothing reads.
        "class Box:\n    def __init__(self, name): self.kept, self.n = Thing(name), 1\n"
        "    def drop(self):\n        self.kept = None\n        return self.n\n"
        "def main():\n    for i in (1, 2):\n        b = Box(str(i))\n        print(b.drop())\n        print('dropped')\n",
        # A variable of a function that is written out in another, which nothing reads.
        "def loss(x):\n    z = Thing('z')\n    print('loss')\n    return 1\n"
        "def main():\n    total = 0\n    for i in (1, 2):\n        total += loss(i)\n        print(total)\n    print('end')\n",
        # A product of what lives on is new.
        "def f(x):\n    y = x * x\n    print(y.name)\n    return 1\n"
        "def g(x):\n    y = -x\n    print(y.name)\n    return 1\n"
        "def run(t):\n    a = f(t)\n    print('a', a)\n    b = g(t)\n    print('b', b)\n    return a + b\n"
        "def main():\n    t = Thing('t')\n    print(run(t), run(t))\n",
        # An object that the main function lets go of.
        "class Box:\n    def __init__(self, name): self.thing = Thing(name)\n    def get(self): return self.thing.name\n"
        "def work(b): print(b.get())\n"
        "def main():\n    b = Box('b')\n    work(b)\n    print('worked')\n    b = None\n    print('end')\n",
    ],
)
def test_nothing_lives_longer(code):
    check(THING + code)


def test_variables_of_a_function_that_is_not_the_last_end_with_it():
    code = "def show(x): print(x.name)\ndef main():\n    t = Thing('t')\n    show(t)\ndef second(x=None): print('second')\n"
    text = check(THING + code, "main()\n    second()")
    assert "global" not in text
    text = check(THING + code, "second(main())")
    assert "global" not in text


SINGLE = """
class A:
    def __init__(self): self.n, self._, self._1 = [1], [2], 3
    def get(self): return self.n
    def rest(self): return self._, self._1
"""


@pytest.mark.parametrize(
    "lines",
    [
        "a = A()\n    f = lambda a=a: a.get()\n    print(f(), a.get())",
        "a = A()\n    def inner(x, b=a): return b.get()\n    print(inner(1), a.get())",
        "a = A()\n    def inner(x, *, b=a): return b.get()\n    print(inner(1), a.get())",
        "a = A()\n    print(isinstance(3, type(a)), isinstance(None, (int, type(a))), a.get())",
        "a = A()\n    print(a.rest(), a._, a._1)",
        "for f in [lambda i=i: i for i in (1, 2)]: print(f())",
    ],
)
def test_an_object_may_be_a_default(lines):
    check(f"{SINGLE}def main():\n    {lines}\n")


@pytest.mark.parametrize(
    "method",
    [
        "def go(self, k):\n        while self.n < k:\n            self.n += 1\n            yield self.n",
        "def go(self, /, k): return [self.n + k]",
        "def go(self, k, /): return [self.n + k]",
        "def go(this, self): return [this.n + self]",
    ],
)
def test_a_method_may_be_a_generator_or_have_odd_parameters(method):
    check(
        f"class A:\n    def __init__(self): self.n = 0\n    {method}\ndef main():\n    a = A()\n    print(list(a.go(3)), a.n)\n"
    )


@pytest.mark.parametrize(
    ("head", "calls"),
    [
        ("def f(a, b): return a\n", ("f(k)", "f(k, 3)", "f(k, 3, 4)", "f(k, c=3)", "f(k, 3, a=4)")),
        (
            "class A:\n    def __init__(self, a, b): self.kept = a\n    def go_now(self, c, d): return self.kept + c\n",
            ("A(k).kept", "A(k, 5).go_now(k)", "A(k, 5).go_now(k, 3, 4)", "A(k, 5, b=4).kept", "A(k, 5).go_now(k, 3)"),
        ),
        (
            "from typing import NamedTuple\nclass R(NamedTuple):\n    a: int\n    b: int\n    c: int = 3\n",
            ("R(k).a", "R(k, 2).a", "R(k, 2, 3, 4).a", "R(k, d=2).a", "R(k, 2, a=3).a"),
        ),
    ],
)
def test_a_call_that_does_not_fit_stays_an_error(head, calls):
    lines = "".join(f"        try: print({call})\n        except TypeError: print('error')\n" for call in calls)
    check(f"{head}def main():\n    for k in (1, 2):\n{lines}")
    # One alone, too: others may not keep what it leaves out.
    for call in calls:
        check(
            f"{head}def main():\n    for k in (1, 2):\n        try: print({call})\n        except TypeError: print('no')\n",
        )


def test_a_place_decides_how_numbers_look():
    text = check(NOISY + "def main():\n    number = 1000\n    print(f'{number:n}', f'{number:d}')\n")
    assert ":n}" in text and ":d}" not in text
