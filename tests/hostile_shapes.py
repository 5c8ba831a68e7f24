"""Classes and functions of hostile programs: methods change what their callers read."""

from hostile_draw import INDENT, Env, Method, Shape, indent
from hostile_values import Values

BODIES = ("bump", "swap", "mix", "push", "drain", "ask", "dig", "walk", "static", "early", "open", "shut")


class Shapes(Values):
    """Adds definitions."""

    def shape(self):
        """A class, with its text as lines."""
        words = self.words(5)
        made = Shape(self.new("Shape"), words[:2], words[2:3], words[3], [self.digit(), self.digit()])
        taken = [*words]
        if self.chance(50):
            made.constants = [self.word(*taken)]
            taken += made.constants
        base = "(nn.Module)" if self.chance(6) else ""
        lines = [f"class {made.name}{base}:"]
        lines += [f"    {name} = {self.digit()}" for name in made.constants]
        lines += indent(self.constructor(made, ["super().__init__()"] if base else []))
        for body in self.sample(BODIES, 3 + self.random.randrange(4)):
            name = self.word(*taken)
            taken.append(name)
            lines += indent(getattr(self, f"method_{body}")(made, name))
        for _ in range(self.random.randrange(3)):
            lines += indent(self.property(made, self.word(*taken, *made.properties)))
        if self.chance(60):
            lines += indent(self.special(made))
        self.shapes.append(made)
        return lines

    def constructor(self, made, first):
        one, two = made.numbers
        (items,) = made.lists
        parameters = self.words(2, "self") if self.chance(50) else [one, two]
        made.initial = parameters
        defaults = f"{parameters[0]}, {parameters[1]}={self.digit()}"
        lines = [f"def __init__(self, {defaults}):"]
        stores = [
            *first,
            f"self.{one} = {parameters[0]}",
            f"self.{two} = {parameters[1]}",
            f"self.{items} = [{parameters[0]}]",
        ]
        if self.chance(20):
            stores.append(f"if {parameters[0]} > 5:")
            stores.append(INDENT + f"self.{made.late} = {self.digit()}")
        return lines + indent(stores)

    def add(self, made, method):
        made.methods.append(method)

    def inside(self, made, *numbers):
        """What a method may use: itself, but none of the methods that come later."""
        return Env([*numbers], [], {}, made)

    def method_bump(self, made, name):
        word = self.word("self")
        lines = [f"def {name}(self, {word}={self.digit()}):"]
        body = [f"self.{made.numbers[0]} = (self.{made.numbers[0]} + {word}) % 97"]
        if self.chance(40):
            body = [f"self.{made.numbers[0]} += {word}", f"self.{made.numbers[0]} %= 97"]
        self.add(made, Method(name, [(word, "number", "1")]))
        return lines + indent([*body, f"return self.{self.pick(made.numbers)}"])

    def method_swap(self, made, name):
        one, two = made.numbers
        self.add(made, Method(name, []))
        body = [f"self.{one}, self.{two} = self.{two}, self.{one}", f"return self.{one} * 2 + self.{two}"]
        return [f"def {name}(self):", *indent(body)]

    def method_mix(self, made, name):
        one, two = words = self.words(2, "self")
        env = self.inside(made, *words)
        body = []
        if self.chance(60):
            body.append(f"self.{self.pick(made.numbers)} = {self.number(env, 2)}")
        if self.chance(40):
            body.append(f"self.{self.pick(made.numbers)} = {self.number(env, 1)} + {two}")
        star = self.chance(25)
        result = f"return {self.number(env, 2)}"
        self.add(made, Method(name, [(one, "number", None), (two, "number", "3")], int(star)))
        head = f"def {name}(self, {one}, {'*, ' * star}{two}={self.digit()}):"
        return [head, *indent([*body, result])]

    def method_push(self, made, name):
        word = self.word("self")
        self.add(made, Method(name, [(word, "number", None)]))
        (items,) = made.lists
        return [f"def {name}(self, {word}):", *indent([f"self.{items}.append({word})", f"return len(self.{items})"])]

    def method_drain(self, made, name):
        self.add(made, Method(name, []))
        (items,) = made.lists
        return [f"def {name}(self):", *indent([f"return self.{items}.pop() if self.{items} else {self.digit()}"])]

    def method_ask(self, made, name):
        """Changes another object that it gets."""
        if not self.shapes:
            return self.method_swap(made, name)
        other = self.pick(self.shapes)
        thing, word = self.words(2, "self")
        env = Env([word], [], {thing: other}, made)
        body = [f"{thing}.{self.pick(other.numbers)} = {self.number(env, 1)}", f"return {self.number(env, 2)}"]
        self.add(made, Method(name, [(thing, other.name, None), (word, "number", None)]))
        return [f"def {name}(self, {thing}, {word}):", *indent(body)]

    def method_dig(self, made, name):
        word = self.word("self")
        env = self.inside(made, word)
        env.once = [word]
        body = [
            f"if {word} < 1:",
            f"    return self.{made.numbers[1]}",
            f"self.{made.numbers[1]} = {self.number(env, 1)}",
        ]
        body.append(f"return (self.{name}({word} % 4 - 1) + self.{self.pick(made.numbers)}) % 97")
        self.add(made, Method(name, [(word, "number", None)]))
        return [f"def {name}(self, {word}):", *indent(body)]

    def method_walk(self, made, name):
        word = self.word("self")
        body = [f"for each in range({word} % 3 + 1):", INDENT + f"self.{made.numbers[0]} += each"]
        body += [INDENT + f"yield self.{self.pick(made.numbers)} + each"]
        self.add(made, Method(name, [(word, "number", None)], kind="generator"))
        return [f"def {name}(self, {word}):", *indent(body)]

    def method_static(self, made, name):
        one, two = words = self.words(2)
        env = Env([*words])
        self.add(made, Method(name, [(one, "number", None), (two, "number", "2")], kind="static"))
        return ["@staticmethod", f"def {name}({one}, {two}={self.digit()}):", INDENT + f"return {self.number(env, 1)}"]

    def method_early(self, made, name):
        """Several ways out, and a variable that one of them may leave unset."""
        word, local = self.words(2, "self")
        env = self.inside(made, word)
        body = [f"if {self.test(env, 1)}:", INDENT + f"return {self.number(env, 1)}"]
        body += [f"{local} = self.{made.numbers[1]}", f"self.{made.numbers[1]} = {self.number(env, 1)}"]
        self.add(made, Method(name, [(word, "number", None)]))
        return [f"def {name}(self, {word}):", *indent([*body, f"return {local} * 2 - self.{made.numbers[1]}"])]

    def method_open(self, made, name):
        self.add(made, Method(name, []))
        return [
            f"def {name}(self):",
            *indent([f"self.{made.late} = self.{made.numbers[0]}", f"return self.{made.late}"]),
        ]

    def method_shut(self, made, name):
        """Forgets what may never have been there."""
        self.add(made, Method(name, []))
        error = self.pick(("AttributeError", "Exception", "(KeyError, AttributeError)"))
        body = ["try:", INDENT + f"del self.{made.late}", f"except {error}:", INDENT + f"return {self.digit()}"]
        return [f"def {name}(self):", *indent([*body, f"return self.{made.numbers[0]}"])]

    def property(self, made, name):
        made.properties.append(name)
        (items,) = made.lists
        effect = self.pick((f"self.{made.numbers[0]} += 1", f"self.{items}.append(2)", f"note({self.label()}, 0)"))
        return ["@property", f"def {name}(self):", *indent([effect, f"return (self.{made.numbers[0]} * 3) % 97"])]

    def special(self, made):
        number, other = made.numbers
        (items,) = made.lists
        if self.chance(60):
            word = self.word("self")
            made.called = Method("__call__", [(word, "number", None)])
            body = [f"self.{number} = (self.{number} + {word}) % 97", f"return self.{other} + self.{number}"]
            return [f"def __call__(self, {word}):", *indent(body)]
        return self.pick(
            (
                ["def __len__(self):", f"    self.{number} += 1", f"    return abs(self.{other}) % 3"],
                ["def __bool__(self):", f"    self.{number} += 1", f"    return self.{other} % 2 == 0"],
                ["def __getitem__(self, key):", f"    return self.{items}[key]"],
                ["def __lt__(self, other):", f"    self.{number} += 1", f"    return self.{other} < other.{other}"],
                ["def __str__(self):", f"    return f'<{{self.{number}}}>'"],
            )
        )

    def function(self):
        """A function, whose parameters may be objects that it changes."""
        kinds = ["number", "number", "number", *(shape.name for shape in self.shapes)]
        words = self.words(1 + self.random.randrange(4))
        parameters = [(word, self.pick(kinds), None) for word in words]
        for place in range(len(parameters) - 1, -1, -1):
            if parameters[place][1] != "number" or self.chance(60):
                break
            parameters[place] = (words[place], "number", self.digit())
        star = int(self.chance(20)) if len(parameters) > 1 else 0
        made = Method(self.top("task"), parameters, star, "function")
        objects = {word: self.shape_of(kind) for word, kind, _ in parameters if kind != "number"}
        env = Env([word for word, kind, _ in parameters if kind == "number"], [], objects)
        parts = [word if default is None else f"{word}={default}" for word, _, default in parameters]
        if star:
            parts.insert(len(parts) - 1, "*")
        lines = [f"def {made.name}({', '.join(parts)}):", *indent(self.statements(env, 3)), ""]
        lines[-1] = INDENT + f"return {self.number(env, 2)}"
        self.functions.append(made)
        return lines

    def shape_of(self, name):
        return next(shape for shape in self.shapes if shape.name == name)
