"""What random programs are made around: records, classes, the entry's two records, and helpers whose effects can be seen."""

from dataclasses import dataclass, field

FIELDS = ("zed", "quill", "wren", "yarrow")
ATTRIBUTES = ("tally", "brim", "cusp", "dell", "gist")
HELPERS = '''
"""Effects that can be seen."""
def number(x):
    return x if isinstance(x, (int, float)) else 7
def see(label, x):
    print(label, repr(x))
    return x
def fail(label, x):
    print("fail?", label)
    if number(x) == 2:
        raise ValueError(label, number(x))
    return x
class Guard:
    def __init__(self, label, swallow):
        self.label, self.swallow = label, swallow
    def __enter__(self):
        print("enter", self.label)
        return self.label
    def __exit__(self, kind, error, trace):
        print("exit", self.label, error is None)
        return self.swallow
'''
SETTINGS = """
class Settings(NamedTuple):
    depth: int
    flag: bool
    label: str
    rate: float
    zero: int = 0
class Program(NamedTuple):
    nothing: object
    single: object
    both: dict
    taps: tuple
    chosen: object
    numbers: tuple
    bound: object
"""
COMPONENTS = '''
"""Parts that the entry chooses."""
from other import number, see
class Single:
    name = "single"
    def __init__(self, amount, extra=1):
        self.amount, self.extra_part = amount, extra
        self.seen_so_far = 0
    def __call__(self, x):
        self.seen_so_far = self.seen_so_far + 1
        return number(x) * self.amount + self.seen_so_far
    def pack(self, x):
        print(self.name, self.extra_part)
        return self.inner_step(x, 1) + self.extra_part
    def inner_step(self, x, y):
        return number(x) - y
    def plain(self, x):
        return see("plain", x)
class Pair:
    def __init__(self, amount):
        self.amount = amount
    def pack(self, x):
        return number(x) + self.amount
def tap_one(x):
    print("tap one")
    return number(x) + 1
def tap_two(x):
    return number(x) * 2
def chosen_part(x, y=3):
    return number(x) - y
def scaled(x, factor, shift=2):
    return number(x) * factor + shift
def use_part(part, x):
    return part.pack(x)
def all_parts(parts, x):
    return [parts[key].pack(x) for key in sorted(parts)][-1]
def reset(part):
    part.seen_so_far = 10
    return part.amount
class Holder:
    def __init__(self, program, part):
        self.program, self.part = program, part
        self.last_seen = None
    def both_ways(self, x):
        self.last_seen = self.part.pack(x)
        return self.program.single(self.last_seen)
'''
COMPONENT_CALLS = ("program.single($)", "program.single.pack($)", "program.single.plain($)", "program.chosen($)")
COMPONENT_CALLS += (
    "program.both['a'].pack($)",
    "program.both['b'].pack($)",
    "program.bound($)",
    "program.single.amount",
)
COMPONENT_CALLS += ("program.single.seen_so_far", "program.single.name.count('s')")
RARE_CALLS = ("use_part(program.single, $)", "all_parts(program.both, $)", "reset(program.single)")
RARE_CALLS += ("Holder(program, program.single).both_ways($)", "[program.single, program.single][1].pack($)")
RARE_CALLS += ("(program.single is program.chosen)", "len(program.both)", "use_part(program.both['a'], $)")
COMPONENT_CALLS += ("(program.nothing or number)($)", "(program.nothing($) if program.nothing is not None else 0)")
ENTRY = """
from functools import partial
from code_ import work
from components import Pair, Single, chosen_part, scaled, tap_one, tap_two
from records import Program, Settings{names}
SETTINGS = Settings(depth={depth}, flag={flag}, label={label!r}, rate={rate})
def make_program():
    return Program(
        nothing=None, single=Single(amount={amount}), both={{'a': Pair(amount=1), 'b': {second}}}, taps={taps},
        chosen={chosen}, numbers={numbers}, bound=partial(scaled, factor={factor}),
    )
def make_records():
    return {records}
if __name__ == "__main__":
    work(SETTINGS, make_program(), make_records())
"""


@dataclass
class RecordClass:
    """A record: field names and kinds, defaults, and the literal that most constructions give."""

    name: str
    fields: list
    defaults: dict
    usual: dict
    is_dataclass: bool

    def text(self):
        head = "@dataclass(frozen=True)\nclass {}:" if self.is_dataclass else "class {}(NamedTuple):"
        types = {"number": "object", "items": "tuple", "text": "str"}
        lines = [
            f"    {name}: {types[kind]}" + (f" = {self.defaults[name]}" if name in self.defaults else "")
            for name, kind in self.fields
        ]
        return "\n".join([head.format(self.name), *lines])


@dataclass
class MadeClass:
    """A class: what its constructor takes, its attributes, and its methods (filled in while they are written)."""

    name: str
    parameters: list
    attributes: list
    usual: list
    base: str = ""
    methods: list = field(default_factory=list)


@dataclass
class Parts:
    records: list
    classes: list
    component_calls: tuple
    constants: tuple
    entry: str


def literal_of(random, kind):
    """A literal of a field's kind; bools and equal ints among them, which print differently."""
    choices = {
        "number": ("0", "1", "2", "True", "None", "-1", "0.5", "1.0"),
        "items": ("()", "(1,)", "(1, 2)", "(True,)"),
        "text": ("''", "'t'", "'it\\'s'"),
    }[kind]
    return choices[random.randrange(len(choices))]


def make_record(random, name):
    count = 2 + random.randrange(3)
    kinds = [("number", "number", "items", "text")[random.randrange(4)] for _ in range(count)]
    fields = list(zip(FIELDS, kinds, strict=False))
    first_default = random.randrange(1, count + 1)
    defaults = {key: literal_of(random, kind) for key, kind in fields[first_default:]}
    usual = {key: literal_of(random, kind) for key, kind in fields}
    return RecordClass(name, fields, defaults, usual, random.randrange(4) == 0)


def make_class(random, name, base):
    attributes = [key for key in ATTRIBUTES if random.randrange(3)] or ["tally"]
    parameters = [f"start_{key}" for key in attributes[: random.randrange(3)]]
    return MadeClass(
        name, parameters, attributes, [str(random.randrange(3)) for _ in range(1 + random.randrange(2))], base
    )


def make_parts(random):
    """Records, classes and an entry."""

    def pick(*choices):
        return choices[random.randrange(len(choices))]

    records = [make_record(random, name) for name in ("Span", "Rule")[: 1 + random.randrange(2)]]
    classes = [make_class(random, "Box", "")]
    if random.randrange(2):
        classes.append(make_class(random, "Crate", ""))
    table = ", ".join(
        f"{record.name}({', '.join(f'{key}={record.usual[key]}' for key, _ in record.fields)})" for record in records
    )
    entry = ENTRY.format(
        names="".join(f", {record.name}" for record in records),
        depth=pick(-1, 0, 1, 3),
        flag=pick(True, False),
        label=pick("", "it's", 'a"b', "{x}\n"),
        rate=pick(0.25, 1e-3),
        amount=pick(1, 2, -1),
        second=pick("Pair(amount=1)", "Pair(amount=2)", "Single(amount=3)"),
        taps=pick("()", "(tap_one,)", "(tap_one, tap_two)", "(tap_one, partial(scaled, factor=2))"),
        chosen=pick("chosen_part", "tap_two", "Single(amount=5)"),
        numbers=pick("()", "(1, 2)"),
        factor=pick(2, 0.1),
        records=f"({table},)",
    )
    # What takes a component for a value keeps its class as it is, so that most programs have none of it.
    calls = COMPONENT_CALLS + (pick(*RARE_CALLS),) * random.randrange(3)
    return Parts(records, classes, calls, ("LIMIT", "HALF", "3", "LIMIT"), entry)
