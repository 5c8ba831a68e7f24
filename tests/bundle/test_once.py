"""What happens once in a run: variables of the main function, and objects of which there is one."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_dissolve import printed

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.minify.minify import minify
from pgolf.bundle.shake import shake
from pgolf.bundle.specialize.specialize import PASSES, specialize

MAIN = "if __name__ == '__main__':\n    main()\n"


def text_of(code, passes=()):
    """The program after specialize and shake, which must do what it did before, minified too."""
    before = Flat(tuple(Owned("m", node) for node in ast.parse(code + MAIN).body))
    expected = printed(before.text)
    shaken = shake(specialize(before, passes))
    assert printed(shaken.text) == expected
    assert printed(minify(shaken).text) == expected
    return shaken.text


def test_variables_of_the_main_function_are_handed_on_to_nobody():
    text = text_of(
        "def read(): return [3]\ndef show(x, y): return inner(x) + y\ndef inner(x): return x[0]\n"
        "def main():\n    values = read()\n    print(show(values, 1), show(values, 2))\n"
    )
    assert "global values" not in text, "two calls: nothing shows that it pays"
    text = text_of(
        "def read(): return [3]\ndef show(x, y): return inner(x) + y\ndef inner(x): return x[0]\n"
        "def main():\n    values = read()\n    print(show(values, 1))\n"
    )
    assert "global values_2" in text and "def show(y):" in text and "def inner():" in text


@pytest.mark.parametrize(
    "code",
    [
        "def show(x): return x\ndef main():\n    for i in (1, 2):\n        a = [i]\n        print(show(a))\n",
        "def show(x): return x\ndef main():\n    a = [1]\n    print(show(a))\n    a = [2]\n",
        "def show(x):\n    x = x + [1]\n    return x\ndef main():\n    a = [1]\n    print(show(a), a)\n",
        "def show(x): return x\ndef one():\n    a = [1]\n    return show(a)\ndef main():\n    print(one(), one())\n",
        "def show(x): return x\ndef one():\n    a = [1]\n    return show(a)\ndef main():\n    print([one() for i in (1, 2)])\n",
        "def show(x): return x\ndef main():\n    a = [1]\n    print(show(*[a]), list(map(show, [2])))\n",
    ],
)
def test_what_may_change_or_happen_again_stays(code):
    text = text_of(code)
    assert "global a" not in text


def test_variables_of_other_functions_do_not_live_longer():
    text = text_of("def show(x): return x\ndef part():\n    a = [1]\n    print(show(a))\ndef main():\n    part()\n")
    assert "global" not in text


SESSION = """
class Log:
    def __init__(self, name): self.name = name
    def __call__(self, line): print(self.name, line)
class Session:
    def __init__(self, log, size):
        self.log, self.size, self.items = log, size, []
    def add(self, item):
        self.items.append(item)
        self.size -= 1
        report(self, item)
    def full(self):
        return self.size < 1
def report(session, item):
    session.log(f'{item} of {session.items}, {session.size} left')
def fill(session):
    while not session.full():
        session.add(session.size)
def make(log):
    session = Session(log, 3)
    session.add('first')
    return session
"""


def test_one_session_becomes_functions_and_variables():
    text = text_of(
        SESSION + "def main():\n    log = Log('run')\n    session = make(log)\n    log('made')\n    fill(session)\n"
    )
    assert "class" not in text and "session" not in text and "def fill():" in text


@pytest.mark.parametrize(
    "main",
    [
        "session = make(Log('a'))\n    other = make(Log('b'))\n    fill(session)\n    fill(other)",
        "for i in (1, 2):\n        fill(make(Log(i)))",
        "session = make(Log('a'))\n    print([getattr(x, 'size', 0) for x in (session, 3)])",
        "session = make(Log('a'))\n    print(session is None, session == 4, bool(session))",
        "session = make(Log('a'))\n    print(isinstance(session, object))",
        "session = make(Log('a'))\n    print([x.size for x in [session, Other()]])",
        "session = make(Log('a'))\n    try: print(session.missing)\n    except AttributeError: print('missing')",
        "make(Log('a')).add(1)",
        "session = make(Log('a'))\n    print(len([session]) and [session][0].size, sorted([session], key=id)[0].size)",
        "session = make(Log('a'))\n    [0 for session.size in (5, 6)]\n    print(session.size)",
    ],
)
def test_objects_that_are_more_than_one_or_more_than_their_members_work(main):
    text_of(SESSION + f"class Other:\n    size = 8\ndef main():\n    {main}\n")


def test_a_call_of_a_member_of_a_new_object_keeps_it():
    text = text_of("class Part:\n    def get(self): return 4\ndef main():\n    print(Part().get())\n")
    assert "class Part" in text


def test_an_object_that_a_function_keeps_for_itself_stays():
    code = "class Part:\n    def __init__(self): self.x = [1]\n    def get(self): return self.x\n"
    text = text_of(code + "def part():\n    a = Part()\n    print(a.get())\ndef main():\n    part()\n")
    assert "class Part" in text, "its attributes would live on"


def test_a_member_that_holds_another_single_object_is_that_object():
    text = text_of(
        SESSION + "def main():\n    session = make(Log('run'))\n    session.log('x')\n    session.log = None\n"
    )
    assert "None" in text


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ("a = say(1)\n    b = 2", "a = say(1)"),
        ("a = tell(1)\n    b = 2", "\n    tell(1)"),
        ("a, b = tell(1), 2\n    print(b)", "b = 2"),
        ("a, b = 2, say(1)\n    print(b)", "b = say(1)"),
        ("a, b = tell(2), say(1)\n    print(b)", "a, b ="),
        ("a = 1\n    a += 2", "a = 1\n    a += 2"),
        ("a = 1\n    del a", "a = 1\n    del a"),
        ("try:\n        if say(0) == 1: b = 1\n        a = b\n    except NameError: print('none')", "a = b"),
        ("a, b, c = say(1), say(2), say(3)\n    print(b)", "= (say(1), say(2), say(3))"),
        ("a, b = say(1)\n    print(b)", "a, b ="),
        ("a = b = say('ab')\n    print(b)", "a = b"),
        ("a = say(1)\n    print((lambda: a)())", "lambda: a"),
    ],
)
def test_what_is_assigned_for_nobody_is_only_computed(lines, kept):
    text = text_of(
        f"def say(x):\n    print('say', x)\n    return (x, x)\ndef tell(x):\n    print(x)\ndef main():\n    {lines}\n"
    )
    assert kept in text


PARTS = (
    "session.add({0})",
    "fill(session)",
    "log({0})",
    "report(session, {0})",
    "session.items = [{0}]",
    "show = session.full\n    print(show())",
    "print([session.size for session in (session, session)])",
    "print((lambda: session.items)())",
    "print(held(session, log).size)",
    "if {0} > 4:\n        session.size = {0}",
    "for item in session.items:\n        session.log(item)",
)


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(st.tuples(st.sampled_from(PARTS), st.integers(0, 9)), min_size=1, max_size=5),
    passes=st.sampled_from(((), PASSES)),
)
def test_programs_with_one_session_do_the_same_as_before(parts, passes):
    lines = "\n    ".join(part.format(number) for part, number in parts)
    code = SESSION + "def held(session, log):\n    log(session.size)\n    return session\n"
    text_of(code + f"def main():\n    log = Log('run')\n    session = make(log)\n    {lines}\n", passes)
