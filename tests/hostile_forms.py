"""Scenes of generators, chained errors, Enum, inheritance and class attributes."""

from hostile_handlers import Handlers


class Forms(Handlers):
    """Each scene gives (definitions, statements)."""

    def scene_generator_closed(self, env):
        task, one = self.top("task"), self.word()
        lines = [
            f"def {task}({one}):",
            "    try:",
            f"        yield {one}",
            f"        yield {one} * 2",
            "    finally:",
            f"        print('closed', {one})",
        ]
        body = [
            f"flow = {task}({self.number(env, 1)})",
            "print(next(flow))",
            self.pick(("flow.close()", "flow = None", "print(list(flow))")),
        ]
        loop = [f"for each in {task}({self.number(env, 1)}):", "    print(each)", "    break", "each = None"]
        return lines, [*body, *loop, "print('end')"]

    def scene_kept_error(self, env):
        """Chains of errors, and what a handler's name is afterwards."""
        task, one = self.top("task"), self.word()
        lines = [f"def {task}({one}):", "    try:", f"        raise KeyError({one})", "    except KeyError as error:"]
        lines += [f"        raise RuntimeError({one} + 1) from {self.pick(('error', 'None'))}"]
        body = ["try:", f"    {task}({self.number(env, 1)})", "except RuntimeError as error:"]
        return lines, [*body, "    print(error.args, type(error.__cause__) is KeyError, error.__context__.args)"]

    def scene_enumerated(self, env):
        """An Enum is asked by value, by name, in order."""
        name, (one, two, three) = self.new("Kind"), [word.upper() for word in self.words(3, "name", "value")]
        lines = [f"class {name}(Enum):", f"    {one} = {self.digit()}", f"    {two} = 'two'", f"    {three} = (1, 2)"]
        if self.chance(50):
            word = self.word("name", "value")
            lines += [f"    def {word}(self, by=2):", "        return self.value * by"]
            extra = [f"{name}.{two}.{word}()", f"{name}.{one}.{word}(by=3)"]
        else:
            extra = [f"{name}['{three}'].value"]
        forms = (
            f"{name}.{one}.value",
            f"{name}('two') is {name}.{two}",
            f"{name}.{two}.name",
            f"[kind.value for kind in {name}]",
            f"{{{name}.{one}: 1}}[{name}.{one}]",
            *extra,
        )
        return lines, [f"print({form})" for form in self.sample(forms, 4)]

    def scene_inherited(self, env):
        """A class below another: super, overriding, and what only one of them stores."""
        base, below, (one, two, ask) = self.new("Base"), self.new("Below"), self.words(3, "self")
        lines = [
            f"class {base}:",
            f"    {two} = {self.digit()}",
            f"    def __init__(self, {one}=1):",
            f"        self.{one} = {one}",
            f"    def {ask}(self, {two}=2):",
        ]
        lines += [f"        self.{one} += {two}", f"        return self.{one} * self.{two}", f"class {below}({base}):"]
        if self.chance(50):
            lines += [f"    {two} = {self.digit()}"]
        if self.chance(50):
            lines += [
                "    def __init__(self, start):",
                f"        super().__init__({one}=start + 1)",
                f"        self.{two} = start",
            ]
        if self.chance(50):
            lines += [f"    def {ask}(self, {two}=3):", f"        return super().{ask}({two}={two} + 1) + self.{one}"]
        if lines[-1].startswith("class"):
            lines.append("    pass")
        body = [
            f"pair = [{base}({self.number(env, 1)}), {below}({self.number(env, 1)})]",
            f"print([each.{ask}() for each in pair], [each.{two} for each in pair])",
        ]
        return lines, [
            *body,
            f"print(pair[1].{ask}({two}={self.number(env, 1)}), {base}.{two}, isinstance(pair[1], {base}))",
        ]

    def scene_class_state(self, env):
        """A class's constant, hidden by what one object stores."""
        name, (one, two) = self.new("Shared"), self.words(2, "self")
        lines = [
            f"class {name}:",
            f"    {one} = {self.digit()}",
            f"    def {two}(self):",
            f"        self.{one} += 1",
            f"        return self.{one} + {name}.{one}",
        ]
        return lines, [
            f"pair = [{name}(), {name}()]",
            f"print(pair[0].{two}(), pair[1].{one}, pair[0].{two}(), {name}.{one})",
        ]

    def scene_mutable_record(self, env):
        """A dataclass that is not frozen, with a factory and what it does after it is made."""
        name, (one, two, three, ask) = self.new("Facts"), self.words(4, "self")
        lines = [
            "@dataclass",
            f"class {name}:",
            f"    {one}: int",
            f"    {two}: list = dataclasses.field(default_factory=list)",
        ]
        lines += [f"    {three}: int = {self.digit()}"]
        if self.chance(50):
            lines += ["    def __post_init__(self):", f"        self.{three} += self.{one}"]
        lines += [f"    def {ask}(self, {one}=2):", f"        self.{two}.append({one})", f"        self.{three} -= 1"]
        lines += [f"        return self.{three} + len(self.{two})"]
        body = [
            f"pair = [{name}({self.number(env, 1)}), {name}({three}={self.number(env, 1)}, {one}={self.number(env, 1)})]"
        ]
        body += [
            f"pair[0].{one} = pair[1].{ask}({self.number(env, 1)})",
            f"print(pair[0].{ask}(), pair[1].{two}, pair[0] == pair[1])",
        ]
        forms = (
            "pair[0]",
            "dataclasses.asdict(pair[1])",
            f"dataclasses.replace(pair[0], {one}=3).{ask}()",
            f"pair[0].{one}",
        )
        return lines, [*body, *(f"print({form})" for form in self.sample(forms, 2))]

    def scene_class_table(self, env):
        """A mutable constant of a class, which all its objects share, and defaults that are computed."""
        name, task, limit = self.new("Table"), self.top("task"), self.new("LIMIT").upper()
        one, two, ask = self.words(3, "self", task)
        lines = [
            f"{limit} = {self.digit()}",
            f"class {name}:",
            f"    {one} = {{'k': {self.digit()}}}",
            f"    {two} = {limit} + 1",
        ]
        lines += [f"    def {ask}(self, by={limit}):", f"        self.{one}['k'] += by", f"        self.{two} += 1"]
        lines += [f"        return self.{one}['k'] + self.{two} * {limit}"]
        lines += [
            f"def {task}({one}, {two}={limit} * 2, *, {ask}=(1, {limit})):",
            f"    return {one} + {two} + {ask}[1]",
        ]
        body = [
            f"pair = [{name}(), {name}()]",
            f"print(pair[0].{ask}(), pair[1].{ask}({self.number(env, 1)}), pair[0].{one}, {name}.{two})",
        ]
        return lines, [
            *body,
            f"print({task}({self.number(env, 1)}), {task}({two}={self.number(env, 1)}, {one}=pair[0].{ask}()))",
        ]

    def scene_kinds(self, env):
        """Other Enums, as dictionary keys and in comparisons, and a Protocol."""
        name, asked, (one, two) = (
            self.new("Flags"),
            self.new("Asked"),
            [word.upper() for word in self.words(2, "name", "value")],
        )
        base, values = self.pick((("IntEnum", "12"), ("IntFlag", "12"), ("StrEnum", ("'a'", "'b'"))))
        ask = self.word("self")
        lines = [f"class {name}({base}):", f"    {one} = {values[0]}", f"    {two} = {values[1]}"]
        lines += [f"class {asked}(Protocol):", f"    def {ask}(self, by):", "        ..."]
        forms = (
            f"{name}.{one}",
            f"{name}.{one} == {values[0]}",
            f"f'{{{name}.{two}}}'",
            f"{{{name}.{two}: 4}}[{name}({values[1]})]",
        )
        forms += (f"sorted({name})", f"repr({name}.{one})", f"str({name}.{two})", f"{name}.{one} + {name}.{two}")
        return lines, [f"print({form})" for form in self.sample(forms, 4)]
