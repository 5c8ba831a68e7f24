"""The only object of a class becomes variables and functions of the top level, wherever nobody could see the difference."""

import ast
import contextlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optimizing import after as changed
from optimizing import same

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.manager import shake, specialize
from pgolf.bundle.minify.minify import minify
from pgolf.bundle.passes.scalar_replacement import SCALAR_REPLACEMENT, declare
from pgolf.bundle.program import Program

TEXT = """
from typing import NamedTuple
class Program(NamedTuple):
    part: object
    extra: object
class Spec(NamedTuple):
    name: str
    rate: float = 0.5
def square(x): return x * x
def double(x): return x + x
{code}
def make_program():
    return Program(part={part}, extra={extra})
def main(program):
{main}
if __name__ == '__main__':
    main(make_program())
"""


def flat(code, part, main, extra="None"):
    """The program; its entry is the last four statements and the record's own."""
    lines = "\n".join("    " + line for line in main.strip().split("\n"))
    nodes = ast.parse(TEXT.format(code=code, part=part, extra=extra, main=lines)).body
    entry = {"make_program", ""}
    names = [getattr(node, "name", "code" if not isinstance(node, ast.If) else "") for node in nodes]
    return Flat(
        tuple(Owned("__main__" if name in entry else "m", node) for name, node in zip(names, nodes, strict=True))
    )


def printed(text):
    """What a program prints as the main module."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, "program", "exec"), {"__name__": "__main__"})
    return out.getvalue()


def text_of(code, part, main, extra="None"):
    """The program after specialize and shake, which must do what it did before, minified too."""
    before = flat(code, part, main, extra)
    expected = printed(before.text)
    shaken = shake(specialize(before))
    assert printed(shaken.text) == expected
    assert printed(minify(shaken).text) == expected
    return shaken.text


COUNTER = """
class Counter:
    name = 'counter'
    def __init__(self, start):
        self.total, self.seen = start, []
    def add(self, number):
        self.total += number
        self.seen.append(number)
        return self
    def show(self):
        return f'{self.name}: {self.total} {self.seen}'
"""


def test_a_component_becomes_functions_and_variables():
    code = COUNTER.replace("return self\n", "return self.total\n")
    main = "a = program.part.add(4)\nprogram.part.add(a)\nprint(program.part.show(), program.part.total)"
    text = text_of(code, "Counter(3)", main)
    assert "class" not in text and "make_program" not in text and "self" not in text
    assert "global total_2" in text and "total_2 = 3" in text and "f'counter: {total_2} {seen_2}'" in text


def test_a_component_that_is_called_becomes_that_function():
    code = "class Twice:\n    label = 'twice'\n    def __call__(self, x, again=True):\n"
    code += "        return self(x, False) + x if again else self.one(x)\n    def one(self, x): return x\n"
    text = text_of(code, "Twice()", "print(program.part(3), f'{program.part.label:>6}', program.part.label.upper())")
    assert "' twice', 'twice'.upper()" in text
    assert "def twice(again=True):" in text and "class" not in text


def test_a_text_stays_a_variable_where_it_cannot_be_written():
    code = "class Part:\n    label = 'a'\n    def same(self, x): return x is self.label\n    other = 'b'\n"
    main = "print(f'{program.part.label.upper()}', program.part.other, program.part.same(program.part.label))"
    text = text_of(code, "Part()", main)
    assert "label_2 = 'a'" in text and "label_2.upper()" in text and "other" not in text and "'b'" in text


def test_an_empty_object_leaves_nothing():
    code = "class Idle:\n    def start(self): pass\n"
    assert "Idle" not in text_of(code, "Idle()", "program.part.start()\nprint(1)")


def test_names_of_the_program_are_never_taken():
    code = "total = 100\ndef add(part): return part + total\n" + COUNTER.replace("return self\n", "return part_2()\n")
    code += "def part_2(): return 7\n"
    main = "seen = 5\nprint(add(seen), program.part.add(seen), program.part.show())"
    text = text_of(code, "Counter(3)", main)
    assert "class Counter" not in text


def test_tuples_are_written_where_they_are_read_once_for_their_members():
    main = "for f in program.part:\n    print(f(3))\nprint(' '.join(program.extra))"
    text = text_of("", "(square, double, square, double)", main, "('a', 'b')")
    assert "for f in (square, double, square, double):" in text and "' '.join(('a', 'b'))" in text


@pytest.mark.parametrize(
    ("part", "main"),
    [
        ("(square, double)", "a = program.part\nprint(a is program.part)"),
        ("[1]", "program.part.append(2)\nprint(program.part)"),
        ("{'a': 1}", "print(program.part['a'], list(program.part))"),
        (
            "(Spec('a'), Spec(name='b', rate=2.0))",
            "print([spec.name for spec in program.part], program.part[0] is x(program.part))",
        ),
    ],
)
def test_what_must_stay_one_object_gets_one_name(part, main):
    text = text_of("def x(y): return y[0]\n", part, main)
    assert "Program" not in text and "part_2 = " in text


def test_a_field_with_an_effect_is_made_where_the_record_was():
    code = "made = []\ndef build():\n    made.append(1)\n    return made\n" + COUNTER
    text = text_of(code, "build()", "print(made, program.part, program.extra.add(1).total)", "Counter(2)")
    assert "    part_2 = build()" in text and "Program" not in text


@pytest.mark.parametrize(
    "constructor",
    [
        "@property\n    def x(self): return 3\n    def __init__(self): pass",
        "def __getitem__(self, i): return i\n    x = 1",
        "def __del__(self): pass\n    x = 1",
    ],
)
def test_special_classes_stay(constructor):
    text = text_of(f"class Part:\n    {constructor}\n", "Part()", "print(program.part.x)")
    assert "class Part" in text


def test_a_constructor_with_an_effect_still_runs_in_the_main_block():
    code = "class Part:\n    def __init__(self): print('made')\n    x = 1\n"
    text = text_of(code, "Part()", "print(program.part.x)")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(text, "program", "exec"), {"__name__": "imported"})
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    "main",
    [
        "a = [program.part, square]\nprint([getattr(b, 'total', 0) for b in a])",
        "other = Counter(5)\nother.add(1)\nprint(program.part.show(), other.show())",
        "print(isinstance(program.part, Counter), program.part.add(1).show())",
        "for thing in (program.part, Other()):\n    thing.add(1)\nprint(program.part.show())",
        "print(program.part.add(2).add(3).show())",
        "def ask(): return [x.total for x in (program.part,)]\nprint(ask())",
        "print(show(program.part), show(Other()))",
    ],
)
def test_an_object_that_goes_anywhere_else_stays_one(main):
    code = (
        COUNTER
        + "class Other:\n    total = 9\n    def add(self, x): print('other', x)\n    def show(self): return 'o'\n"
    )
    code += "def show(x): return x.show()\n"
    assert "class Counter" in text_of(code, "Counter(3)", main)


def test_an_object_with_nothing_but_a_call_may_go_anywhere():
    code = "class Part:\n    def __init__(self, by): self.by = by\n    def __call__(self, x): return x * 3\n"
    text = text_of(code, "Part(3)", "print([f(2) for f in (program.part, square)], list(map(program.part, [1, 2])))")
    assert "class Part" not in text and "list(map(part_3, [1, 2]))" in text


def test_it_stays_where_the_program_asks_what_it_is():
    code = "class Part:\n    def __call__(self, x): return x * 3\n"
    text = text_of(code, "Part()", "print([type(f) is type(square) for f in (program.part, square)])")
    assert "class Part" in text


@pytest.mark.parametrize(
    "body",
    [
        "def put(self): [0 for self.x in (1, 2)]\n    def get(self): return self.x",
        "def put(self):\n        self.x = 3\n        del self.x\n        self.x = 4\n    def get(self): return self.x",
        "def put(self): self.get = lambda: 6\n    def get(self): return 7",
        "def put(self): pass\n    @classmethod\n    def get(cls): return 10",
        "def put(self): pass\n    def get(self):\n        try: return self.x\n        except AttributeError: return 11",
        "y = square\n    def put(self): pass\n    def get(self): return self.y is None",
    ],
)
def test_odd_members_keep_the_class(body):
    text = text_of(f"class Part:\n    {body}\n", "Part()", "program.part.put()\nprint(program.part.get())")
    assert "class Part" in text


@pytest.mark.parametrize(
    "body",
    [
        "def put(this):\n        def inner(): this.x = 5\n        inner()\n    def get(self): return self.x",
        "x = 8\n    def put(self): self.x = 9\n    def get(self): return self.x",
        "x = [8]\n    def put(self): self.x.append(9)\n    def get(self): return self.x",
        "def __init__(self): print('made')\n    def put(self): self.x = 9\n    def get(self): return self.x",
        "def put(self):\n        for self.x in (1, 2): pass\n    def get(self): return self.x",
        "def put(self): self.x, self.y = 1, 2\n    def get(self): return [self.x for _ in (1, 2)], lambda: self.y",
    ],
)
def test_attributes_are_variables_wherever_they_are_stored(body):
    main = "program.part.put()\nprint(str(program.part.get())[:9])"
    assert "class Part" not in text_of(f"class Part:\n    {body}\n", "Part()", main)


def test_static_methods_and_no_grad_like_ones_become_functions():
    code = "class Part:\n    @staticmethod\n    def twice(x): return x + x\n    def get(self): return self.twice(4)\n"
    text = text_of(code, "Part()", "print(program.part.twice(1), program.part.get())")
    assert "staticmethod" not in text and "class Part" not in text


def test_an_object_is_followed_through_variables_parameters_and_attributes():
    code = COUNTER.replace("return self\n", "return 0\n")
    code += "class Holder:\n    def __init__(self, held_part, x): self.held_part, self.x = held_part, x\n"
    code += "    def use(self): return self.held_part.add(self.x)\n"
    code += "def help(holder, counter): return holder.held_part.show(), counter.total\n"
    main = (
        "counter = program.part\nholder = Holder(counter, 2)\nholder.use()\nprint(help(holder, counter), counter.seen)"
    )
    assert "class Counter" not in text_of(code, "Counter(3)", main)


@pytest.mark.parametrize(
    ("code", "main"),
    [
        ("", "x = program.part\nfor i in (1, 2):\n    print(x.total if i == 1 else x)\n    x = 5"),
        ("", "if program.extra:\n    x = program.part\ntry: print(x.total)\nexcept NameError: print('unbound')"),
        ("", "try: print(x.total)\nexcept NameError: print('unbound')\nx = program.part"),
        ("def show(x): return x.total\n", "print(show(program.part), show(Spec(1)) if program.extra else 0)"),
        (
            "class H:\n    def __init__(self, x): self.held = x\n",
            "h = H(program.part)\nh.held = Spec(2)\nprint(h.held.name)",
        ),
        (
            "class H:\n    held = 3\nclass G:\n    def __init__(self, x): self.held = x\n",
            "print([t.held == 3 for t in (H(), G(program.part))])",
        ),
        ("def f(x, y): return x.total\n", "print(f(*(program.part, 1)))"),
        ("def f(x): return x.total\n", "print(list(map(f, [program.part, program.part])))"),
    ],
)
def test_what_may_be_something_else_is_not_followed(code, main):
    text_of(COUNTER + code, "Counter(3)", main, "()")


def test_new_statements_belong_to_the_module_of_their_class():
    before = flat(
        COUNTER.replace("return self\n", "return 0\n"),
        "Counter(3)",
        "print(program.part.add(1), program.part.total, program.extra)",
        "[1]",
    )
    nodes = [
        Owned("counter" if getattr(item.node, "name", "") == "Counter" else item.owner, item.node)
        for item in before.statements
    ]
    after = specialize(
        Flat(tuple(nodes)),
    )
    owners = {ast.unparse(item.node).split("(")[0].split(" =")[0]: item.owner for item in after.statements}
    assert owners["def add_2"] == owners["total_2"] == "counter" and owners["extra_2"] == "__main__"


ACTIONS = (
    "print(program.part.add({number}))",
    "print(program.part({number}))",
    "print(f'{{program.part.name}}/{{program.part.total!r}}/{{program.part.name:>{number}}}')",
    "x = program.part\nprint(x.add({number}), x.total)",
    "x = help(program.part, {number})",
    "print([part.add({number}) for part in (program.part, program.part)])",
    "holder = Holder(program.part)\nprint(holder.kept.add({number}), holder.total)",
    "for total in range({number}):\n    program.part.put(total)",
    "print(program.extra({number}), [f(2) for f in (program.extra, square)])",
    "add = [part for part in (program.extra, program.part)]\nprint([x({number}) for x in add])",
    "if program.part.name == 'n':\n    print(program.part.name.upper(), program.part.seen)",
)
TOO_EARLY = "try:\n    print(program.part.late)\nexcept Exception:\n    print('not yet')\nprogram.part.put({number})"
"""`constants` gives an attribute that is always the same before it is there."""
BODIES = (
    "self.total += number\n        return self.total",
    "self.seen.append(number)\n        return len(self.seen)",
    "self.total, kept = kept + number, self.total\n        return kept, self.total",
    "total = self.total\n        self.total = total * number\n        return [self.total for total in (1, 2)], total",
    "return (lambda seen: (seen, self.total, self(seen)))(number)",
    "self.put(number)\n        return self.late, self.name",
    "return self.put",
    "return self",
)
PROPERTY = """
class Part:
    name = {name!r}
    def __init__(self, start, seen=4):
        self.total = start
        self.seen, self.first = [], seen
    def add(self, number, kept=1):
        {body}
    def put(self, late):
        self.late = late
    def __call__(self, x):
        return x, self.first, self.name
class Holder:
    def __init__(self, kept):
        self.kept, self.total = kept, 6
class Extra:
    def __call__(self, x):
        return (x, 'extra')
def help(part, number):
    seen = part
    return seen.put(number), print(seen.late, part.seen)
"""


@settings(max_examples=40, deadline=None)
@given(
    actions=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 9)), min_size=1, max_size=4),
    body=st.sampled_from(BODIES),
    start=st.sampled_from(("0", "-2", "'a'", "square", "True", "start=(1, 2), seen=None")),
    name=st.sampled_from(("n", "", "it's")),
)
def test_components_do_the_same_as_before(actions, body, start, name):
    main = "\n".join(action.format(number=number) for action, number in actions)
    main += "\n" + TOO_EARLY.format(number=8)
    guarded = "try:\n" + "\n".join("    " + line for line in main.split("\n")) + "\nexcept TypeError:\n    print('no')"
    code = PROPERTY.format(body=body, name=name)
    before = flat(code, f"Part({start})", guarded, "Extra()")
    expected = printed(before.text)
    shaken = shake(specialize(before))
    if " at " not in expected:
        assert printed(shaken.text) == expected, shaken.text
        assert printed(minify(shaken).text) == expected


def test_variables_that_held_the_object_are_gone():
    text = (
        "class A:\n    def __init__(self): self.x_k = [1]\n    def go(self): return self.x_k\n"
        "def use(b):\n    c = b\n    print(c.go())\ndef main():\n    a, n = A(), 2\n    print(a.go(), n)\n    use(a)\n"
        "if __name__ == '__main__':\n    main()\n"
    )
    assert changed(text, SCALAR_REPLACEMENT) == same(
        "def go_2():\n    return x_k_2\ndef use(b):\n    print(go_2())\n"
        "def main():\n    n = 2\n    print(go_2(), n)\n    use(None)\nx_k_2 = [1]\n"
        "if __name__ == '__main__':\n    main()\n"
    )


def test_a_declaration_stands_below_the_docstring():
    program = Program([Owned("m", ast.parse('def f():\n    "Text."\n    x = 1').body[0])])
    declare(program, program.body[0], ["x"])
    assert ast.unparse(program.body[0]).splitlines()[2] == "    global x"
