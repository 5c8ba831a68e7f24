"""Statements of hostile programs: state that changes between a read and its use."""

from hostile_draw import INDENT, indent
from hostile_shapes import Shapes


class Statements(Shapes):
    """Adds statements."""

    def statements(self, env, size, depth=1):
        lines = []
        for _ in range(1 + self.random.randrange(size)):
            lines += self.statement(env, depth)
        return lines

    def statement(self, env, depth):
        plain = (self.assign, self.assign, self.store, self.store, self.show, self.augment, self.both, self.alone)
        plain += (self.closure, self.generator, self.objects_in_turn, self.copied)
        nested = (self.branch, self.loop, self.repeat)
        return self.pick(nested)(env, depth - 1) if depth > 0 and self.chance(30) else self.pick(plain)(env)

    def assign(self, env):
        value = self.number(env)
        free = [name for name in env.numbers if name not in env.once]
        if free and self.chance(60):
            return [f"{self.pick(free)} = {value}"]
        name = self.word(*env.numbers, *env.objects, *self.taken)
        if name in (*env.numbers, *env.objects):
            return []
        env.numbers.append(name)
        self.local.add(name)
        return [f"{name} = {value}"]

    def store(self, env):
        thing, shape = self.thing(env)
        if thing is None:
            return self.assign(env)
        return [f"{thing}.{self.pick(shape.numbers)} = {self.number(env)}"]

    def show(self, env):
        parts = [self.number(env) for _ in range(1 + self.random.randrange(3))]
        return [f"print({self.label()}, {', '.join(parts)})"]

    def augment(self, env):
        """The target is read before the value is computed."""
        thing, shape = self.thing(env)
        if thing is None or self.chance(30):
            free = [name for name in env.numbers if name not in env.once]
            return [f"{self.pick(free)} += {self.number(env)}"] if free else self.show(env)
        return [f"{thing}.{self.pick(shape.numbers)} {self.pick(('+=', '-='))} {self.number(env)}"]

    def both(self, env):
        free = [name for name in env.numbers if name not in env.once]
        thing, shape = self.thing(env)
        targets = [*free, *([f"{thing}.{name}" for name in shape.numbers] if thing else [])]
        if len(set(targets)) < 2:
            return self.show(env)
        one, two = self.sample(targets, 2)
        return [f"{one}, {two} = {self.number(env)}, {self.number(env)}"]

    def alone(self, env):
        return [self.pick((self.asked, self.called))(env, 1)]

    def closure(self, env):
        """A function inside that changes a list of the one around it."""
        cell, name, word = self.new("cell"), self.new("inner"), self.word(*env.numbers)
        inside = env.closure(word)
        body = [f"{cell}.append({self.number(inside, 1)})", f"return {self.number(inside, 1)} + len({cell})"]
        lines = [f"{cell} = [{self.number(env, 1)}]", f"def {name}({word}={self.digit()}):", *indent(body)]
        calls = [f"{name}()", f"{name}({word}={self.number(env, 1)})", f"{cell}[-1]", f"len({cell})"]
        return [*lines, f"print({self.label()}, {', '.join(self.sample(calls, 4))})"]

    def generator(self, env):
        """Half a generator, something else, and the rest of it."""
        pairs = [
            (thing, method)
            for thing, shape in self.objects(env)
            for method in shape.methods
            if method.kind == "generator"
        ]
        if not pairs:
            return self.objects_in_turn(env)
        thing, method = self.pick(pairs)
        name = self.new("turns")
        lines = [f"{name} = {self.call(env, f'{thing}.{method.name}', method, 0)}"]
        return [*lines, f"print({self.label()}, next({name}), {self.number(env)}, sum({name}), {self.number(env)})"]

    def objects_in_turn(self, env):
        """Objects of one class in a list, a dictionary or under another name."""
        if not self.shapes:
            return self.show(env)
        shape = self.pick(self.shapes)
        others = [name for name, found in env.objects.items() if found is shape]
        values = [self.pick(others) if others and self.chance(60) else self.instance(env, shape) for _ in range(2)]
        name = self.new("each")
        inside = env.closure()
        inside.objects = {**env.objects, name: shape}
        lines = [f"for {name} in ({', '.join(values)}):", INDENT + f"print({self.label()}, {self.number(inside, 2)})"]
        return lines if self.chance(70) else [*lines, *indent(self.store(inside))]

    def instance(self, env, shape):
        values = [self.number(env, 1), self.digit()]
        if self.chance(40):
            words = [f"{word}={value}" for word, value in zip(shape.initial, values, strict=True)]
            return f"{shape.name}({', '.join(self.sample(words, 2))})"
        return f"{shape.name}({', '.join(values[: 1 + self.random.randrange(2)])})"

    def copied(self, env):
        """A copy changes alone; another name for the object does not."""
        things = list(env.objects.items())
        if not things:
            return self.show(env)
        thing, shape = self.pick(things)
        name = self.new("twin")
        lines = [f"{name} = {self.pick(('copy.copy({})', 'copy.deepcopy({})', '{}')).format(thing)}"]
        inside = env.closure()
        inside.objects = {name: shape, thing: shape}
        return [*lines, *self.store(inside), f"print({self.label()}, {self.fields(inside, 1)}, {self.number(inside)})"]

    def branch(self, env, depth):
        lines = [f"if {self.test(env, 2)}:", *self.block(env, depth)]
        return [*lines, "else:", *self.block(env, depth)] if self.chance(50) else lines

    def block(self, env, depth):
        """Statements whose new names nothing after them knows."""
        numbers = list(env.numbers)
        lines = self.statements(env, 2, depth)
        env.numbers = numbers
        return indent(lines)

    def loop(self, env, depth):
        name = self.new("turn")
        items = self.pick((f"range({self.number(env, 1)} % 3)", f"({self.number(env, 1)}, {self.number(env, 1)})"))
        before = env.numbers
        env.numbers = [*before, name]
        body = self.statements(env, 2, depth)
        env.numbers = before
        return [f"for {name} in {items}:", *indent(body)]

    def repeat(self, env, depth):
        name = self.new("left")
        lines, before = [f"{name} = {self.number(env, 1)} % 3", f"while {name} > 0:"], list(env.numbers)
        body = [f"{name} -= 1", *self.statements(env, 2, depth)]
        if self.chance(40):
            body.append(f"if {self.test(env, 1)}:")
            body.append(INDENT + self.pick(("break", "continue")))
        env.numbers = before
        return [*lines, *indent(body)]
