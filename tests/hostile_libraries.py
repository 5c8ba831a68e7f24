"""Scenes in which a library reads attributes of the program's objects, or asks for its methods by name."""

from hostile_draw import indent
from hostile_statements import Statements

DIALECT = ("delimiter", "quotechar", "lineterminator", "quoting", "skipinitialspace", "doublequote", "escapechar")
DIALECT_VALUES = {
    "delimiter": ("';'", "'|'"),
    "quotechar": ("'\"'", "'^'"),
    "lineterminator": ("'!\\n'", "'\\n'"),
    "quoting": ("1", "2", "0"),
    "skipinitialspace": ("True", "False"),
    "doublequote": ("True",),
    "escapechar": ("None", "'%'"),
}


class Libraries(Statements):
    """Each scene gives (definitions, statements)."""

    def holder(self, stem, names, extra=()):
        """A class that stores these names: in its constructor, in a later method, as constants of the class."""
        name = self.new(stem)
        lines, inside, late = [f"class {name}:"], [], []
        for attribute, value in names.items():
            place = self.random.randrange(4)
            if place == 0:
                lines.append(f"    {attribute} = {value}")
            elif place == 1:
                late.append(f"self.{attribute} = {value}")
                inside.append(f"self.{attribute} = None")
            else:
                inside.append(f"self.{attribute} = {value}")
        unread = f"un{self.word()}"
        lines += indent(["def __init__(self):", *indent([*inside, f"self.{unread} = 'unread'"])])
        lines += indent(["def ready(self):", *indent([*late, "return self"])])
        lines += indent(extra)
        return name, lines, f"{name}().ready()"

    def held(self, stem="Held", count=3):
        """A holder of numbers: (class, lines, how one is made, its attributes)."""
        words = self.words(count, "ready", "self")
        name, lines, made = self.holder(stem, {word: self.digit() for word in words})
        return name, lines, made, words

    def scene_dialect(self, env):
        names = ["delimiter", "quotechar", "lineterminator", "quoting", *self.sample(DIALECT[4:], 2)]
        _name, lines, made = self.holder("Dialect", {word: self.pick(DIALECT_VALUES[word]) for word in names})
        rows = f"[[1, 'a b'], ['q;', {self.number(env, 1)}]]"
        body = ["out = io.StringIO()", f"csv.writer(out, dialect={made}).writerows({rows})", "print(out.getvalue())"]
        if self.chance(50):
            body += [f"print(list(csv.reader(out.getvalue().splitlines(), {made})))"]
        return lines, body

    def scene_formatted(self, env):
        _name, lines, made, words = self.held()
        one, two, three = words
        forms = (
            f"'{{0.{one}}}-{{1}}'.format(held, {self.number(env, 1)})",
            f"'{{0.{one}}}{{0.{two}:>3}}'.format(held)",
            f"'{{thing.{two}}}'.format(thing=held)",
            f"'{{thing.{one}}}'.format_map({{'thing': held}})",
            f"'%({three})s' % {{'{three}': held.{three}}}",
            f"string.Formatter().format('{{0.{two}}}', held)",
            f"f'{{held.{three}:>3}}'",
        )
        return lines, [f"held = {made}", *(f"print({form})" for form in self.sample(forms, 3))]

    def scene_getters(self, env):
        _name, lines, made, words = self.held()
        one, two, three = words
        method = self.word(*words, "ready")
        lines += indent([f"def {method}(self, {one}=1):", f"    self.{two} += {one}", f"    return self.{two}"])
        forms = (
            f"max([held, {made}], key=lambda each: each.{one}).{two}",
            f"held.{method}({one}={self.number(env, 1)}), held.{two}",
            f"operator.itemgetter(1)([held.{one}, held.{three}])",
        )
        if self.chance(15):  # the rules refuse these
            forms = (
                f"operator.attrgetter('{one}')(held)",
                f"operator.methodcaller('{method}', {one}={self.number(env, 1)})(held)",
                f"list(map(operator.attrgetter('{two}'), [held, {made}]))",
            )
        return lines, [f"held = {made}", *(f"print({form})" for form in self.sample(forms, 3))]

    def scene_encoded(self, env):
        name, lines, made, words = self.held()
        one, two, three = words
        encode = self.top("encode")
        lines += [f"def {encode}(found):", f"    return {{'{one}': found.{one}, 'rest': [found.{two}, found.{three}]}}"]
        inside = ["def both(self, found):", f"    self.{one} += 1", f"    return [self.{one}, found.{two}]"]
        lines += [f"class {name}Coder({name}):", *indent(inside)]
        default = self.pick((encode, f"{name}Coder().ready().both", f"lambda found: [found.{three}, {self.digit()}]"))
        body = [f"print(json.dumps([{made}, {{'k': {made}}}], default={default}))"]
        hook = "lambda pairs: {key: value * 2 for key, value in pairs.items()}"
        return lines, [*body, f"print(json.loads('{{\"{one}\": 3}}', object_hook={hook}))"]

    def scene_templates(self, env):
        one, two = self.words(2, "self")
        body = [f"text = string.Template('${one} ${{{two}}} $$')"]
        body.append(f"print(text.substitute({two}={self.number(env, 1)}, {one}={self.number(env, 1)}))")
        body.append(f"print(text.safe_substitute({{'{one}': {self.digit()}}}), text.template)")
        return [], body

    def scene_logs(self, env):
        """A logger's stream, filter and formatter are the program's objects."""
        sink = self.new("Sink")
        words = self.words(2, "write", "flush", "filter", "format")
        one, two = words
        lines = [f"class {sink}:", "    def __init__(self):", f"        self.{one}, self.{two} = 0, []"]
        lines += ["    def write(self, text):", f"        self.{two}.append(text)"]
        lines += ["    def flush(self):", f"        self.{one} += 1"]
        lines += [
            "    def filter(self, record):",
            f"        record.{one} = self.{one}",
            f"        return {self.pick(('True', '1', 'record.levelno > 10'))}",
        ]
        lines += ["    def format(self, record):", f"        return f'{{record.{one}}}:' + record.getMessage()"]
        body = [f"sink = {sink}()", "handler = logging.StreamHandler(sink)", "handler.addFilter(sink)"]
        if self.chance(50):
            body.append("handler.setFormatter(sink)")
        else:
            body.append(f"handler.setFormatter(logging.Formatter('%(levelname)s %(message)s %({one})s'))")
        body += [
            "log = logging.Logger('own')",
            "log.addHandler(handler)",
            f"log.warning('seen %d', {self.number(env, 1)})",
        ]
        return lines, [*body, f"log.info('then %s', sink.{one})", f"print(sink.{one}, sink.{two})"]

    def scene_data_class(self, env):
        name, words = self.new("Facts"), self.words(3)
        one, two, three = words
        lines = ["@dataclass(frozen=True)", f"class {name}:", f"    {one}: int", f"    {two}: int = {self.digit()}"]
        lines += [
            f"    {three}: tuple = (1, 2)",
            "    def twice(self):",
            f"        return self.{one} * 2 + self.{two}",
        ]
        body = [f"facts = {name}({self.number(env, 1)}, {three}=({self.number(env, 1)},))"]
        forms = (
            "dataclasses.asdict(facts)",
            "dataclasses.astuple(facts)",
            "[field.name for field in dataclasses.fields(facts)]",
            f"dataclasses.replace(facts, {two}={self.number(env, 1)}).twice()",
            f"facts == {name}(1, 2)",
            f"sorted({{facts: 1, {name}(3): 2}}.values())",
            "facts.twice()",
            f"facts.{three}",
        )
        return lines, [*body, *(f"print({form})" for form in self.sample(forms, 4))]

    def scene_named_tuple(self, env):
        name, words = self.new("Row"), self.words(3, "count", "index")
        one, two, three = words
        lines = [
            f"class {name}(NamedTuple):",
            f"    {one}: int",
            f"    {two}: int = {self.digit()}",
            f"    {three}: int = 4",
        ]
        body = [f"row = {name}({self.number(env, 1)}, {three}={self.number(env, 1)})"]
        forms = (
            "row._asdict()",
            "row._fields",
            f"row._replace({two}={self.number(env, 1)})[1]",
            f"sorted([row, {name}(2)], key=lambda each: each.{two})[0].{one}",
            f"row.{three} + row[0]",
            "[*row], len(row)",
            f"{name}._make([1, 2, 3]).{two}",
            f"'{{0.{one}}}'.format(row)",
        )
        return lines, [*body, *(f"print({form})" for form in self.sample(forms, 3))]

    def scene_printed(self, env):
        """`print` asks a file for write and flush."""
        name, one = self.new("File"), self.word("write", "flush")
        lines = [f"class {name}:", "    def __init__(self):", f"        self.{one} = []"]
        lines += ["    def write(self, text):", f"        self.{one}.append(text)", f"        return len(self.{one})"]
        lines += ["    def flush(self):", f"        self.{one}.append('flush')"]
        body = [
            f"file = {name}()",
            f"print({self.number(env, 1)}, 'x', file=file, flush={self.pick(('True', 'False'))})",
        ]
        body += ["with contextlib.redirect_stdout(file):", f"    print('inside', {self.number(env, 1)})"]
        return lines, [*body, f"print(file.{one})"]

    def scene_protocols(self, env):
        """Special methods that builtins and operators call."""
        name, one = self.new("Number"), self.word()
        lines = [f"class {name}:", "    def __init__(self, start):", f"        self.{one} = start"]
        changing = (f"self.{one} += 1", "")
        for method, result in self.sample(
            (
                ("__int__", f"self.{one}"),
                ("__index__", f"self.{one} % 3"),
                ("__len__", f"abs(self.{one}) % 4"),
                ("__round__", f"self.{one}"),
                ("__hash__", "3"),
                ("__bool__", f"self.{one} > 2"),
            ),
            6,
        ):
            effect = self.pick(changing)
            lines += [
                f"    def {method}(self):",
                *([f"        {effect}"] if effect else []),
                f"        return {result}",
            ]
        lines += ["    def __add__(self, other):", f"        return {name}(self.{one} + int(other))"]
        lines += ["    def __eq__(self, other):", f"        return self.{one} == other.{one}"]
        lines += [
            "    def __contains__(self, found):",
            f"        self.{one} -= 1",
            f"        return found == self.{one}",
        ]
        lines += ["    def __format__(self, form):", f"        return f'{{self.{one}}}' + form"]
        body = [f"thing = {name}({self.number(env, 1)})"]
        forms = ("int(thing)", "[5, 6, 7][thing]", "len(thing)", "round(thing)", "bool(thing)", "int(thing + thing)")
        forms += ("4 in thing", "format(thing, 'x')", "f'{thing:y}'", f"thing == {name}(3)", f"thing.{one}")
        forms += ("1 if thing else 2", "[not thing]", "len({thing: 1})", f"sum([thing, thing], {name}(1)).{one}")
        return lines, [*body, *(f"print({form})" for form in self.sample(forms, 6))]

    def scene_asked_by_name(self, env):
        _name, lines, made, words = self.held()
        one, two, three = words
        missing = self.word(*words, "ready")
        forms = (
            f"getattr(held, '{one}')",
            f"getattr(held, '{missing}', {self.digit()})",
            f"hasattr(held, '{missing}'), hasattr(held, '{two}')",
            f"[getattr(held, word) for word in ('{one}', '{three}')]",
            f"[getattr(held, word, None) for word in '{two} {missing}'.split()]",
        )
        return lines, [f"held = {made}", *(f"print({form})" for form in self.sample(forms, 3))]

    def scene_namespace(self, env):
        """argparse stores what it parses on the program's object."""
        _name, lines, made, words = self.held()
        one, two, _ = words
        body = [f"held = {made}", "parser = argparse.ArgumentParser(prog='p')"]
        body += [
            f"parser.add_argument('--{one}', type=int)",
            f"parser.add_argument('--{two}', default={self.digit()}, type=int)",
        ]
        body += [f"parser.parse_args(['--{one}', '{self.digit()}'], namespace=held)"]
        return lines, [*body, f"print(held.{one}, held.{two})"]

    def scene_managed(self, env):
        name, one = self.new("Guard"), self.word("close")
        lines = [f"class {name}:", "    def __init__(self, start):", f"        self.{one} = start"]
        lines += ["    def __enter__(self):", f"        self.{one} += 1", "        return self"]
        lines += ["    def __exit__(self, kind, error, trace):", f"        self.{one} *= 2"]
        lines += [f"        return {self.pick(('kind is KeyError', 'None', 'error is not None'))}"]
        lines += ["    def close(self):", f"        print('closed', self.{one})"]
        body = [
            f"guard = {name}({self.number(env, 1)})",
            "with guard as entered:",
            f"    print(entered.{one}, {self.number(env, 1)})",
        ]
        body += ["with contextlib.suppress(KeyError):", "    with guard:", f"        print({{}}[guard.{one}])"]
        body += [
            "with contextlib.closing(guard), contextlib.ExitStack() as stack:",
            f"    stack.callback(print, 'left', guard.{one})",
        ]
        return lines, [*body, "    stack.enter_context(guard)", f"print(guard.{one})"]

    def scene_mapping(self, env):
        name, one = self.new("Table"), self.word("keys")
        lines = [f"class {name}:", "    def __init__(self):", f"        self.{one} = 0"]
        lines += ["    def keys(self):", f"        self.{one} += 1", "        return ['glim', 'tarn']"]
        lines += [
            "    def __getitem__(self, key):",
            f"        self.{one} += 1",
            f"        return self.{one} + len(key)",
        ]
        task = self.top("task")
        lines += [f"def {task}(tarn, glim=2, *, wisp=3):", "    return tarn * 100 + glim * 10 + wisp"]
        forms = ("dict(table)", "{**table}", f"{task}(**table)", f"{task}(wisp=table.{one}, **table)")
        forms += ("'{glim}{tarn}'.format_map(table)", "'{0[glim]}'.format(table)", "'%(tarn)d' % table")
        return lines, [
            f"table = {name}()",
            *(f"print({form})" for form in self.sample(forms, 3)),
            f"print(table.{one})",
        ]

    def scene_rational(self, env):
        """`numbers.Rational` by its attributes, dates by their methods, arrays by their interface."""
        _name, lines, made = self.holder("Ratio", {"numerator": self.digit(), "denominator": self.digit()})
        lines += [
            "    def __trunc__(self):",
            "        return self.numerator // self.denominator",
            "    def __float__(self):",
        ]
        lines += ["        return self.numerator / self.denominator", "    def as_integer_ratio(self):"]
        lines += ["        return self.numerator, self.denominator"]
        forms = ("float(ratio)", "math.trunc(ratio)", "round(float(ratio), 2)", "statistics.fmean([ratio, 1.0])")
        body = [f"ratio = {made}", "numbers.Rational.register(type(ratio))", "print(fractions.Fraction(ratio))"]
        return lines, [*body, *(f"print({form})" for form in self.sample(forms, 2))]

    def scene_shared(self, env):
        """Copies: of the object, of what holds it, and what its own __copy__ and __deepcopy__ say."""
        name, lines, made, words = self.held()
        one, two, _three = words
        if self.chance(40):
            lines += [
                "    def __copy__(self):",
                f"        again = {name}()",
                f"        again.{one} = 90",
                "        return again",
            ]
        if self.chance(40):
            lines += ["    def __deepcopy__(self, memo):", f"        self.{one} += 1", "        return self"]
        body = [
            f"held = {made}",
            "box = [held, [held]]",
            f"one, two = copy.{self.pick(('copy', 'deepcopy'))}(held), copy.deepcopy(box)",
        ]
        body += [f"held.{one} += 5", f"two[0].{one} += 1", f"one.{two} = {self.number(env, 1)}"]
        return lines, [*body, f"print(held.{one}, held.{two}, one.{one}, one.{two}, two[0].{one}, two[1][0].{one})"]
