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
import re
import string
from collections.abc import Collection, Iterable, Iterator
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
    """How often each character follows its context, with the text that it is of."""

    def __init__(self, text: str):
        self.text = list(text)
        self.counts: dict[str, dict[str, int]] = {}
        self.totals: dict[str, int] = {}
        self.add(0, len(text), 1)

    def add(self, start: int, end: int, sign: int) -> None:
        """Count the characters of a range once more, or once less."""
        counts, totals = self.counts, self.totals
        before = "".join(self.text[max(0, start - DEPTH) : end])
        first = end - len(before)
        for place in range(start, end):
            char = before[place - first]
            for depth in range(1, min(DEPTH, place) + 1):
                context = before[place - first - depth : place - first]
                found = counts.get(context)
                if found is None:
                    found = counts[context] = {}
                found[char] = found.get(char, 0) + sign
                totals[context] = totals.get(context, 0) + sign

    def price(self, places: Iterable[int]) -> float:
        """Bits of the characters at these places, each by its context."""
        counts, totals, text = self.counts, self.totals, self.text
        likely = 1.0
        bits = 0.0
        for place in places:
            context = "".join(text[max(0, place - DEPTH) : place])
            char = text[place]
            chance = UNSEEN
            for depth in range(1, DEPTH + 1):
                inner = context[-depth:]
                total = totals.get(inner, 0)
                if not total:
                    break
                found = counts[inner]
                spare = ESCAPE * len(found)
                chance = (found.get(char, 0) + spare * chance) / (total + spare)
            likely *= chance
            if likely < 1e-200:
                bits -= math.log2(likely)
                likely = 1.0
        return bits - math.log2(likely)

    def likely(self, places: Iterable[int], without: Collection[str]) -> list[str]:
        """The letters that most often follow what stands before these places."""
        votes: dict[str, float] = {}
        for place in places:
            context = "".join(self.text[max(0, place - 2) : place])
            total = self.totals.get(context, 0)
            for char, count in self.counts.get(context, {}).items():
                votes[char] = votes.get(char, 0) + (count / total if total else 0)
        chosen = [char for char in votes if char in LETTERS and char not in without and votes[char] > 0]
        return sorted(chosen, key=lambda char: (-votes[char], char))[:TRIED]

    def write(self, places: Iterable[int], letter: str) -> None:
        """Put a letter at these places; the counts stay."""
        for place in places:
            self.text[place] = letter


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
            end = min(function.end + DEPTH, len(text))
            model.add(function.start, end, -1)
            _improve(model, function)
            model.add(function.start, end, 1)
    return "".join(model.text)


def _improve(model: Model, function: Function) -> None:
    """Give each variable, the most frequent first, the letter that saves most."""
    variables = function.variables
    for _, places in sorted(variables.items(), key=lambda item: (-len(item[1]), item[0])):
        current = next(letter for letter in variables if variables[letter] is places)
        alone = _reached(places, function.end)
        price = model.price(alone)
        best, chosen = -LEAST, ""
        for letter in model.likely(places, {*function.taken, current}):
            other = variables.get(letter, [])
            reached = _reached([*places, *other], function.end) if other else alone
            before = model.price(reached) if other else price
            model.write(places, letter)
            model.write(other, current)
            change = model.price(reached) - before
            model.write(places, current)
            model.write(other, letter)
            if change < best:
                best, chosen = change, letter
        if chosen:
            other = variables.get(chosen, [])
            model.write(places, chosen)
            model.write(other, current)
            variables[chosen] = places
            if other:
                variables[current] = other
            else:
                del variables[current]


def _reached(places: Iterable[int], end: int) -> list[int]:
    return sorted({reached for place in places for reached in range(place, min(place + REACH, end))})


def variables(text: str, kept: Collection[str] = ()) -> Iterator[Function]:
    """Every function and method of the top level with the variables of one letter that may change."""
    tree = ast.parse(text)
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    said = {*kept, *(item.arg for item in walk(tree) if isinstance(item, ast.keyword) and item.arg)}
    for scope in scopes(tree)[0].walk():
        node = scope.node
        outer = scope.parent.kind if scope.parent is not None else ""
        if isinstance(node, ast.FunctionDef) and outer in ("module", "class"):
            words = _words(scope)
            if not any(isinstance(item, UNUSUAL) for item in walk(node) if item is not node):
                free = {name for name, own in words.items() if own and len(name) == 1 and name not in said}
                places = _places(scope, free, text, starts)
                if places is not None:
                    yield Function(
                        starts[node.lineno - 1],
                        min(starts[node.end_lineno or 0], len(text)),
                        places,
                        (words.keys() - free) | said,
                    )


def _words(scope: Scope) -> dict[str, bool]:
    """Every name in a function -> whether all its uses mean variables of the function or of those inside it."""
    inside = list(scope.walk())
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
