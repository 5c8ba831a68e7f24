"""Ordinary Python that is inside the subset: each program prints the same live and built."""

import pytest

from pgolf.bundle.pipeline import build

ENTRY = 'from a import run\nif __name__ == "__main__":\n    print(run())\n'
PROGRAMS = {
    "exceptions": """
class TrainingError(ValueError):
    code = 3
    def __init__(self, step, why="none"):
        self.step = step
        self.why = why
class Done(Exception): pass
class Stopped(Done): pass
def step(number):
    if number == 1: raise TrainingError(number, why="one")
    if number == 2: raise Stopped("two", number)
    if number == 3:
        try: return [][1]
        except IndexError as error: raise Done("three") from error
    return number
def run():
    seen = []
    for number in range(4):
        try: seen.append(step(number))
        except ValueError as error: seen.append((error.step, error.why, error.code, error.args, str(error)))
        except Stopped as stopped: seen.append(stopped.args)
        except Done as done: seen.append((str(done), isinstance(done.__cause__, IndexError)))
    return seen
""",
    "enumerations": """
from enum import Enum, IntEnum, IntFlag, auto
class Mode(Enum):
    TRAIN = 1
    EVAL = 2
    @property
    def other(self): return Mode.EVAL if self is Mode.TRAIN else Mode.TRAIN
    def twice(self, by=2): return self.value * by
class Size(IntEnum):
    SMALL = 1
    LARGE = 2
class Flags(IntFlag):
    A = auto()
    B = auto()
class Text(str, Enum):
    A = "a"
    B = "b"
TABLE = {Mode.TRAIN: "x", Mode.EVAL: "y"}
def shown(mode=Mode.TRAIN): return TABLE[mode]
def chosen(mode):
    match mode:
        case Mode.TRAIN: return "train"
        case Mode.EVAL: return "eval"
def run():
    modes = [shown(), shown(Mode.EVAL), Mode(2).other.twice(by=3), Mode["EVAL"].name, [m.name for m in Mode], chosen(Mode.EVAL)]
    return modes, Size.SMALL + 1, max(Size).name, (Flags.A | Flags.B).value, Text.A == "a", Text("b").upper()
""",
    "records": """
from __future__ import annotations
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import ClassVar, NamedTuple
LIMIT = 4
@dataclass
class State:
    kind: ClassVar[int] = 7
    step: int = 0
    log: list = field(default_factory=list)
    next: State | None = None
    def add(self, text):
        self.step += 1
        self.log.append(text)
        return self
@dataclass(order=True, frozen=True)
class Point:
    x: int
    y: float = float("inf")
    z: int = LIMIT
@dataclass
class More(State):
    _: KW_ONLY
    scale: int = 2
    def __post_init__(self): self.area = self.step * self.scale
class Node(NamedTuple):
    value: int
    next: Node | None = None
    limit: int = LIMIT * 2
def run():
    one, two = State(), State(step=3)
    one.add("q"); two.add("r").add("s")
    points = sorted([Point(2, 1.0), Point(1), Point(x=1, y=0.5)])
    match points[0]:
        case Point(x=1, y=y): found = y
    return (one.step, one.log, two.step, two.log, one == two, State.kind, one.next, found, replace(points[0], x=5).x,
            [p.z for p in points], {Point(1): 3}[Point(1)], More(3, scale=5).area, Node(1, Node(2)).next.limit)
""",
    "defaults": """
import math
from b import CACHE, SCALE, plus
def scaled(x, k=SCALE, *, pi=math.pi, n=-SCALE, pair=(SCALE, 2), more=2 * SCALE, far=float("inf")):
    return x * k, pi > 3, n, pair, more, far
def counted(name, cache=CACHE):
    cache[name] = len(name)
    return len(cache)
def called(x, by=plus): return by(x)
def shadowed(SCALE): return scaled(SCALE)[0], called(SCALE)
class Kept:
    def __init__(self, size=SCALE, by=plus): self.size, self.by = size, by
    def go(self, x, k=SCALE): return self.by(x) * k + self.size
def run():
    SCALE = 7
    return (scaled(2), scaled(2, 5, n=1), shadowed(10), shadowed(11), counted("a"), counted("b"), len(CACHE), called(3, abs),
            Kept().go(1), Kept(SCALE, abs).go(-2, k=SCALE), [(lambda x, k=SCALE: x * k)(2) for _ in "ab"])
""",
    "fields": """
from b import SCALE
class Base:
    size = SCALE + 1
    pair = (SCALE, "a")
    table = {"a": SCALE}
    names = []
    far = -float("inf")
    def add(self, x):
        self.names.append(x)
        return len(self.names), self.table["a"]
class Part(Base):
    size = SCALE * 3
    def grow(self):
        self.size += 1
        return self.size
def run():
    one, two, part = Base(), Base(), Part()
    return one.add("x"), two.add("y"), part.grow(), part.grow(), Part().size, Base.size, one.pair, Base.far, Base.names
""",
    "kinds of classes": """
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Callable, Generic, Protocol, TypeVar
T = TypeVar("T")
Function = Callable[[int], int]
class Sized(Protocol):
    name: str
    def size(self, x: int) -> int: ...
    def hello(self): return "hello " + self.name
class Box(Sized):
    def __init__(self): self.name = "box"
    def size(self, x): return x + 1
class Other:
    def size(self, x): return x
class Held(Generic[T]):
    def __init__(self, x: T): self.x = x
    def map(self, f: Function) -> "Held[T]": return Held(f(self.x))
class Number(Held[int]):
    def next(self): return self.map(lambda x: x + 1).x
class Shape(ABC):
    @abstractmethod
    def area(self): ...
class Square(Shape):
    def __init__(self, side): self.side = side
    def area(self): return self.double + self.double
    @cached_property
    def double(self):
        print("once")
        return self.side * 2
def use(box: Sized, x): return box.size(x)
def run():
    try: Shape()
    except TypeError: print("abstract")
    return use(Box(), 3), use(Other(), 3), Box().hello(), Number(3).next(), Held[int](4).x, Square(2).area()
""",
    "methods named like those of lists": """
from b import Ops as Fancy
class Ops:
    @staticmethod
    def add(a, b): return a + b
    @classmethod
    def pop(cls, a): return cls.add(1, a)
def run(): return Ops.add(1, 2), Ops.pop(3), Fancy.update(1), Fancy.clear()
""",
    "objects made without the name of their class": """
def build(kind, count): return kind(count)
class Typed:
    def __init__(self, x=2): self.x = x
    def copy(self): return type(self)(self.x + 1)
    def fresh(self): return type(self)()
class Made:
    def __init__(self, x=2): self.x = x
    @classmethod
    def make(cls): return cls()
class Handed:
    def __init__(self, x=2, y=1): self.x = x + y
    @classmethod
    def make(cls, count): return build(cls, count)
def run():
    typed, made, handed = Typed(3), Made(3), Handed(3, 7)
    return typed.x, typed.copy().x, typed.fresh().x, made.x, made.make().x, handed.x, handed.make(6).x
""",
    "texts in braces": """
def run():
    names = {"a": 1, "it's": 2}
    return f"{names['a']:>5}{', '.join(f'{k}={v!r}' for k, v in names.items())} {names.get('b', 'none')} {names['a']=}"
""",
    "data sets": """
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset
class Rows(Dataset):
    def __init__(self, n, dtype=torch.float32): self.n, self.dtype = n, dtype
    def __len__(self): return self.n
    def __getitem__(self, index): return torch.full((2,), index, dtype=self.dtype)
class Stream(IterableDataset):
    def __iter__(self): return iter(range(3))
def run():
    rows = [x.tolist() for x in DataLoader(Rows(3), batch_size=2)]
    return rows, Rows(1, torch.int64)[0].dtype, [x.tolist() for x in DataLoader(Stream(), batch_size=2)]
""",
}
OTHER = """
SCALE = 3
CACHE = {}
def plus(x): return x + SCALE
class Base:
    @staticmethod
    def clear(): return "clear"
class Ops(Base):
    @classmethod
    def update(cls, x): return x + 1
"""


# One needs PyTorch three times.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.ci if name == "data sets" else ()) for name in PROGRAMS]
)
def test_it_prints_the_same_live_and_built(project, run_file, tmp_path, name):
    built = build(ENTRY, project({"a": PROGRAMS[name], "b": OTHER}))
    live = run_file(built.dumps["0_live.py"], path=tmp_path)
    for stage in ("1_linked.py", "4_minified.py"):
        assert run_file(built.dumps[stage], "-I") == live, stage
