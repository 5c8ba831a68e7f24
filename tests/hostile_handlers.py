"""Scenes that rely on handlers: on what is unset, asserted, refused, and on what runs whatever happens."""

from hostile_draw import ERRORS, Env, indent
from hostile_torch import Torch

UNSET_ATTRIBUTE = ("AttributeError", "Exception", "BaseException", "(AttributeError, KeyError)", "")
UNSET_VARIABLE = ("NameError", "UnboundLocalError", "Exception", "(KeyError, NameError)", "")
ASSERTED = ("AssertionError", "Exception", "(AssertionError, ValueError)", "")


class Handlers(Torch):
    """Each scene gives (definitions, statements)."""

    def catch(self, body, errors, handler):
        """`body` under a handler, or under `suppress`, or in a more roundabout way."""
        error = self.pick(errors)
        if error and not error.startswith("(") and self.chance(20):
            quiet = self.pick((f"contextlib.suppress({error})", f"functools.partial(contextlib.suppress, {error})()"))
            return [f"with {quiet}:", *indent(body)]
        if error and "Exception" not in error and self.chance(15):
            inside = [
                "try:",
                *indent(body),
                f"except {error} as found:",
                "    raise OverflowError('turned') from found",
            ]
            return ["try:", *indent(inside), "except OverflowError:", *indent(handler)]
        if error and self.chance(10):
            leaves = [*handler, "if turned == 0:", "    continue", "raise"]
            return ["for turned in (0,):", *indent(["try:", *indent(body), f"except {error}:", *indent(leaves)])]
        return ["try:", *indent(body), f"except {error}:" if error else "except:", *indent(handler)]

    def scene_unset_attribute(self, env):
        """A method asks for what an earlier call may have stored."""
        name, (late, other, ask) = self.new("Late"), self.words(3, "self")
        hit = self.pick(
            (
                [f"return self.{late}"],
                [f"self.{other} += self.{late}", f"return self.{other}"],
                [f"self.{late} += 1", f"return self.{late}"],
            )
        )
        store = self.pick((self.digit(), f"self.{other}", "True", "None"))
        miss = [f"self.{late} = {store}", f"return {self.pick(('-1', repr('miss'), f'self.{other}'))}"]
        method = [*self.catch(hit, UNSET_ATTRIBUTE, miss), f"self.{late} = {store}", "return 'after'"]
        lines = [
            f"class {name}:",
            f"    def __init__(self, {other}=1):",
            f"        self.{other} = {other}",
            f"    def {ask}(self):",
            *indent(method, 2),
        ]
        body = [f"late = {name}({self.number(env, 1)})", f"print(late.{ask}(), late.{ask}(), late.{ask}())"]
        if self.chance(50):
            body.append(f"print({name}().{ask}())")
        return lines, body

    def scene_unset_everywhere(self, env):
        """The handler stands around the caller of the caller, or the question is put by name."""
        name, (late, other, ask, give) = self.new("Late"), self.words(4, "self")
        task = self.top("task")
        lines = [
            f"class {name}:",
            "    def __init__(self, start):",
            f"        self.{other} = start",
            f"        if start > {self.digit()}:",
            f"            self.{late} = start",
        ]
        lines += [
            f"    def {give}(self):",
            f"        self.{late} = self.{other} + 1",
            f"        return self.{other}",
            f"    def {ask}(self):",
            f"        return self.{late} * 2",
        ]
        lines += [f"def {task}(thing):", f"    print('asks', thing.{other})", f"    return thing.{ask}()"]
        body = [
            f"late = {name}({self.number(env, 1)})",
            *self.catch([f"print({task}(late))"], UNSET_ATTRIBUTE, ["print('none')"]),
        ]
        body += [f"print(hasattr(late, '{late}'))"] if self.chance(15) else []
        body += [f"print(late.{give}(), {task}(late), late.{late})"]
        if self.chance(30):
            body += [f"del late.{late}", *self.catch([f"print(late.{late})"], UNSET_ATTRIBUTE, ["print('gone')"])]
        return lines, body

    def scene_unset_variable(self, env):
        task, (one, two, late) = self.top("task"), self.words(3)
        value = self.number(Env([one, two]), 1)
        read = self.pick((f"return {late}", f"return {two} + {late}", f"print({late})", f"{two} = {late}"))
        lines = [f"def {task}({one}, {two}=1):"]
        where = self.random.randrange(3)
        bind = [f"{late} = {value}"]
        lines += indent(
            [f"if {one} > {self.digit()}:", *indent(bind)]
            if where
            else [f"for {late} in range({one} % 2):", f"    {two} += 1"]
        )
        lines += indent([*self.catch([read], UNSET_VARIABLE, [f"{late} = {self.digit()}", f"print('unset', {two})"])])
        lines += indent([f"{late} = {two}"] if self.chance(50) else [])
        return [*lines, f"    return {two}"], [
            f"print({task}({self.digit()}), {task}({self.number(env, 1)}, {self.digit()}))"
        ]

    def scene_deleted(self, env):
        task, (one, two) = self.top("task"), self.words(2)
        lines = [
            f"def {task}({one}):",
            f"    {two} = {one} + 1",
            f"    if {one} > {self.digit()}:",
            f"        del {two}",
        ]
        lines += indent(self.catch([f"return {two}"], UNSET_VARIABLE, ["return 'deleted'"]))
        lines += ["    return 'suppressed'"]
        return lines, [f"print({task}(1), {task}(9), {task}({self.number(env, 1)}))"]

    def scene_asserted(self, env):
        """An assertion that fails, with the handler here or in the caller."""
        task, (one, two) = self.top("task"), self.words(2)
        state, seen = self.new("State"), self.word()
        lines = [f"class {state}:", "    def __init__(self):", f"        self.{seen} = 0"]
        test = self.pick(
            (f"{one} > {self.digit()}", f"{one} % 2", f"isinstance({one}, str) or {one} < 4", f"{one} is None")
        )
        inside = [
            f"{two}.{seen} += 1",
            f"assert {test}, {self.pick(('', repr('wanted') + ' #'))}".rstrip(" #").rstrip(", "),
            f"{two}.{seen} += 10",
            f"return {one}",
        ]
        lines += [f"def {task}({one}, {two}):"]
        if self.chance(50):
            lines += indent([*self.catch(inside, ASSERTED, [f"{two}.{seen} += 100"]), "return 'caught'"])
            call = [f"print({task}({self.number(env, 1)}, state))"]
        else:
            lines += indent(inside)
            call = self.catch([f"print({task}({self.number(env, 1)}, state))"], ASSERTED, ["print('asserted')"])
        return lines, [f"state = {state}()", *call, f"print(state.{seen})"]

    def scene_refused(self, env):
        """Exceptions of the program's own, with what they carry."""
        error, (one, two), task = self.new("Refused"), self.words(2, "args", "self", "count", "index"), self.top("task")
        base = self.pick(("Exception", "ValueError", "Refusal", "Refusal", "LookupError"))
        lines = [f"class {error}({base}):"]
        if self.chance(50):
            lines += [
                f"    def __init__(self, {one}, {two}=2):",
                f"        super().__init__({one}, {two})",
                f"        self.{one} = {one}",
            ]
            carried = f"error.{one}, error.args"
        else:
            lines += [f"    {one} = {self.digit()}"]
            carried = f"error.{one}, error.args, str(error)"
        lines += [
            f"def {task}({one}):",
            f"    if {one} % {self.pick('23')} == 0:",
            f"        raise {error}({one})",
            f"    return {one}",
        ]
        more = ["else:", "    print('well')"] if self.chance(40) else []
        body = [
            f"for each in ({self.number(env, 1)}, {self.number(env, 1)}):",
            "    try:",
            f"        print({task}(each), {self.number(env, 1)})",
        ]
        body += [
            f"    except {self.pick((error, base, f'(KeyError, {error})', 'Exception'))} as error:",
            f"        print({carried if self.chance(50) else 'error.args'})".replace(
                f"error.{one}, ",
                ""
                if "Exception" in body[-1:]
                else f"getattr(error, '{one}', None), "
                if self.chance(10)
                else f"error.{one}, ",
            ),
        ]
        return lines, [*body, *indent(more)]

    def scene_missing_key(self, env):
        thing, shape = self.thing(env)
        table = self.new("table")
        body = [f"{table} = {{1: 2, {self.digit()}: 3}}"]
        inside = self.pick(
            (
                f"print({table}[{self.number(env, 1)}])",
                f"print([1, 2][{self.number(env, 1)}])",
                f"print(7 // ({self.number(env, 1)} % 2))",
                f"print(int(f'{{{self.atom(env)}}}x'))",
            )
        )
        body += self.catch(
            [inside],
            ("Exception", "(LookupError, ArithmeticError, ValueError)", ""),
            [f"print('no', {self.number(env, 1)})"],
        )
        return [], [*body, *([f"print({thing}.{self.pick(shape.numbers)})"] if thing else [])]

    def scene_finally_(self, env):
        """What runs last sees what ran before, and may be left early."""
        task, (one, two) = self.top("task"), self.words(2)
        inside = Env([one])
        inside.objects, other = ({two: self.pick(self.shapes)}, True) if self.shapes else ({}, False)
        if not other:
            return self.scene_missing_key(env)
        shape = inside.objects[two]
        store = f"{two}.{shape.numbers[0]} = {self.number(inside, 1)}"
        way = self.pick(
            (f"return {self.number(inside, 1)}", "break", "continue", f"raise KeyError({one})", f"{one} += 1")
        )
        lines = [f"def {task}({one}, {two}):", "    for turn in range(3):", "        try:", f"            {store}"]
        lines += [f"            if {one} + turn > {self.digit()}:", f"                {way}", f"            {one} += 2"]
        if "raise" in way or self.chance(30):
            lines += [
                "        except KeyError as error:",
                f"            print('key', error.args, {two}.{shape.numbers[0]})",
            ]
        lines += [
            "        finally:",
            f"            {two}.{shape.numbers[0]} += turn",
            f"            print('last', {one})",
        ]
        lines += [f"    return {one} + {two}.{shape.numbers[0]}"]
        return lines, [f"print({task}({self.number(env, 1)}, {self.instance(env, shape)}))" for _ in range(2)]

    def scene_swallowed(self, env):
        guard, (one, two) = self.new("Guard"), self.words(2, "self")
        lines = [
            f"class {guard}:",
            "    def __init__(self):",
            f"        self.{one} = 0",
            "    def __enter__(self):",
            f"        self.{one} += 1",
        ]
        lines += [
            f"        return self.{one}",
            "    def __exit__(self, kind, error, trace):",
            f"        self.{one} += 10",
            f"        return {self.pick(('True', 'kind is ValueError', 'isinstance(error, LookupError)'))}",
        ]
        error = self.pick(ERRORS)
        body = [
            f"guard = {guard}()",
            "try:",
            f"    with guard as {two}:",
            f"        if {self.test(env, 1)}:",
            f"            raise {error}({two})",
            "        print('no error')",
        ]
        return lines, [
            *body,
            f"except {self.pick((error, 'Exception'))} as error:",
            "    print('through', error.args)",
            f"print(guard.{one})",
        ]

    def scene_wrong_call(self, env):
        """Calls that do not fit, under a handler."""
        task, (one, two, three) = self.top("task"), self.words(3)
        lines = [f"def {task}({one}, {two}=2):", f"    return {one} * {two}"]
        calls = (
            f"{task}()",
            f"{task}(1, 2, 3)",
            f"{task}(1, {three}=2)",
            f"{task}(1, {one}=2)",
            f"{task}({two}=3)",
            f"{task}(4)",
        )
        error = self.pick(("TypeError", "Exception", ""))
        body = []
        for call in self.sample(calls, 3):
            body += [
                "try:",
                f"    print({call})",
                f"except {error}:" if error else "except:",
                "    print('does not fit')",
            ]
        return lines, body

    def scene_half_made(self, env):
        """A constructor that fails, before or after it has told others."""
        name, (one, two), seen = self.new("Half"), self.words(2, "self"), self.new("seen")
        lines = [
            f"class {name}:",
            f"    def __init__(self, {one}, {two}):",
            f"        {two}.append(self)",
            f"        if {one} % 2:",
        ]
        lines += [f"            raise ValueError({one})", f"        self.{one} = {one}"]
        body = [f"{seen} = []", f"for each in ({self.number(env, 1)}, 2, 3):"]
        body += indent(
            self.catch([f"print({name}(each, {seen}).{one})"], ("ValueError", "Exception", ""), ["print('half')"])
        )
        check = f"print([hasattr(half, '{one}') for half in {seen}])"
        return lines, [*body, check if self.chance(50) else f"print(len({seen}))"]

    def scene_exits(self, env):
        body = self.catch(
            ["print('leaves')", f"sys.exit({self.digit()})"], ("SystemExit", "BaseException"), ["print('stays')"]
        )
        return [], [*body, f"print({self.number(env, 1)})"]
