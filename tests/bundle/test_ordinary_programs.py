"""Programs as people write them that once came out wrong: each is run live and after every stage of a build."""

import random

import pytest
from hostile_stages import outcome
from hostile_writer import make_hostile

ENTRY, SOURCES = make_hostile(random.Random(0))

PROGRAMS = {
    "keywords that change what their neighbours read": """
class Clock:
    def __init__(self):
        self.ticks = 0
    def tick(self):
        self.ticks += 1
        return self.ticks
class Average:
    def __init__(self, decay):
        self.decay, self.updates, self.kept = decay, 0, []
    def next_decay(self):
        self.updates += 1
        return min(self.decay, self.updates / 10)
    def update(self, values):
        self.kept = blend(self.kept, values, decay=self.next_decay(), count=self.updates)
        return self.kept
def blend(kept, values, count, decay):
    return [*kept, *(value * decay + count for value in values)]
def show(before, value):
    print(before, value)
def main(settings, program):
    clock, average = Clock(), Average(0.9)
    show(value=clock.tick(), before=clock.ticks)
    show(value=(x := 5), before=x)
    print(average.update([1.0]), average.update([2.0]))
""",
    "a dialect": """
import csv
import io
class Semicolons:
    def __init__(self):
        self.delimiter = ";"
        self.quotechar = "'"
        self.lineterminator = "!"
        self.quoting = csv.QUOTE_MINIMAL
        self.doublequote = True
def main(settings, program):
    out = io.StringIO()
    csv.writer(out, dialect=Semicolons()).writerow([1, "a;b"])
    print(out.getvalue())
""",
    "attribute paths in texts": """
class Point:
    def __init__(self):
        self.alpha, self.beta = 1, 2
class Pair:
    def __init__(self):
        self.point = Point()
def main(settings, program):
    print("{0.alpha} {p.point.beta} {0.beta!r:>3}".format(Point(), p=Pair()), "%(gamma)s" % {"gamma": 3})
    print("{thing.alpha}".format_map({"thing": Point()}))
""",
    "operators with autograd": """
import torch
@torch.library.custom_op("hostile::scaled", mutates_args=())
def scaled(x: torch.Tensor, by: float) -> torch.Tensor:
    return x * by
def setup(ctx, inputs, output):
    ctx.by = inputs[1]
def back(ctx, grad):
    return grad * ctx.by * 10, None
scaled.register_autograd(back, setup_context=setup)
def main(settings, program):
    x = torch.ones(2, requires_grad=True)
    scaled(x, 3.0).sum().backward()
    print(x.grad.tolist())
""",
    "what may be unset, under each handler": """
import contextlib
class Late:
    def bare(self):
        try:
            return self.one
        except:
            self.one = True
            return "miss"
    def broad(self):
        try:
            return self.two
        except Exception:
            self.two = True
            return "miss"
    def suppressed(self):
        with contextlib.suppress(Exception):
            return self.three
        self.three = True
        return "miss"
def local(k):
    if k:
        value = 1
    try:
        return value
    except NameError:
        return "unset"
def unbound(k):
    for value in range(k):
        pass
    try:
        return value
    except UnboundLocalError:
        return "unset"
def main(settings, program):
    late = Late()
    print(late.bare(), late.bare(), late.broad(), late.broad(), late.suppressed(), late.suppressed())
    print(local(0), local(1), unbound(0), unbound(2))
""",
    "an assertion under a handler": """
def positive(x):
    assert x > 0, "positive"
    return x
def main(settings, program):
    for x in (1, -1):
        try:
            print(positive(x))
        except AssertionError as error:
            print("refused", error)
        try:
            assert x < 0
        except Exception:
            print("not negative")
""",
    "what an error carries": """
class Refused(ValueError):
    def __init__(self, reason, code=3):
        self.code = code
class Empty(Exception):
    pass
def main(settings, program):
    for error in (Refused("late", code=7), Refused(reason="never"), Empty(1, "two")):
        try:
            raise error
        except (Refused, Empty) as caught:
            print(caught.args, getattr(caught, "code", None), str(caught), isinstance(caught, ValueError))
""",
    "a property beside what it changes": """
class Meter:
    def __init__(self):
        self.reads = 0
    @property
    def level(self):
        self.reads += 1
        return self.reads * 10
def main(settings, program):
    meter = Meter()
    print(meter.reads, meter.level, meter.reads, meter.level + meter.reads)
    reads = meter.reads
    meter.level
    print(reads, meter.reads, f"{meter.level} {meter.reads}")
""",
    "a cache that tells keywords from positions": """
import functools
@functools.lru_cache(None)
def total(x, y=1):
    print("computed", x, y)
    return x + y
def main(settings, program):
    print(total(1), total(x=1), total(1, 1), total(y=1, x=1), total(1, y=1), total.cache_info().misses)
""",
    "an augmented target is read first": """
class Box:
    def __init__(self):
        self.total = 1
    def grow(self):
        self.total = 50
        return 2
def main(settings, program):
    box = Box()
    box.total += box.grow()
    total = box.total
    total += (total := 7)
    print(box.total, total)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_survives_every_stage(name):
    found = outcome(ENTRY, {**SOURCES, "code_": PROGRAMS[name]})
    assert found.kind == "equal", f"{found.kind} at {found.stage}\n{found.detail}"


REFUSED = {
    "operator.attrgetter": "import operator\ndef main(settings, program):\n    print(operator.attrgetter('depth')(settings))\n",
    "vars": "class A:\n    x = 1\ndef main(settings, program):\n    print(vars(A()))\n",
    "a set's order": "def main(settings, program):\n    print([x for x in {1, 2}])\n",
    "a metaclass": "class A(metaclass=type):\n    x = 1\ndef main(settings, program):\n    print(A.x)\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_outside_the_subset_is_refused_by_a_rule(name):
    found = outcome(ENTRY, {**SOURCES, "code_": REFUSED[name]})
    assert found.kind == "refused", f"{found.kind} at {found.stage}\n{found.detail}"
