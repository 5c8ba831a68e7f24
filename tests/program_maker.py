"""The expressions of random programs, and what their writer knows about each function and variable."""

from dataclasses import dataclass, field

from program_parts import Parts, literal_of, make_parts

NAMES = ("alfa", "bravo", "carol", "delta", "x", "y", "A", "B")
FLOATS = ("0.1", "0.3", "0.7", "1.1")
INDENT = "    "


@dataclass
class Function:
    """What a caller must know: `kinds` of the parameters, and how often it is called so far."""

    name: str
    parameters: list
    returns: str = "number"
    context: bool = False
    keyword_only: int = 0
    calls: int = 0
    is_generator: bool = False


@dataclass
class Frame:
    """The function that is being written: variables by name with their kinds, and those that nothing binds again."""

    variables: dict = field(default_factory=dict)
    frozen: set = field(default_factory=set)
    context: bool = False
    returns: str = "number"
    loops: int = 0
    self_class: object = None
    nested: bool = False
    ever: set = field(default_factory=set)
    shadow: tuple = ()
    hidden: tuple = ()


class Maker:
    """Writes one program."""

    def __init__(self, random):
        self.random = random
        self.functions = []
        self.written = []
        self.parts: Parts = make_parts(random)
        self.labels = 0

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def pick(self, choices):
        return choices[self.random.randrange(len(choices))]

    # Expressions

    def number(self, frame, depth=2):
        """An expression that is a number (or a bool, or sometimes None)."""
        if depth <= 0 or self.chance(25):
            return self.atom(frame)
        makers = (self.arithmetic, self.seen, self.choice, self.called, self.called, self.called, self.method)
        makers += (self.record_field, self.attribute, self.walrus, self.table, self.logic, self.sum_of, self.component)
        makers += (self.lambda_call, self.component, self.called)
        return self.pick(makers)(frame, depth - 1)

    def of_kind(self, frame, kind):
        return [name for name, found in frame.variables.items() if found == kind]

    def atom(self, frame):
        variables = self.of_kind(frame, "number")
        if variables and self.chance(60):
            return self.pick(variables)
        if frame.context and self.chance(30):
            return self.pick(("settings.depth", "settings.zero", "settings.rate", "settings.flag"))
        if self.chance(15):
            constants = [name for name in self.parts.constants if name not in (*frame.shadow, *frame.hidden)]
            return self.pick(constants)
        return self.pick(("0", "1", "2", "3", "True", "False", "-1", *FLOATS))

    def arithmetic(self, frame, depth):
        left, right = self.number(frame, depth), self.number(frame, depth)
        form = self.pick(("({} + {})", "({} - {} * 0.1)", "({} * {} * 0.3)", "({} * 1.1 * 0.7 * {})", "({} // {})"))
        return form.format(f"number({left})", f"number({right})")

    def seen(self, frame, depth):
        self.labels += 1
        return f"{self.pick(('see', 'see', 'fail'))}({self.labels}, {self.number(frame, depth)})"

    def choice(self, frame, depth):
        return f"({self.number(frame, depth)} if {self.test(frame, depth)} else {self.number(frame, depth)})"

    def logic(self, frame, depth):
        return f"({self.number(frame, depth)} {self.pick(('and', 'or'))} {self.number(frame, depth)})"

    def test(self, frame, depth):
        how = self.random.randrange(5)
        if how == 0 and frame.context:
            return self.pick(("settings.flag", "not settings.flag", "settings.depth > 1", "program.nothing is None"))
        if how == 1:
            return f"not {self.number(frame, depth)}"
        if how == 2:
            return f"number({self.number(frame, depth)}) in {self.items(frame, depth)}"
        operator = self.pick(("<", "==", ">=", "!="))
        return f"number({self.number(frame, depth)}) {operator} number({self.number(frame, depth)})"

    def items(self, frame, depth):
        """An expression that is a tuple or list of numbers."""
        variables = self.of_kind(frame, "items")
        if variables and self.chance(50):
            return self.pick(variables)
        how = self.random.randrange(6)
        if how == 0 and depth > 0:
            parts = [self.number(frame, depth - 1) for _ in range(self.random.randrange(3))]
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        if how == 1 and depth > 0:
            return self.comprehension(frame, depth - 1)
        if how == 2:
            return self.pick(("PAIR", "NOTHING"))
        if how == 3 and frame.context:
            return "program.numbers"
        return self.pick(("()", "(1,)", "(2, 3)", "range(2)", "[1, 0]"))

    def comprehension(self, frame, depth):
        name = self.pick(("item", *NAMES))
        around = {**frame.variables, name: "number"}
        inner = Frame(around, set(), frame.context, nested=True, ever=frame.ever, shadow=frame.shadow)
        items = self.items(frame, depth)
        if name in items.replace("(", " ").split():
            items = "(1, 2)"
        return f"[{self.number(inner, depth)} for {name} in {items}]"

    def sum_of(self, frame, depth):
        return f"sum(map(number, {self.items(frame, depth)}))"

    def walrus(self, frame, depth):
        free = [name for name in self.of_kind(frame, "number") if name not in frame.frozen]
        if frame.nested or not free:
            return self.atom(frame)
        return f"({self.pick(free)} := {self.number(frame, depth)})"

    def table(self, frame, depth):
        key = self.pick((*["'k'"] * 9, "'m'"))
        return f"{{'k': {self.number(frame, depth)}, 'n': {self.number(frame, depth)}}}[{key}]"

    def lambda_call(self, frame, depth):
        kept = {name: kind for name, kind in frame.variables.items() if name in frame.frozen}
        name = self.pick(NAMES)
        inner = Frame({**kept, name: "number"}, set(), frame.context, nested=True, ever=frame.ever, shadow=frame.shadow)
        return f"(lambda {name}, *, kw={self.pick(('1', 'None'))}: {self.number(inner, depth)})({self.number(frame, depth)})"

    def record_field(self, frame, depth):
        record = self.pick(self.parts.records)
        variables = self.of_kind(frame, record.name)
        name, kind = self.pick(record.fields)
        value = self.pick(variables) if variables and self.chance(80) else self.record(frame, record, depth)
        if kind == "items":
            return f"sum({value}.{name})"
        if kind == "text":
            return f"len({value}.{name})"
        return f"{value}.{name}"

    def record(self, frame, record, depth):
        variables = self.of_kind(frame, record.name)
        if variables and self.chance(30) and not record.is_dataclass:
            name, kind = self.pick(record.fields)
            value = self.number(frame, depth) if kind == "number" and self.chance(60) else literal_of(self.random, kind)
            return f"{self.pick(variables)}._replace({name}={value})"
        if variables and self.chance(50):
            return self.pick(variables)
        arguments = []
        for name, kind in record.fields:
            if name in record.defaults and self.chance(60):
                continue
            literal = literal_of(self.random, kind) if self.chance(40) else record.usual[name]
            arguments.append((name, self.number(frame, depth) if kind == "number" and self.chance(20) else literal))
        return f"{record.name}({', '.join(f'{name}={value}' for name, value in arguments)})"

    def instance(self, frame, made, depth):
        variables = self.of_kind(frame, made.name)
        if variables and self.chance(85):
            return self.pick(variables)
        values = [self.number(frame, depth) if self.chance(50) else self.pick(made.usual) for _ in made.parameters]
        return f"{made.name}({', '.join(values)})"

    def attribute(self, frame, depth):
        if frame.self_class is not None and self.chance(60):
            return f"self.{self.pick(frame.self_class.attributes)}"
        if not self.written:
            return self.atom(frame)
        made = self.pick(self.written)
        return f"{self.instance(frame, made, depth)}.{self.pick(made.attributes)}"

    def method(self, frame, depth):
        known = [made for made in self.written if made.methods and made is not frame.self_class]
        own = [item for item in getattr(frame.self_class, "methods", ()) if item.context <= frame.context]
        if own and self.chance(40):
            return self.call(frame, self.pick(own), depth, "self.")
        if not known:
            return self.atom(frame)
        made = self.pick(known)
        methods = [item for item in made.methods if item.context <= frame.context]
        if not methods:
            return self.atom(frame)
        fresh = [item for item in methods if not item.calls] or methods
        return self.call(frame, self.pick(fresh), depth, self.instance(frame, made, depth) + ".")

    def component(self, frame, depth):
        """A call of something the entry chose."""
        if not frame.context:
            return self.atom(frame)
        return self.pick(self.parts.component_calls).replace("$", self.number(frame, depth))

    def called(self, frame, depth):
        fits = [item for item in self.functions if item.context <= frame.context and item.returns == "number"]
        fits = [
            item
            for item in fits
            if not item.is_generator and item.calls < 3 and item.name not in (*frame.shadow, *frame.hidden)
        ]
        fresh = [item for item in fits if not item.calls]
        if not fits or (not fresh and self.chance(70)):
            return self.atom(frame)
        return self.call(frame, self.pick(fresh or fits), depth)

    def callable_in(self, frame):
        """Functions that are written already and whose names mean them here."""
        taken = (*frame.shadow, *frame.hidden)
        return [item for item in self.functions if item.context <= frame.context and item.name not in taken]

    def call(self, frame, function, depth, prefix=""):
        function.calls += 1
        given = []
        if function.context:
            given += ["settings", "program"]
        for place, (name, kind, default) in enumerate(function.parameters):
            if default is not None and self.chance(60):
                given.append(None)
                continue
            value = self.value(frame, kind, depth)
            if kind == "number" and self.chance(35):
                self.labels += 1
                value = f"{self.pick(('see', 'see', 'see', 'fail'))}({self.labels}, {value})"
            by_name = place >= len(function.parameters) - function.keyword_only or None in given or self.chance(15)
            given.append(f"{name}={value}" if by_name or any("=" in (item or "")[:9] for item in given) else value)
        return f"{prefix}{function.name}({', '.join(item for item in given if item)})"

    def value(self, frame, kind, depth):
        if kind == "number":
            return self.number(frame, depth)
        if kind == "items":
            return self.items(frame, depth)
        record = next((item for item in self.parts.records if item.name == kind), None)
        if record is not None:
            return self.record(frame, record, depth)
        made = next(item for item in self.parts.classes if item.name == kind)
        return self.instance(frame, made, depth)
