"""Programs made at random inside the bundleable subset: functions called once and often, records, objects, effects in order.

`make_program(random)` draws every choice from a `random.Random`, so that a seed names a program. What a program does is visible
in what it prints: `see` prints while an expression is evaluated.
"""

from program_bodies import Writer, indent
from program_maker import INDENT, NAMES, Frame, Function
from program_parts import COMPONENTS, HELPERS, SETTINGS

HEAD = '''
"""The program."""
from components import Holder, all_parts, reset, use_part
from other import Guard, fail, number, see
from records import {records}
LIMIT = {limit}
HALF = 0.5
PAIR = (1, 2)
NOTHING = ()
'''
OUTERMOST = (
    *("except ValueError as error:", '    print("ValueError", error.args)'),
    *("except KeyError as error:", '    print("KeyError", error.args)'),
    *("except ZeroDivisionError:", '    print("ZeroDivisionError")'),
    *("except (NameError, TypeError, IndexError) as error:", "    print(isinstance(error, NameError))"),
)


class Definitions(Writer):
    """Adds functions, classes and the outermost function."""

    def signature(self):
        kinds = ("number", "number", "number", "items", *(made.name for made in self.written))
        kinds += tuple(record.name for record in self.parts.records)
        names = list(NAMES[:6])
        parameters = []
        for _ in range(self.pick((0, 1, 1, 2, 2, 3, 3))):
            name, kind = names.pop(self.random.randrange(len(names))), self.pick(kinds)
            usable = kind == "number" and (self.chance(30) or (parameters and parameters[-1][2] is not None))
            if parameters and parameters[-1][2] is not None and not usable:
                kind, usable = "number", True
            parameters.append((name, kind, self.pick(("0", "2", "None", "True")) if usable else None))
        return parameters

    def heading(self, function, first=""):
        names = [first] if first else []
        names += ["settings", "program"] if function.context else []
        for place, (name, _, default) in enumerate(function.parameters):
            if function.keyword_only and place == len(function.parameters) - function.keyword_only:
                names.append("*")
            names.append(name if default is None else f"{name}={default}")
        return f"def {function.name}({', '.join(names)}):"

    def frame_of(self, function, owner=None):
        frame = Frame({}, set(), function.context, function.returns, self_class=owner)
        frame.shadow = ("LIMIT",) if self.chance(25) else ()
        if self.functions and self.chance(25):
            frame.shadow = (*frame.shadow, self.pick(self.functions).name)
        for name, kind, _ in function.parameters:
            self.bind(frame, name, kind, frozen=self.chance(60))
        return frame

    def body(self, function, frame):
        style = self.random.randrange(10)
        if function.is_generator:
            lines = [f"for item in {self.items(frame, 1)}:", INDENT + f"yield {self.number(frame)}"]
            return indent([*self.statements(frame, 1, 2), f"yield {self.number(frame)}", *lines])
        if function.returns == "pair":
            return indent([*self.statements(frame, 2, 3), self.result(frame)])
        if style == 0:
            return indent([self.pick(("pass", "return None", "return 1", "return ()", "return LIMIT"))])
        if style < 4:
            return indent([f"return {self.number(frame, 3)}"])
        lines = self.statements(frame, 2, 5)
        return indent([*lines, self.result(frame)] if self.chance(85) else lines)

    def function(self, name):
        made = Function(name, self.signature(), context=self.chance(50), is_generator=self.chance(10))
        made.returns = "generator" if made.is_generator else "pair" if self.chance(12) else "number"
        if made.parameters and self.chance(15):
            made.keyword_only = 1
        lines = [self.heading(made), *self.body(made, self.frame_of(made))]
        self.functions.append(made)
        return lines

    def class_(self, made):
        lines = [f"class {made.name}:", "    kind = 'made'"]
        lines.append(f"    def __init__({', '.join(('self', *made.parameters))}):")
        frame = Frame(dict.fromkeys(made.parameters, "number"), set(made.parameters), ever=set(made.parameters))
        for place, attribute in enumerate(made.attributes):
            given = place < len(made.parameters) and self.chance(80)
            literal = self.pick(("0", "1", "True", "None"))
            value = made.parameters[place] if given else literal if self.chance(60) else self.number(frame, 1)
            lines.append(f"        self.{attribute} = {value}")
        self.written.append(made)
        for name in ("grow", "shrink", "poll")[: self.random.randrange(4)]:
            method = Function(f"{name}_{made.name.lower()}" if self.chance(70) else name, self.signature())
            method.context = self.chance(30)
            frame = self.frame_of(method, made)
            lines += indent([self.heading(method, "self"), *self.body(method, frame)])
            made.methods.append(method)
        return lines

    def work(self):
        """The outermost function: it calls whatever nothing has called yet, each call on its own."""
        frame = Frame({}, set(), True, ever={"records"}, shadow=())
        lines = ["def work(settings, program, records):"]
        for place, record in enumerate(self.parts.records):
            lines.append(f"    record_{place} = records[{place}]")
            self.bind(frame, f"record_{place}", record.name)
        for made in self.parts.classes:
            value = self.instance(frame, made, 0)
            lines.append(f"    the_{made.name.lower()} = {value}")
            self.bind(frame, f"the_{made.name.lower()}", made.name)
        pairs = [("", item) for item in self.functions]
        pairs += [(f"the_{made.name.lower()}.", item) for made in self.parts.classes for item in made.methods]
        for prefix, item in pairs[::-1]:
            if not item.calls or self.chance(20):
                call = self.call(frame, item, 1, prefix)
                call = f"list({call})" if item.is_generator else call
                lines += indent(["try:", INDENT + f"see('{item.name}', {call})", *OUTERMOST])
        lines += indent(["try:", *self.block(frame, 2, 3), *OUTERMOST])
        return lines


def make_program(random):
    """(entry, module name -> text)."""
    writer = Definitions(random)
    definitions = []
    for place in range(3 + random.randrange(7)):
        definitions += writer.function(f"f{place}")
        if place < len(writer.parts.classes):
            definitions += writer.class_(writer.parts.classes[place])
    definitions += writer.work()
    records = writer.parts.records
    text = HEAD.format(records=", ".join(item.name for item in records), limit=random.randrange(4))
    imports = "from typing import NamedTuple\n"
    if any(item.is_dataclass for item in records):
        imports = "from dataclasses import dataclass\n" + imports
    sources = {
        "code_": text + "\n".join(definitions) + "\n",
        "records": imports + SETTINGS + "\n".join(item.text() for item in records) + "\n",
        "other": HELPERS,
        "components": COMPONENTS,
    }
    return writer.parts.entry, sources
