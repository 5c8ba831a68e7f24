"""What hostile programs are drawn from: words, shapes of classes, and what a function that is being written knows."""

from dataclasses import dataclass, field

INDENT = "    "
KNOWN_WORDS = ("value", "name", "count", "data", "index", "key", "start", "text", "size", "step", "state", "total")
OWN_WORDS = ("glim", "tarn", "brock", "quoll", "sedge", "vetch", "wisp", "fjord", "loess", "tansy", "ibex", "mulch")
ERRORS = ("ValueError", "KeyError", "IndexError", "RuntimeError", "Refusal")


def indent(lines, by=1):
    return [INDENT * by + line for line in lines] or [INDENT * by + "pass"]


@dataclass
class Method:
    """Something to call: `parameters` are (name, kind, default or None), a kind is "number" or a class's name."""

    name: str
    parameters: list
    keyword_only: int = 0
    kind: str = "method"


@dataclass
class Shape:
    """A class of the program."""

    name: str
    numbers: list
    lists: list
    late: str
    initial: list
    methods: list = field(default_factory=list)
    properties: list = field(default_factory=list)
    constants: list = field(default_factory=list)
    called: Method | None = None


@dataclass
class Env:
    """Names that the statements of a function may use; a closure reads only those that are bound once."""

    numbers: list = field(default_factory=list)
    once: list = field(default_factory=list)
    objects: dict = field(default_factory=dict)
    owner: Shape | None = None
    context: bool = False
    in_closure: bool = False

    def closure(self, *names):
        """What a function inside this one may use."""
        fixed = [*self.once, *names]
        objects = {name: shape for name, shape in self.objects.items() if name not in names}
        return Env(fixed, fixed, objects, self.owner, self.context, in_closure=True)


class Draw:
    """Draws every choice from one `random.Random`, so that a seed names a program."""

    def __init__(self, random):
        self.random = random
        self.shapes = []
        self.functions = []
        self.labels = 0
        self.taken, self.local = set(), set()

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def pick(self, choices):
        return choices[self.random.randrange(len(choices))]

    def sample(self, choices, count):
        """Some of these in random order."""
        return self.random.sample(list(choices), min(count, len(choices)))

    def digit(self):
        return str(self.random.randrange(1, 10))

    def label(self):
        self.labels += 1
        return self.labels

    def word(self, *but):
        """A word for an attribute, method or parameter, which libraries may know."""
        words = [word for word in KNOWN_WORDS + 2 * OWN_WORDS if word not in but]
        return self.pick(words)

    def words(self, count, *but):
        words = []
        for _ in range(count):
            words.append(self.word(*but, *words))
        return words

    def new(self, stem):
        """A name that nothing else has."""
        return f"{stem}_{self.label()}"

    def top(self, stem):
        """A name of the top level: sometimes a word that attributes and variables have too."""
        word = self.word()
        if self.chance(50) or word in (*self.taken, *self.local):
            return self.new(stem)
        self.taken.add(word)
        return word
