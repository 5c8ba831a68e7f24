"""Programs made at random inside the subset do the same before and after every stage."""

import contextlib
import io
import tempfile
import warnings
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pgolf.bundle.link import link, reach
from pgolf.bundle.minify import minify
from pgolf.bundle.pack import candidates, unpack
from pgolf.bundle.shake import shake
from pgolf.bundle.source import load
from pgolf.bundle.specialize import specialize
from pgolf.bundle.subset import check

NAMES = ("alpha", "beta", "gamma", "value", "index", "A", "B")
FIELDS = ("depth", "flag", "label", "rate", "zero")
RECORDS = """
from typing import NamedTuple
class Settings(NamedTuple):
    depth: int
    flag: bool
    label: str
    rate: float
    zero: int
class Program(NamedTuple):
    first: object
    second: object
    taps: tuple
"""

variables = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(FIELDS).map("settings.{}".format),
    st.sampled_from(("program.first", "program.second", "program.taps")),
)
atoms = st.one_of(
    variables,
    st.integers(0, 9).map(str),
    st.sampled_from(("True", "False", "None", "0.5", "'t'", "()", "(1, 2)")),
)


def grow(inner):
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, st.sampled_from(("and", "or", "==", "in")), inner).map(
            lambda item: f"same({item[0]}, '{item[1]}', {item[2]})" if item[1] == "in" else f"({' '.join(item)})"
        ),
        pair.map(lambda item: f"(number({item[0]}) + number({item[1]}) * 2)"),
        st.tuples(inner, inner, inner).map(lambda item: f"({item[0]} if {item[1]} else {item[2]})"),
        inner.map("(not {})".format),
        st.tuples(variables, st.sampled_from(("is", "is not"))).map(lambda item: f"({item[0]} {item[1]} None)"),
        pair.map(lambda item: f"[{item[0]} for index in items({item[1]})]"),
        pair.map(lambda item: f"(value := {item[0]}, {item[1]})"),
        inner.map(lambda item: f"(lambda beta=1, *, B=2: (beta, B, {item}))(B=3)"),
        st.sampled_from(NAMES).map(lambda name: f"f'{{{name}!r:>4}}-{{settings.label}}{{settings.depth:02d}}'"),
        inner.map(lambda item: f"Thing({item}, settings).show(alpha=1)"),
    )


expressions = st.recursive(atoms, grow, max_leaves=6)


def indent(lines):
    return ["    " + line for line in lines]


def statements(inner):
    block = st.lists(inner, min_size=1, max_size=3).map(lambda parts: indent([line for part in parts for line in part]))
    return st.one_of(
        st.tuples(expressions, block, block).map(lambda item: [f"if {item[0]}:", *item[1], "else:", *item[2]]),
        st.tuples(expressions, block).map(lambda item: [f"if {item[0]}:", *item[1]]),
        st.tuples(st.sampled_from(NAMES), expressions, block).map(
            lambda item: [f"for {item[0]} in items({item[1]}):", *item[2]]
        ),
        st.tuples(st.sampled_from(NAMES), block).map(lambda item: [f"for {item[0]} in program.taps:", *item[1]]),
        st.tuples(block, block).map(lambda item: ["try:", *item[0], "except KeyError as beta:", *item[1]]),
        st.tuples(block, expressions).map(lambda item: ["while settings.flag:", *item[0], f"    return {item[1]}"]),
    )


simple = st.one_of(
    st.tuples(st.sampled_from(NAMES), expressions).map(lambda item: [f"{item[0]} = {item[1]}"]),
    expressions.map(lambda item: [f"out.append({item})"]),
    expressions.map(lambda item: [f"return {item}"]),
)
bodies = st.lists(st.recursive(simple, statements, max_leaves=5), min_size=1, max_size=4).map(
    lambda parts: [line for part in parts for line in part]
)

CODE = """
from other import number, items, same
A = 1
B = ("b", 2.5)
class Thing:
    kind: str = "thing"
    def __init__(self, inner, settings):
        self.inner = inner
        self.settings = settings
    def show(self, alpha, beta=2):
        return (self.kind, self.inner, alpha, beta, self.settings.depth if self.settings.flag else self.settings.label)
def work(settings, program, alpha, beta=0, *, gamma=None, value=1, index=()):
    out = []
{body}
    return out
"""
OTHER = """
def number(x):
    return x if isinstance(x, (int, float)) else 7
def items(x):
    return x if isinstance(x, (tuple, list)) else (x,)
def same(x, how, y):
    return how, x in items(y)
"""
ENTRY = """
from code_ import work
from records import Program, Settings
SETTINGS = Settings(depth={depth}, flag={flag}, label={label!r}, rate=0.25, zero=0)
def make_program():
    return Program(first=None, second={second}, taps={taps})
def main(settings, program):
    for beta in (0, "x", (3,)):
        try:
            print(work(settings, program, 1, beta=beta, gamma=[2]))
        except (NameError, TypeError) as error:
            print(isinstance(error, NameError))
if __name__ == "__main__":
    main(SETTINGS, make_program())
"""


def output(text):
    """What a program prints, as its own main module."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings(action="ignore"):
        exec(compile(text, "program", "exec"), {"__name__": "__main__"})
    return printed.getvalue()


def stages(entry, sources):
    """The program after each stage."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for module, text in sources.items():
            (folder / f"{module}.py").write_text(text, encoding="utf-8")
        modules = load(entry, lambda module: folder / f"{module}.py" if module in sources else None)
    reach(modules)
    found = check(list(modules.values()))
    assume(not any("comprehension" in finding.message for finding in found))
    # Closures over variables that are bound twice are refused for the reader's sake: they survive too.
    assert [str(finding) for finding in found if "bound more than once" not in finding.message] == []
    linked = link(modules)
    specialized = specialize(linked)
    shaken = shake(specialized)
    return linked.text, specialized.text, shaken.text, minify(shaken).text


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=bodies,
    depth=st.integers(-2, 3),
    flag=st.booleans(),
    label=st.sampled_from(("", "it's", "{x}\n", 'a"b')),
    second=st.sampled_from(("None", "()", "(1,)", "'s'")),
    taps=st.sampled_from(("()", "(1, 2)")),
)
def test_random_programs_survive_every_stage(body, depth, flag, label, second, taps):
    entry = ENTRY.format(depth=depth, flag=flag, label=label, second=second, taps=taps)
    text = CODE.format(body="\n".join(indent(body)))
    try:
        compile(text, "code", "exec")
    except SyntaxError:
        assume(False)
    linked, *later = stages(entry, {"code_": text, "records": RECORDS, "other": OTHER})
    expected = output(linked)
    for stage in later:
        assert output(stage) == expected, stage


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_survives_packing(text):
    source = f"x={text!r}\n#{''.join(text.split())}\n"
    for packed in candidates(source, allow_brotli=True):
        if packed.name != "plain":
            assert unpack(packed.code) == source
