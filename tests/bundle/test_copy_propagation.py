"""Copies are written as the name of what they hold; what may hold something else stays."""

import pytest
from optimizing import MAIN, after, same
from test_program import program

from pgolf.bundle.names import scopes
from pgolf.bundle.passes.copy_propagation import COPY_PROPAGATION
from pgolf.bundle.passes.dead_arguments import DEAD_ARGUMENTS

HEAD = """
class Count:
    def __init__(self): self.number = [1]
    def up(self): self.number[0] += 1; return self.number[0]
counter = Count()
other = Count()
def double(x): return 2 * x
"""
HOLDER = "class Holder:\n    def __init__(self, kept): self.kept_thing = kept\n    def go(self): return self.kept_thing.up()\n"


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        (
            "def main():\n    part = counter\n    print(part.up())\n",
            "def main():\n    part = counter\n    print(counter.up())\n",
        ),
        (
            "def show(part, x): print(part.up(), x)\ndef main():\n    show(counter, 1)\n    show(x=2, part=counter)\n",
            "def show(part, x): print(counter.up(), x)\ndef main():\n    show(counter, 1)\n    show(x=2, part=counter)\n",
        ),
        (
            "def show(*, part): print(part.up())\ndef main(): show(part=counter)\n",
            "def show(*, part): print(counter.up())\ndef main(): show(part=counter)\n",
        ),
        (
            "def show(f, x): return f(x)\ndef call(g, x): return show(g, x)\ndef main(): print(call(double, 2))\n",
            "def show(f, x): return double(x)\ndef call(g, x): return show(double, x)\ndef main(): print(call(double, 2))\n",
        ),
        (
            "def main():\n    x = 3\n    for f in (double,): x = f(x)\n    print(x)\n",
            "def main():\n    x = 3\n    x = double(x)\n    print(x)\n",
        ),
        (
            HOLDER + "def main(): print(Holder(counter).go())\n",
            HOLDER.replace("self.kept_thing.up", "counter.up") + "def main(): print(Holder(counter).go())\n",
        ),
        (
            "def main():\n    part = counter\n    print([part.up() for _ in (1, 2)], (lambda: part.up())())\n",
            "def main():\n    part = counter\n    print([counter.up() for _ in (1, 2)], (lambda: counter.up())())\n",
        ),
    ],
)
def test_copies_are_written_as_names(before, wanted):
    if HOLDER in before:
        # With a constructor of its own that takes something, `Holder` is the only class here.
        wanted = wanted.replace(
            "def __init__(self, kept): self.kept_thing = kept", "def __init__(self, kept): self.kept_thing = counter"
        )
    assert after(HEAD + before + MAIN + "    main()\n", COPY_PROPAGATION) == same(HEAD + wanted + MAIN + "    main()\n")


@pytest.mark.parametrize(
    "code",
    [
        "def main():\n    part = counter\n    part = other\n    print(part.up())\n",
        "def main(again=0):\n    if again: print(part.up())\n    part = counter\n",
        "def main():\n    for x in (1, 2):\n        print(x if x < 2 else part.up())\n        part = counter\n",
        "def show(part): print(part.up())\ndef main():\n    show(counter)\n    show(other)\n",
        "def show(part=other): print(part.up())\ndef main():\n    show(counter)\n    show()\n",
        "def show(part): print(part.up())\ndef main():\n    show(*[counter])\n",
        "def show(part):\n    print(part.up())\n    part = other\n    print(part.up())\ndef main():\n    show(counter)\n",
        "def show(part): print(part.up())\ndef main():\n    show(counter)\n    print(callable(show))\n",
        "def main():\n    for part in (counter,):\n        if part.up(): break\n    print(part.up())\n",
        "def main():\n    for part in (counter,): print(part.up())\n    else: print('else')\n",
        HOLDER + "def main():\n    one = Holder(counter)\n    one.__init__(other)\n    print(one.go())\n",
        HOLDER + "def main():\n    one = Holder(counter)\n    print(one.go(), type(one)(other).go())\n",
        HOLDER + "class Sub(Holder): pass\ndef main(): print(Holder(counter).go(), Sub(other).go())\n",
        "class Late:\n    def __init__(self): self.kept_thing = counter\n"
        "    @classmethod\n    def bare(cls): return cls.__new__(cls)\n"
        "def main():\n    try: print(Late.bare().kept_thing, Late().kept_thing.up())\n    except Exception: print('missing')\n",
        "import functools\n@functools.cache\ndef show(part): return part.up()\ndef main(): print(show(counter))\n",
    ],
)
def test_what_may_hold_something_else_stays(code):
    text = HEAD + code + MAIN + "    main()\n"
    assert after(text, COPY_PROPAGATION) == same(text)


@pytest.mark.parametrize(
    "lines",
    [
        "one.kept_thing = other\n    print(one.go())",
        "copy.deepcopy(one).go()\n    print(one.go(), counter.up())",
        "print(getattr(one, 'kept_thing').up(), one.go())",
        "print('{0.kept_thing.number}'.format(one))",
        "del one.kept_thing\n    try: one.go()\n    except Exception: print('gone')",
    ],
)
def test_an_attribute_that_may_hold_something_else_stays(lines):
    code = f"import copy\n{HOLDER}def main():\n    one = Holder(counter)\n    {lines}\n"
    code = code if "copy." in lines else code.removeprefix("import copy\n")
    assert "self.kept_thing.up()" in after(HEAD + code + MAIN + "    main()\n", COPY_PROPAGATION)


def test_a_shadowed_name_is_not_written():
    code = "def show(part, counter): print(part.up(), counter)\ndef main():\n    show(counter, 1)\n"
    text = HEAD + code + MAIN + "    main()\n"
    assert after(text, COPY_PROPAGATION) == same(text)


def test_a_variable_that_a_function_binds_once_in_the_whole_run_is_a_thing():
    code = (
        "def start():\n    global WORLD\n    WORLD = [0]\n"
        "def show(world, n): print(world is WORLD, n)\n"
        "def main():\n    start()\n    show(WORLD, 1)\n    show(WORLD, 2)\n"
    ) + MAIN
    once, twice = code + "    main()\n", code + "    main()\n    main()\n"
    assert "print(WORLD is WORLD, n)" in after(once, COPY_PROPAGATION)
    assert "show(1)" in after(once, COPY_PROPAGATION, DEAD_ARGUMENTS)
    assert after(twice, COPY_PROPAGATION) == same(twice)


def test_a_function_that_reads_many_copies_is_looked_through_once(monkeypatch):
    lines = "".join(f"    part_{number} = counter\n    print(part_{number}.up())\n" for number in range(9))
    changed = program(HEAD + "def main():\n" + lines + MAIN + "    main()\n")
    changed.all_facts()
    looked = []
    monkeypatch.setattr("pgolf.bundle.program.scopes", lambda node: looked.append(node) or scopes(node))
    COPY_PROPAGATION.run(changed)
    changed.all_facts()
    assert changed.flat.text.count("counter.up()") == 9 and [node.name for node in looked] == ["main"]
