"""The statements of random programs (`program_maker` writes their expressions)."""

from program_maker import INDENT, NAMES, Frame, Maker

ERRORS = ("ValueError", "KeyError", "ZeroDivisionError", "IndexError", "(ValueError, ZeroDivisionError)")


def indent(lines):
    return [INDENT + line for line in lines] or [INDENT + "pass"]


class Writer(Maker):
    """Adds statements to the expressions."""

    # Variables

    def target(self, frame, kind):
        """A name that may be bound to a value of this kind here, or an empty string."""
        names = [
            name
            for name in (*NAMES, *frame.shadow)
            if name not in frame.frozen and (frame.variables.get(name, kind) == kind)
            if name in frame.variables or name not in frame.ever
        ]
        return self.pick(names) if names else f"fresh_{self.count()}"

    def count(self):
        self.labels += 1
        return self.labels

    def bind(self, frame, name, kind, frozen=False):
        if frozen and name not in frame.ever:
            frame.frozen.add(name)
        frame.ever.add(name)
        frame.variables[name] = kind

    def block(self, frame, depth, size=2):
        """Statements in a block of their own: what they bind anew is not known after it."""
        before = dict(frame.variables)
        lines = self.statements(frame, depth, size)
        frame.variables = before
        return indent(lines)

    def statements(self, frame, depth, size):
        lines = []
        for _ in range(1 + self.random.randrange(size)):
            found = self.statement(frame, depth)
            lines += found
            if found and found[-1].startswith(("return", "raise", "break", "continue")):
                break
        return lines

    # Statements

    def statement(self, frame, depth):
        plain = (self.assign, self.assign, self.assign, self.assign_other, self.call_alone, self.augment, self.pair)
        plain += (self.store, self.append, self.show_text, self.leave, self.closure, self.use_record)
        nested = (self.branch, self.branch, self.loop, self.repeat, self.attempt, self.guarded, self.taps, self.inner)
        if depth > 0 and self.chance(45):
            return self.pick(nested)(frame, depth - 1)
        return self.pick(plain)(frame, depth)

    def assign(self, frame, depth):
        value = self.number(frame)
        name = self.target(frame, "number")
        self.bind(frame, name, "number", frozen=frame.loops == 0 and self.chance(40))
        return [f"{name} = {value}"]

    def assign_other(self, frame, depth):
        kind = self.pick(("items", "items", *(item.name for item in (*self.parts.records, *self.written))))
        value = self.value(frame, kind, 1)
        name = self.target(frame, kind)
        self.bind(frame, name, kind, frozen=frame.loops == 0 and self.chance(40))
        return [f"{name} = {value}"]

    def show_text(self, frame, depth):
        """An f-string, in which a literal is not always what was there before."""
        label = ":{settings.label}|{settings.depth:02d}|{settings.rate!r}" if frame.context else "{LIMIT}|"
        if "LIMIT" in (*frame.shadow, *frame.hidden):
            label = ""
        texts = self.of_kind(frame, "number")
        parts = [f"{{number({self.pick(texts)})!r:>4}}", f"{{{self.pick(texts)}!s}}"] if texts else []
        return [f'see({self.count()}, f"{"".join(parts)}it\'s{label}")']

    def call_alone(self, frame, depth):
        if self.chance(30):
            return [
                f"see({self.count()}, {self.pick(('0.1', '3', '7'))} * number({self.number(frame, 1)}) * 0.1 * 0.3)"
            ]
        return [self.pick((self.called, self.method, self.component, self.seen))(frame, 1)]

    def augment(self, frame, depth):
        names = [name for name in self.of_kind(frame, "number") if name not in frame.frozen]
        name = self.pick(names) if names else ""
        # The target is a number for certain only after this line.
        return (
            [f"{name} = number({name})", f"{name} += number({self.number(frame)})"] if name else self.assign(frame, 0)
        )

    def pair(self, frame, depth):
        value = self.paired(frame)
        one, two = self.target(frame, "number"), self.target(frame, "number")
        if one == two:
            return []
        self.bind(frame, one, "number")
        self.bind(frame, two, "number")
        return [f"{one}, {two} = {value}"]

    def paired(self, frame):
        """Two numbers: a function's pair, or two expressions."""
        fits = [item for item in self.callable_in(frame) if item.returns == "pair" and not item.calls]
        return self.call(frame, self.pick(fits), 1) if fits else f"{self.number(frame)}, {self.number(frame)}"

    def store(self, frame, depth):
        names = [(name, made) for made in self.parts.classes for name in self.of_kind(frame, made.name)]
        if frame.self_class is not None:
            names += [("self", frame.self_class)] * 2
        if not names:
            return self.assign(frame, 0)
        name, made = self.pick(names)
        attribute = self.pick(made.attributes)
        value = f"number({self.number(frame)})"
        return [f"{name}.{attribute} = {value}"]

    def append(self, frame, depth):
        name = self.target(frame, "list")
        if name not in frame.variables:
            self.bind(frame, name, "list", frozen=frame.loops == 0)
            return [f"{name} = [{self.number(frame)}]"]
        lists = self.of_kind(frame, "list")
        return [f"{self.pick(lists)}.append({self.number(frame)})", f"see({self.count()}, {self.pick(lists)})"]

    def leave(self, frame, depth):
        if frame.loops and self.chance(65):
            return [self.pick(("break", "continue"))]
        if self.chance(15):
            return [f"raise {self.pick(('ValueError', 'KeyError'))}({self.number(frame)})"]
        return [self.result(frame)] if self.chance(50) else [f"see({self.count()}, {self.number(frame)})"]

    def result(self, frame):
        if frame.returns == "generator":
            return f"yield {self.number(frame)}"
        if frame.returns == "pair":
            return f"return {self.number(frame)}, {self.number(frame)}"
        return f"return {self.number(frame)}"

    def closure(self, frame, depth):
        """A function that reads variables later, and calls of it."""
        kept = {name: kind for name, kind in frame.variables.items() if name in frame.frozen}
        inner = Frame(
            {**kept, "late": "number"}, set(), frame.context, nested=True, ever=frame.ever, shadow=frame.shadow
        )
        name = f"later_{self.count()}"
        lines = [f"{name} = lambda late: {self.number(inner)}"]
        if frame.loops == 0 and self.chance(40):
            new = f"fresh_{self.count()}"
            lines = [f"{name} = [lambda: {new} for {new} in {self.items(frame, 1)}]"]
            return [*lines, f"see({self.count()}, [one() for one in {name}])"]
        return [*lines, f"see({self.count()}, {name}({self.number(frame)}))"]

    def use_record(self, frame, depth):
        record = self.pick(self.parts.records)
        names = self.of_kind(frame, record.name)
        if not names or record.is_dataclass:
            return self.assign_other(frame, depth)
        name, other = self.pick(names), self.pick(names)
        form = self.pick(("{0} == {1}", "len({0})", "tuple({0})", "{0}[-1]", "[*{0}]", "{0} == {0}._replace({2}={3})"))
        field = self.pick(record.fields)[0]
        return [f"see({self.count()}, {form.format(name, other, field, record.usual[field])})"]

    def branch(self, frame, depth):
        lines = [f"if {self.test(frame, 1)}:", *self.block(frame, depth)]
        if self.chance(20):
            lines += [f"elif {self.test(frame, 1)}:", *self.block(frame, depth)]
        return [*lines, "else:", *self.block(frame, depth)] if self.chance(50) else lines

    def loop(self, frame, depth):
        generators = [item for item in self.callable_in(frame) if item.is_generator]
        items = self.call(frame, self.pick(generators), 1) if generators and self.chance(40) else self.items(frame, 1)
        name = self.target(frame, "number")
        before = dict(frame.variables)
        self.bind(frame, name, "number")
        frame.loops += 1
        body = [*self.block(frame, depth), *self.jump(frame)]
        frame.loops -= 1
        frame.variables = before
        lines = [f"for {name} in {items}:", *body]
        return [*lines, "else:", *self.block(frame, depth, 1)] if self.chance(15) else lines

    def repeat(self, frame, depth):
        counter = f"count_{self.count()}"
        frame.loops += 1
        body = [*self.block(frame, depth), *self.jump(frame)]
        frame.loops -= 1
        test = f"{counter} < {self.pick(('1', '2', 'LIMIT'))}".replace("LIMIT", "2")
        return [f"{counter} = 0", f"while {test}:", INDENT + f"{counter} = {counter} + 1", *body]

    def jump(self, frame):
        """Sometimes the end of a turn, under a condition."""
        if not self.chance(35):
            return []
        return indent(
            [f"if {self.test(frame, 1)}:", INDENT + self.pick(("break", "continue")), f"see({self.count()}, 'on')"]
        )

    def attempt(self, frame, depth):
        name = f"error_{self.count()}"
        lines = ["try:", *self.block(frame, depth)]
        if self.chance(70):
            lines += [f"except {self.pick(ERRORS)} as {name}:", INDENT + f"see({self.count()}, len({name}.args))"]
            lines += self.block(frame, depth, 1)
        else:
            return [*lines, "finally:", INDENT + f"see({self.count()}, {self.atom(frame)})"]
        if self.chance(20):
            lines += ["else:", *self.block(frame, depth, 1)]
        return [*lines, "finally:", INDENT + f"see({self.count()}, {self.atom(frame)})"] if self.chance(30) else lines

    def guarded(self, frame, depth):
        return [f"with Guard({self.count()}, {self.pick(('True', 'False', 'False'))}):", *self.block(frame, depth)]

    def taps(self, frame, depth):
        names = [name for name in self.of_kind(frame, "number") if name not in frame.frozen]
        if not frame.context or not names:
            return self.branch(frame, depth)
        name = self.pick(names)
        return ["for tap in program.taps:", INDENT + f"{name} = tap({name})"]

    def inner(self, frame, depth):
        """A function in a function."""
        kept = {name: kind for name, kind in frame.variables.items() if name in frame.frozen}
        name = f"inner_{self.count()}"
        inside = Frame({**kept, "late": "number"}, set(kept), False, nested=False, ever={*kept, "late"})
        inside.hidden = (*frame.shadow, *frame.hidden)
        lines = [f"def {name}(late, more=None):", *indent(self.statements(inside, 0, 2)), INDENT + self.result(inside)]
        return [*lines, f"see({self.count()}, {name}({self.number(frame, 1)}))"]
