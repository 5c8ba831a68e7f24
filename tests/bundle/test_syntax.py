"""What a definition, a call or an assignment shows by its own shape."""

import ast

import pytest
from test_program import expression

from pgolf.bundle import syntax
from pgolf.bundle.syntax import Signature


def statement(text):
    return ast.parse(text).body[0]


@pytest.mark.parametrize(
    ("text", "docstring", "idle"),
    [("'a'", True, True), ("3", True, True), ("pass", False, True), ("x", False, False), ("x = 'a'", False, False)],
)
def test_lines_that_do_nothing(text, docstring, idle):
    assert (syntax.is_docstring(statement(text)), syntax.is_idle_line(statement(text))) == (docstring, idle)


@pytest.mark.parametrize(
    ("text", "main"),
    [
        ("if __name__ == '__main__': x", True),
        ('if __name__ == "__main__": x', True),
        ("if __name__ == '__main__': x\nelse: y", False),
        ("if '__main__' == __name__: x", False),
        ("if __name__ != '__main__': x", False),
        ("while __name__ == '__main__': x", False),
    ],
)
def test_main_block(text, main):
    assert syntax.is_main_block(statement(text)) is main


@pytest.mark.parametrize(
    ("head", "record"),
    [
        *(("class A(NamedTuple):", True), ("class A(typing.NamedTuple):", True), ("class A(NamedTuple, B):", False)),
        *(("class A:", False), ("@dataclass\nclass A:", True), ("@dataclass(frozen=True)\nclass A(B):", True)),
        *(("@other\nclass A:", False),),
    ],
)
def test_records(head, record):
    assert syntax.is_record(statement(f"{head}\n    x: int")) is record


def test_fields_methods_and_members():
    node = statement(
        "class A:\n    '''Doc.'''\n    x: int\n    y: int = 2\n    a.z: int\n    u = v = 3\n    (p, q) = w\n"
        "    def f(self): pass\n    async def g(self): pass\n    class B: pass"
    )
    assert syntax.field_names(node) == ("x", "y")
    assert [method.name for method in syntax.methods_of(node)] == ["f"]
    assert [syntax.member_names(line) for line in node.body] == [
        *([], ["x"], ["y"], [], ["u", "v"], ["p", "q"], ["f"], ["g"], ["B"]),
    ]


@pytest.mark.parametrize(
    ("head", "own", "outside"),
    [
        ("class K:", set(), False),
        ("class K(NamedTuple):", set(), False),
        ("class K(A):", {"A"}, False),
        ("class K(A, B):", {"A", "B"}, False),
        ("class K(nn.Module):", set(), True),
        ("class K(A, nn.Module):", {"A"}, True),
        ("class K(A, metaclass=M):", {"A"}, True),
        ("@dataclass\nclass K(A):", {"A"}, False),
        ("@register\nclass K(A):", {"A"}, True),
    ],
)
def test_bases(head, own, outside):
    assert syntax.bases_from(statement(f"{head} pass"), dict.fromkeys("AB")) == (own, outside)


@pytest.mark.parametrize(
    ("text", "binds", "static"),
    [
        ("def f(self): pass", True, False),
        ("def f(self, x=1): x = 2", True, False),
        ("def f(): pass", False, False),
        ("def f(self, /): pass", False, False),
        ("def f(*args): pass", False, False),
        ("def f(self): self = 1", False, False),
        ("def f(self): return lambda self: 1", False, False),
        ("def f(self):\n    import self", False, False),
        ("@staticmethod\ndef f(x): pass", False, True),
        ("@classmethod\ndef f(cls): pass", False, True),
        ("@property\ndef f(self): pass", True, False),
    ],
)
def test_the_object_of_a_method(text, binds, static):
    assert (syntax.binds_self(statement(text)), syntax.is_static(statement(text))) == (binds, static)


def test_stores_on_the_object():
    node = statement(
        "class A:\n    def __init__(self, o):\n        self.x = o.y = 1\n        self.z += self.w\n        self.p.q = 2\n"
        "        del self.gone\n    def f(self):\n        self = 1\n        self.no = 2\n"
        "    @staticmethod\n    def g(s): s.no = 1"
    )
    assert sorted(store.attr for store in syntax.own_stores(node)) == ["gone", "x", "z"]


FUNCTION = statement("def f(a, b, /, c, d=4, *rest, k, m=6, **more): pass")
PLAIN = statement("def f(a, b=2, *, k, m=6): pass")


def test_signatures():
    whole = Signature.of(FUNCTION)
    assert (whole.positional, whole.names, whole.more) == (("a", "b", "c", "d"), ("c", "d", "k", "m"), (True, True))
    assert {name: node.value for name, node in whole.defaults.items()} == {"d": 4, "m": 6}
    for skipped, positional, names in [
        *((1, ("b", "c", "d"), ("c", "d", "k", "m")), (2, ("c", "d"), ("c", "d", "k", "m"))),
        *((3, ("d",), ("d", "k", "m")), (4, (), ("k", "m"))),
    ]:
        part = Signature.of(FUNCTION, skipped)
        assert (part.positional, part.names) == (positional, names)
    assert Signature.of(PLAIN).more == (False, False)


CALLS = [
    *(
        "f(1)",
        "f(1, 2)",
        "f(1, k=3)",
        "f(1, 2, k=3)",
        "f(1, 2, 3, k=4)",
        "f(a=1, k=2)",
        "f(1, a=1, k=2)",
        "f(1, b=2, k=3, m=4)",
    ),
    *("f(1, k=2, z=3)", "f(k=2)", "f(1, 2, b=3, k=4)", "f()"),
]


@pytest.mark.parametrize("text", CALLS)
@pytest.mark.parametrize("head", ["a, b=2, *, k, m=6", "a, b=2, *rest, k, m=6", "a, b=2, *, k, m=6, **more"])
def test_a_call_fits_if_python_takes_it(text, head):
    space = {}
    exec(f"def f({head}): return dict(a=a, b=b, k=k, m=m)", space)
    try:
        result = eval(text, space)
    except TypeError:
        result = None
    call, signature = expression(text), Signature.of(statement(f"def f({head}): pass"))
    assert signature.takes(call) is (result is not None)
    for name in ("a", "b", "k", "m") if result is not None else ():
        node = signature.given(call, name)
        value = signature.defaults[name] if node is None else node
        assert value.value == result[name]


def test_stars_hide_what_a_call_gives():
    hidden = [
        syntax.hides_arguments(expression(text)) for text in ("f(1, k=2)", "f(*x)", "f(1, *x)", "f(**x)", "f(k=1, **x)")
    ]
    assert hidden == [False, True, True, True, True]
    assert Signature.of(PLAIN).takes(expression("f(*x)"))


@pytest.mark.parametrize(
    ("name", "left"),
    [
        *(("a", "b, c=3, *, k, m=6"), ("b", "a, c=3, *, k, m=6"), ("c", "a, b, *, k, m=6"), ("k", "a, b, c=3, *, m=6")),
        *(("m", "a, b, c=3, *, k"), ("z", "a, b, c=3, *, k, m=6")),
    ],
)
def test_a_parameter_goes_with_its_default(name, left):
    node = statement("def f(a, b, c=3, *, k, m=6): pass")
    syntax.drop_parameter(node.args, name)
    assert ast.unparse(node.args) == left


@pytest.mark.parametrize(
    ("text", "found"),
    [
        *(("x = 1", ["x=1"]), ("x.y = z", ["x.y=z"]), ("x, y = 1, 2", ["x=1", "y=2"]), ("x, y = z", ["(x, y)=z"])),
        *(("x = y = 1", []), ("x += 1", []), ("x: int = 1", []), ("x, *y = 1, 2", []), ("x, y = 1, *z", [])),
        *(("x, y = 1, 2, 3", ["(x, y)=(1, 2, 3)"]), ("[x, y] = 1, 2", ["[x, y]=(1, 2)"]), ("print(x)", [])),
    ],
)
def test_pairs_of_an_assignment_and_back(text, found):
    node = statement(text)
    kept = syntax.pairs(node)
    assert [f"{ast.unparse(target)}={ast.unparse(value)}" for target, value in kept] == found
    if kept:
        again = syntax.assignment(kept, node)
        assert ast.unparse(again) == ast.unparse(node) and again.lineno == node.lineno


def test_an_assignment_of_nothing_is_pass():
    assert isinstance(syntax.assignment([], statement("x = 1")), ast.Pass)
