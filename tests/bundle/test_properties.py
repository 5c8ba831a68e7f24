"""Programs made at random inside the subset do the same before and after every stage.

The default run tries a few hundred programs, the slow one thousands; the terminal's summary says how many there were and how
many of them each stage changed. A program is named by its seed: `make_program(Random(seed))` makes it again.
"""

import ast
import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from program_faults import FAULTS, spoiled
from program_stages import live, opened, run, stages
from program_writer import make_program

from pgolf.bundle.link import link
from pgolf.bundle.manager import PLAN
from pgolf.bundle.pack.pack import candidates
from pgolf.unpack import unpack

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


@pytest.fixture
def counted(record_property):
    """Counts what the examples of one test were; the summary shows it."""
    counts = Counter()
    yield counts
    record_property("examples", ", ".join(f"{count:,} {name}" for name, count in counts.items()))


@pytest.fixture
def plan(counted):
    """The passes of `specialize`; the calls in which they change something are counted."""
    return tuple(replace(one, run=_counting(one, counted)) for one in PLAN)


def _counting(one, counted):
    def counting(program):
        before = program.flat.text
        one.run(program)
        counted[f"rounds of {one.name}"] += program.flat.text != before

    return counting


def survives(entry, sources, counted, plan):
    """Every stage's program prints what the modules print."""
    modules, found = opened(entry, sources)
    # Now and then the writer hands a record on under another name, or binds a name twice that an inner function reads.
    assert all(line.startswith(("error[PG317]", "error[PG308]")) for line in found), found
    assume(not found)
    expected, before = live(entry, sources), ""
    counted["programs"] += 1
    for stage, text in stages(modules, plan).items():
        assert run(text) == expected, f"{stage} differs:\n{text}"
        counted[f"changed by {stage}"] += text != before
        before = text


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=bodies,
    depth=st.integers(-2, 3),
    flag=st.booleans(),
    label=st.sampled_from(("", "it's", "{x}\n", 'a"b')),
    second=st.sampled_from(("None", "()", "(1,)", "'s'")),
    taps=st.sampled_from(("()", "(1, 2)")),
)
def test_random_bodies_survive_every_stage(counted, body, depth, flag, label, second, taps):
    entry = ENTRY.format(depth=depth, flag=flag, label=label, second=second, taps=taps)
    text = CODE.format(body="\n".join(indent(body)))
    try:
        compile(text, "code", "exec")
    except SyntaxError:
        assume(False)
    modules, found = opened(entry, {"code_": text, "records": RECORDS, "other": OTHER})
    assume(not any("comprehension" in finding for finding in found))
    # Closures over variables that are bound twice are refused for the reader's sake: they survive too.
    assert [finding for finding in found if "bound more than once" not in finding] == []
    expected = run(link(modules).text)
    counted["programs"] += 1
    for stage, later in stages(modules).items():
        assert run(later) == expected, f"{stage} differs:\n{later}"


SEEDS = st.integers(0, 2**48)
# A seed does not get smaller in a way that means something, so a failing one is reported as it is.
WHOLE = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)


@settings(WHOLE, max_examples=12)
@given(seed=SEEDS)
def test_random_programs_survive_every_stage(counted, plan, seed):
    survives(*make_program(random.Random(seed)), counted, plan)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_thousands_of_random_programs_survive_every_stage(counted, plan, part):
    @settings(WHOLE, max_examples=250)
    @given(seed=SEEDS)
    def try_many(seed):
        survives(*make_program(random.Random(seed)), counted, plan)

    try_many()
    assert counted["programs"] >= 250
    assert all(counted[f"rounds of {one.name}"] > 150 for one in PLAN), "they rest"


@pytest.fixture(scope="module")
def whole_programs():
    """(linked text, what it prints) of a number of programs, the same in every run."""
    found = []
    for seed in range(60):
        entry, sources = make_program(random.Random(seed))
        text = link(opened(entry, sources)[0]).text
        found.append((text, run(text)))
    return found


@pytest.mark.ci
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_wrong_stage_is_seen(fault, whole_programs):
    wrong = [(spoiled(text, fault), expected) for text, expected in whole_programs]
    caught = sum(run(text) != expected for text, expected in wrong if text)
    assert caught >= 2, f"of {sum(bool(text) for text, _ in wrong)} wrong programs"


@pytest.mark.ci
def test_the_programs_hold_what_passes_must_be_careful_with(whole_programs):
    seen = Counter()
    for text, expected in whole_programs:
        seen.update({type(node).__name__ for node in ast.walk(ast.parse(text))})
        seen.update(
            name
            for name in ("_replace", "frozen=True", "except KeyError as", "program.taps", "[lambda")
            if name in text
        )
        seen.update({"raises" for line in expected.split("\n") if line.startswith(("ValueError", "KeyError"))})
        seen["prints enough"] += expected.count("\n") > 9
    wanted = (
        "Try",
        "With",
        "While",
        "Lambda",
        "ListComp",
        "NamedExpr",
        "Yield",
        "Break",
        "Continue",
        "Raise",
        "AugAssign",
    )
    few = {
        name: seen[name] for name in (*wanted, "_replace", "frozen=True", "program.taps", "[lambda") if seen[name] < 5
    }
    assert not few and seen["raises"] > 10 and seen["prints enough"] > 30
    assert len({text for text, _ in whole_programs}) == len(whole_programs)


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_survives_packing(text):
    source = f"x={text!r}\n#{''.join(text.split())}\n"
    for packed in candidates(source, allow_brotli=True):
        if packed.name != "plain":
            assert unpack(packed.code) == source
