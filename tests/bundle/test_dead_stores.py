"""Assignments to variables that nothing reads go, where the value need not be evaluated."""

import pytest
from optimizing import MAIN, after, same

from pgolf.bundle.passes.dead_stores import DEAD_STORES

OWN = "class P:\n    def __init__(self): self.y_own, self.z_own = [1], 2\n"
OWN += "    @property\n    def noisy_one(self): return print('noisy')\n"
CALL = MAIN + "    print(f(P()), P().y_own, P().z_own)\n"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("a, b = x.y_own, x.z_own\n    return b", "b = x.z_own\n    return b"),
        ("a = x.y_own\n    return x.z_own", "pass\n    return x.z_own"),
        ("a = x\n    return 1", "pass\n    return 1"),
        ("a = x\n    b = a\n    return 1", "pass\n    pass\n    return 1"),
        ("a = 3\n    a = x\n    return 1", "pass\n    pass\n    return 1"),
        ("global a\n    a = 4\n    return 1", "pass\n    return 1"),
        ("a, b = 3, (1, 'a')\n    return 1", "pass\n    return 1"),
        ("if not x.y_own: pass\n    return 2", "pass\n    return 2"),
    ],
)
def test_dead_stores_go(body, wanted):
    assert after(f"{OWN}def f(x):\n    {body}\n{CALL}", DEAD_STORES) == same(f"{OWN}def f(x):\n    {wanted}\n{CALL}")


@pytest.mark.parametrize(
    "body",
    [
        "a = x.noisy_one\n    return 1",
        "if x.noisy_one: pass\n    return 1",
        "if x.y_own: pass\n    else: print('else')\n    return 1",
        "a = [x]\n    a = None\n    return 1",
        "a = x\n    return (lambda: a)().z_own",
        "a = x\n    def g():\n        nonlocal a\n        a = 1\n    return g()",
        "global a\n    a = 4\n    return a",
        "global a\n    a = [x]\n    a = None\n    return 1",
        "a = print()\n    return 1",
        "try: a = x.y_own\n    except AttributeError: print('no')\n    return 1",
        "try: a = x.y_own\n    except Exception: return 'no'\n    return 1",
        "a = 1\n    del a\n    return 1",
    ],
)
def test_what_somebody_might_miss_stays(body):
    text = f"{OWN}def f(x):\n    {body}\n{CALL}"
    assert after(text, DEAD_STORES) == same(text)


MEMBERS = "class Q:\n    def __init__(self, x):\n        {store}\n        self.kept_own = x\n{methods}"
ASKED = MAIN + "    print(Q(1).kept_own)\n"


@pytest.mark.parametrize(
    ("store", "methods", "left"),
    [
        ("self.lost_own = None", "", ""),
        ("self.lost_own = x", "    def idle_own(self): return 1\n", ""),
        ("pass", "    def idle_own(self): return self.other_own()\n    def other_own(self): return 1\n", ""),
        (
            "pass",
            "    def idle_own(self): return 1\n    def __call__(self): return 2\n",
            "    def __call__(self): return 2\n",
        ),
    ],
)
def test_members_that_nothing_asks_for_go(store, methods, left):
    wanted = MEMBERS.format(store="pass", methods=left)
    assert after(MEMBERS.format(store=store, methods=methods) + ASKED, DEAD_STORES) == same(wanted + ASKED)


@pytest.mark.parametrize(
    ("store", "methods", "more"),
    [
        ("self.lost_own = print()", "", ""),
        ("self.lost_own = x", "", "    print(hasattr(Q(1), 'lost_own'))\n"),
        ("self.lost_own = x", "", "    try: print(Q(1).kept_own)\n    except AttributeError: print('no')\n"),
        ("self.lost_own = x", "", "    print('lost_own')\n"),
        ("self.shape = x", "    def size(self): return 1\n", ""),
        ("pass", "    @property\n    def idle_own(self): return 1\n", ""),
        ("pass", "    def idle_own(self): return 1\n", "    print(getattr(Q(1), 'idle_own')())\n"),
        (
            "pass",
            "    def idle_own(self): return 1\n",
            "    try: print(Q(1).kept_own)\n    except Exception: print('no')\n",
        ),
    ],
)
def test_members_that_somebody_might_ask_for_stay(store, methods, more):
    text = MEMBERS.format(store=store, methods=methods) + ASKED + more
    assert after(text, DEAD_STORES) == same(text)
