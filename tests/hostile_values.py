"""Expressions of hostile programs: what they read is what their neighbours change."""

from hostile_draw import Draw, Method


class Values(Draw):
    """Adds expressions; each is a whole number of moderate size."""

    def number(self, env, depth=2):
        if depth <= 0 or self.chance(15):
            return self.atom(env)
        makers = (self.arithmetic, self.arithmetic, self.asked, self.asked, self.asked, self.called, self.called)
        makers += (self.noted, self.chosen, self.walrus, self.walrus, self.pair, self.table, self.logic, self.listed)
        makers += (self.lambda_call, self.text, self.chain, self.part, self.fields, self.built_in)
        return self.pick(makers)(env, depth - 1)

    def atom(self, env):
        ways = [self.digit]
        if env.numbers:
            ways += [lambda: self.pick(env.numbers)] * 3
        if env.objects or env.owner:
            ways += [lambda: self.attribute(env)] * 4
        if env.context:
            ways.append(lambda: self.pick(("settings.depth", "settings.width", "len(settings.label)")))
        return self.pick(ways)()

    def thing(self, env):
        """(an expression that is an object, its class)."""
        things = list(env.objects.items())
        if env.owner is not None:
            things += [("self", env.owner)] * 2
        return self.pick(things) if things else (None, None)

    def attribute(self, env):
        thing, shape = self.thing(env)
        names = [*shape.numbers, *shape.numbers, *shape.properties, *shape.constants]
        return f"{thing}.{self.pick(names)}"

    def arithmetic(self, env, depth):
        form = self.pick(("({} + {}) % 97", "({} * 3 - {}) % 89", "abs({} - {})", "({} ^ {}) % 64"))
        return f"({form.format(self.number(env, depth), self.number(env, depth))})"

    def noted(self, env, depth):
        return f"note({self.label()}, {self.number(env, depth)})"

    def test(self, env, depth):
        operator = self.pick(("<", ">", "==", "!=", "<=", "in"))
        if operator == "in":
            return f"{self.number(env, depth)} in ({self.number(env, depth)}, {self.number(env, 0)})"
        return f"{self.number(env, depth)} {operator} {self.number(env, depth)}"

    def chosen(self, env, depth):
        return f"({self.number(env, depth)} if {self.test(env, depth)} else {self.number(env, depth)})"

    def chain(self, env, depth):
        return f"int({self.number(env, depth)} < {self.number(env, depth)} <= {self.number(env, depth)})"

    def logic(self, env, depth):
        return f"({self.number(env, depth)} {self.pick(('and', 'or'))} {self.number(env, depth)})"

    def walrus(self, env, depth):
        free = [name for name in env.numbers if name not in env.once]
        if env.in_closure or not free:
            return self.arithmetic(env, depth)
        return f"({self.pick(free)} := {self.number(env, depth)})"

    def pair(self, env, depth):
        return f"({self.number(env, depth)}, {self.number(env, depth)})[{self.pick('01')}]"

    def table(self, env, depth):
        return f"{{'p': {self.number(env, depth)}, 'q': {self.number(env, depth)}}}[{self.pick(('q', 'p'))!r}]"

    def text(self, env, depth):
        del depth  # what stands in braces is short, and holds no text
        return f'len(f"{{{self.atom(env)}}}{{{self.atom(env)}:02d}}")'

    def lambda_call(self, env, depth):
        word = self.word(*env.numbers)
        body = self.number(env.closure(word), depth)
        way = self.pick(("{}", f"{word}={{}}")).format(self.number(env, depth))
        return f"(lambda {word}: {body})({way})"

    def listed(self, env, depth):
        word = self.new("each")
        body, items = self.number(env.closure(word), depth), self.number(env.closure(), depth)
        return f"(sum([{body} for {word} in ({items}, {self.atom(env)})]) % 97)"

    def built_in(self, env, depth):
        form = self.pick(
            ("max({}, {})", "min({}, {})", "divmod({}, 7)[{} % 2]", "sum(({}, {}))", "pow({}, 2, 91) + {}")
        )
        return f"({form.format(self.number(env, depth), self.number(env, depth))} % 97)"

    def fields(self, env, depth):
        """Several attributes of one object beside a call that changes them."""
        thing, shape = self.thing(env)
        if thing is None:
            return self.arithmetic(env, depth)
        reads = [f"{thing}.{self.pick(shape.numbers)}" for _ in range(2)]
        parts = self.sample([*reads, self.asked(env, depth), f"len({thing}.{self.pick(shape.lists)})"], 4)
        return f"(({' + 2 * '.join(parts)}) % 97)"

    def asked(self, env, depth):
        """A method, or a call, of an object: it changes the object."""
        thing, shape = self.thing(env)
        if thing is None:
            return self.called(env, depth)
        methods = [method for method in shape.methods if method.kind != "generator" and self.fits(env, method)]
        if shape.called is not None and self.chance(30):
            return self.call(env, thing, shape.called, depth)
        if not methods:
            return self.attribute(env)
        method = self.pick(methods)
        if method.kind == "static" and self.chance(30):
            return self.call(env, f"{shape.name}.{method.name}", method, depth)
        return self.call(env, f"{thing}.{method.name}", method, depth)

    def called(self, env, depth):
        hidden = {*env.numbers, *env.objects}
        fits = [item for item in self.functions if item.name not in hidden]
        fits = [item for item in fits if self.fits(env, item)]
        if not fits:
            return self.arithmetic(env, depth)
        function = self.pick(fits)
        name = function.name
        if self.chance(15) and len(fits) > 1:
            same = [item for item in fits if item.parameters == function.parameters and item is not function]
            name = f"({name} if {self.test(env, 0)} else {self.pick(same).name})" if same else name
        return self.call(env, name, function, depth)

    def part(self, env, depth):
        """What the entry has chosen."""
        if not env.context:
            return self.asked(env, depth)
        form = self.pick(("program.gauge({})", "program.gauge.reads + program.gauge({})", "program.bound({})"))
        form = self.pick((form, form, "program.gauge({}) * program.gauge.reads", "program.chosen({}, {})"))
        return f"(({form.replace('{}', '%s') % ((self.number(env, depth),) * form.count('{}'))}) % 97)"

    def fits(self, env, function):
        """Are there objects of the classes that its parameters want?"""
        kinds = {"number", *(shape.name for _, shape in self.objects(env))}
        return all(kind in kinds for _, kind, _ in function.parameters)

    def objects(self, env):
        return [*env.objects.items(), *([("self", env.owner)] if env.owner else [])]

    def value(self, env, kind, depth):
        if kind == "number":
            return self.number(env, depth)
        return self.pick([name for name, shape in self.objects(env) if shape.name == kind])

    def call(self, env, name, function: Method, depth):
        """A call, often with keywords in an order of its own."""
        first = self.random.randrange(len(function.parameters) + 1) if self.chance(60) else len(function.parameters)
        first = min(first, len(function.parameters) - function.keyword_only)
        positions, words = [], []
        for place, (parameter, kind, default) in enumerate(function.parameters):
            if default is not None and self.chance(40):
                first = min(first, place)
                continue
            value = self.value(env, kind, depth)
            if place < first:
                positions.append(value)
            else:
                words.append(f"{parameter}={value}")
        return f"{name}({', '.join([*positions, *self.sample(words, len(words))])})"
