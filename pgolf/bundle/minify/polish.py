"""Polish: give the local variables of each function the letters that the rest of the program makes likely where they stand.

`shorten` gives one word one short name everywhere, which keeps equal phrases equal. What is left is a choice: two functions
that do similar things with other words get other letters. Here a text model of the program (how often each character follows
the one, two and three before it) prices every letter for every variable, function after function, and the cheapest is taken;
a letter that is taken is swapped. A compressor's model is of the same kind, so that what is likely here is cheap there.

Only names that one function and those inside it share are changed, and one to one, so that each name still means the same.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import string
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pgolf.bundle.names import Scope, scopes
from pgolf.bundle.trees import walk

LETTERS = string.ascii_lowercase
UNUSUAL = (ast.Nonlocal, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Match)
"""A function that holds one of these keeps its names."""
DEPTH = 3
"""Characters of context of the text model."""
REACH = 4
"""How many characters, from a variable on, its letter makes likely or not."""
UNSEEN = 1 / 70
ESCAPE = 0.7
TRIED = 6
"""Letters that are priced for one variable."""
LEAST = 0.5
"""Bits that a change must gain."""


@dataclass
class Function:
    """A function's variables: letter -> the places in the text where it stands, and letters that mean something else in it."""

    start: int
    end: int
    variables: dict[str, list[int]]
    taken: Collection[str]


class Model:
    """How often each character follows its context, with the text that it is of.

    Attributes:
        grams: the text's characters, each after none, one, two and three of those before it.
        chances: what follows from the counts, less those of the range that was last left out.
    """

    def __init__(self, text: str):
        self.text = list(text)
        self.grams = [self.text]
        for _ in range(DEPTH):
            self.grams.append([*self.text[:1], *map(operator.add, self.grams[-1], self.text[1:])])
        self.counts: dict[str, dict[str, int]] = {}
        self.totals: dict[str, int] = {}
        self._counted: dict[int, list[str]] = {}
        self.add(0, len(text), 1)

    def seen(self, start: int, end: int, back: int = 0) -> Counter[str]:
        """How often each character of a range occurs after each of its contexts; where `back` is 1, the contexts alone."""
        found = Counter[str]()
        for depth in range(1, DEPTH + 1):
            found.update(self.grams[depth - back][max(start, depth) - back : end - back])
        return found

    def add(self, start: int, end: int, sign: int) -> None:
        """Count the characters of a range once more, or once less."""
        self.count(((gram, sign * number) for gram, number in self.seen(start, end).items()))
        self.chances = Chances(self, {}, {})

    def count(self, grams: Iterable[tuple[str, int]]) -> None:
        """Count characters after their contexts some times more."""
        counts, totals = self.counts, self.totals
        for gram, number in grams:
            context, char = gram[:-1], gram[-1]
            if context not in counts:
                counts[context], totals[context] = {}, 0
            found = counts[context]
            found[char] = found.get(char, 0) + number
            totals[context] += number

    def leave_out(self, start: int, end: int) -> None:
        """Price by the counts of the rest of the text."""
        self.chances = Chances(self, self.seen(start, end), self.seen(start, end, back=1))

    def price(self, places: Iterable[int]) -> float:
        """Bits of the characters at these places, each by its context."""
        chances, grams = self.chances, self.grams[DEPTH]
        return -sum(map(math.log2, [chances[grams[place]] for place in places]))

    def likely(self, places: Iterable[int], without: Collection[str]) -> list[str]:
        """The letters that most often follow what stands before these places."""
        votes: dict[str, float] = {}
        for place in places:
            for char, share in self.chances.letters(self.grams[1][place - 1]):
                votes[char] = votes.get(char, 0) + share
        chosen = [char for char in votes if char not in without]
        return sorted(chosen, key=lambda char: (-votes[char], char))[:TRIED]

    def write(self, places: Iterable[int], start: int, text: str) -> None:
        """Put a text there, which differs at these places; the counts stay, until `recount`."""
        for place in places:
            self._counted.setdefault(place, [grams[place] for grams in self.grams])
            for depth, grams in enumerate(self.grams):
                grams[place] = text[place - depth - start : place + 1 - start]

    def recount(self) -> None:
        """Count what has been written."""
        for place, counted in self._counted.items():
            for grams, gram in zip(self.grams[1:], counted[1:], strict=True):
                self.count(((gram, -1), (grams[place], 1)))
        self._counted.clear()


class Chances(dict[str, float]):
    """Context and character -> how likely the character is: a blend with its chance after a shorter context.

    They are found when they are asked for and kept while the counts stay.

    Args:
        model: the counts.
        grams, contexts: what is left out of them.
    """

    def __init__(self, model: Model, grams: Mapping[str, int], contexts: Mapping[str, int]):
        super().__init__()
        self.counts, self.totals = model.counts, model.totals
        self.grams, self.contexts = grams, contexts
        self._letters: dict[str, list[tuple[str, float]]] = {}

    def __missing__(self, gram: str) -> float:
        context = gram[:-1]
        chance = self[gram[1:]] if context else UNSEEN
        total = self.totals.get(context)
        if total:
            found = self.counts[context]
            count = found.get(gram[-1], 0)
            if context in self.contexts:
                total -= self.contexts[context]
                count -= self.grams.get(gram, 0)
            if total:
                spare = ESCAPE * len(found)
                chance = (count + spare * chance) / (total + spare)
        self[gram] = chance
        return chance

    def letters(self, context: str) -> list[tuple[str, float]]:
        """The letters that follow a context, and their shares."""
        known = self._letters.get(context)
        if known is None:
            total = self.totals.get(context, 0) - self.contexts.get(context, 0)
            found = self.counts.get(context, {}).items() if total else ()
            left = [(char, count - self.grams.get(context + char, 0)) for char, count in found if char in LETTERS]
            self._letters[context] = known = [(char, count / total) for char, count in left if count]
        return known


def polish(text: str, kept: Collection[str] = (), sweeps: int = 1) -> str:
    """The text with other letters for local variables; the same text where there are none, or where it is not ASCII.

    Every function is priced by the rest of the program, in the order of the text, `sweeps` times.

    Args:
        kept: names that stay in every function, such as those of parameters that someone passes by name.
    """
    if not text.isascii():
        # Syntax trees count columns in bytes of UTF-8.
        return text
    try:
        functions = list(variables(text, kept))
    except SyntaxError:
        # Whoever wrote the text checks it, and says more about it.
        return text
    model = Model(text)
    for _ in range(sweeps):
        for function in functions:
            # What follows has letters of the function before it.
            start, end = function.start, min(function.end + DEPTH, len(text))
            model.leave_out(start, end)
            _improve(model, function)
            model.recount()
    return "".join(model.text)


def _improve(model: Model, function: Function) -> None:
    """Give each variable, the most frequent first, the letter that saves most."""
    variables = function.variables
    start = max(0, function.start - DEPTH)
    text = "".join(model.text[start : function.end + DEPTH])
    for _, places in sorted(variables.items(), key=lambda item: (-len(item[1]), item[0])):
        current = next(letter for letter in variables if variables[letter] is places)
        alone = _reached(places, function.end)
        price = model.price(alone)
        best, chosen, better = -LEAST, "", text
        for letter in model.likely(places, {*function.taken, current}):
            other = variables.get(letter, [])
            reached = _reached([*places, *other], function.end) if other else alone
            before = model.price(reached) if other else price
            written = _written(text, start, [(places, letter), (other, current)])
            change = _price(model.chances, written, start, reached) - before
            if change < best:
                best, chosen, better = change, letter, written
        if chosen:
            other = variables.get(chosen, [])
            text = better
            model.write(_reached([*places, *other], start + len(text)), start, text)
            variables[chosen] = places
            if other:
                variables[current] = other
            else:
                del variables[current]


def _written(text: str, start: int, letters: Iterable[tuple[Iterable[int], str]]) -> str:
    """A text that begins at a place, with letters at other places."""
    changed = bytearray(text, "ascii")
    for places, letter in letters:
        code = ord(letter)
        for place in places:
            changed[place - start] = code
    return changed.decode("ascii")


def _price(chances: Chances, text: str, start: int, places: Iterable[int]) -> float:
    """Bits of the characters at these places of a text that begins at `start`."""
    back, on = start + DEPTH, start - 1
    return -sum(map(math.log2, [chances[text[place - back : place - on]] for place in places]))


def _reached(places: Iterable[int], end: int) -> list[int]:
    return sorted({reached for place in places for reached in range(place, min(place + REACH, end))})


def variables(text: str, kept: Collection[str] = ()) -> Iterator[Function]:
    """Every function and method of the top level with the variables of one letter that may change."""
    tree = ast.parse(text)
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    nodes = walk(tree)
    said = {*kept, *(item.arg for item in nodes if isinstance(item, ast.keyword) and item.arg)}
    unusual = sorted(item.lineno for item in nodes if isinstance(item, UNUSUAL))
    for scope in scopes(tree)[0].walk():
        node = scope.node
        outer = scope.parent.kind if scope.parent is not None else ""
        # The function itself is one of the unusual, and each of these stands on lines of its own.
        if (
            isinstance(node, ast.FunctionDef)
            and outer in ("module", "class")
            and bisect_right(unusual, node.end_lineno or 0) - bisect_left(unusual, node.lineno) == 1
        ):
            words = _words(scope)
            free = {name for name, own in words.items() if own and len(name) == 1 and name not in said}
            places = _places(scope, free, text, starts)
            if places is not None:
                end = min(starts[node.end_lineno or 0], len(text))
                yield Function(starts[node.lineno - 1], end, places, (words.keys() - free) | said)


def _words(scope: Scope) -> dict[str, bool]:
    """Every name in a function -> whether all its uses mean variables of the function or of those inside it."""
    inside = dict.fromkeys(scope.walk())
    words = {name: False for inner in inside for name in inner.globals}
    for inner in inside:
        for name in {*inner.bound, *inner.reads}:
            words[name] = words.get(name, True) and inner.resolve(name) in inside
    return words


def _places(scope: Scope, names: set[str], text: str, starts: list[int]) -> dict[str, list[int]] | None:
    """Where the names stand, or None where the tree does not tell."""
    places: dict[str, set[int]] = {}
    for inner in scope.walk():
        for name in names:
            for node in (*inner.bound.get(name, ()), *inner.reads.get(name, ())):
                assert isinstance(node, (ast.expr, ast.arg, ast.excepthandler, ast.alias))
                place = starts[node.lineno - 1] + node.col_offset
                if not isinstance(node, (ast.Name, ast.arg)):
                    # `except x as e`, `import x as e`: the name comes after the first ` as ` of the node.
                    found = re.compile(rf"\bas {name}\b").search(text, place)
                    place = found.end() - len(name) if found else 0
                if place < 3 or text[place : place + 1] != name:
                    return None
                places.setdefault(name, set()).add(place)
    return {name: sorted(found) for name, found in sorted(places.items())}
