"""The decoder that a file packed with `--pack mix` carries: `mixing` writes this function into it, minified.

A context-mixing model in the manner of lpaq: thirteen contexts of the text so far (its last characters, its last word and
punctuation, its shape, the bracket that it is in) each keep the last ten bits that followed them; what a history of bits
stands for is learned over all contexts; and a mixer whose weights depend on three small contexts adds up the evidence. An
arithmetic decoder turns the prediction of each bit into the bit.

Every number is the result of + - * / on floats and of integer arithmetic in a written order, so that every machine and
Python decodes the same text. There is no `exp` (mathematics libraries differ in the last bit) and no `sum` (Python 3.12 sums
floats in another way than 3.11).

Sources: M. Mahoney, "Adaptive Weighing of Context Models for Lossless Data Compression" (2005), and lpaq1 (2007).
"""

# mypy: disable-error-code="var-annotated,assignment,arg-type,misc,operator,no-untyped-call"

from collections.abc import Iterator
from typing import Any


def decode(digits: Iterator[Any], size: int, top: int) -> str:
    """The text that the digits hold.

    Args:
        digits: an iterator of the payload's digits, of base 253.
        size: characters of the text.
        top: 128 for a text of ASCII, 256 for one of Latin-1.
    """
    text = word = marks = shape = ""
    slots = {}
    weights = {}
    # What each history of up to ten bits stands for, and how slowly that still changes.
    evidence = [(0, 1)] * 2048
    value = 0
    span = 1
    # The last open bracket with the character before it, and the one around it.
    inside = "", ()
    # From any number to a probability between .0001 and .9999, steep like the logistic function.
    squash = lambda x: 0.5 + x / (abs(x) + 1 / (1 + x * x)) * 0.4999  # noqa: E731
    while len(text) < size:
        # fmt: off
        found = [slots.setdefault(item, {}) for item in enumerate((
            text[-1:], text[-2:], text[-3:], text[-4:], text[-6:], shape[-2:], shape[-8:], word, word + marks[-3:], 0,
            inside[0] + text[-1:], inside[0][-1:] + marks[-2:], inside[0][-1:] + word + marks[-1:],
        ))]
        # fmt: on
        node = 1
        while node < top:
            histories = [slot.get(node, 1) for slot in found]
            inputs = [evidence[item][0] for item in histories]
            keys = node, text[-1:], len(word) + 0.5
            rows = [weights.get(item) or [0.07] * 13 for item in keys]
            chance = 0
            for state, first, second, third in zip(inputs, *rows):  # noqa: B905 - `strict` would be bytes
                chance += (first + second + third) * state
            chance = squash(chance)
            while span < 1 << 32:
                value = value * 253 + next(digits)
                span *= 253
            part = int(span * chance)
            bit = value < part
            if bit:
                span = part
            else:
                value -= part
                span -= part
            chance = (bit - chance) / 180
            for item, row in zip(keys, rows):  # noqa: B905
                weights[item] = [first + chance * state for first, state in zip(row, inputs)]  # noqa: B905
            for slot, item in zip(found, histories):  # noqa: B905
                first, second = evidence[item]
                evidence[item] = first + (bit - squash(first)) / second, second + 0.2
                item += item + bit
                slot[node] = item if item < 2048 else item % 1024 + 1024
            node += node + bit
        item = chr(node - top)
        bit = item.isalnum()
        text += item
        if item in "([{":
            inside = text[-2:], inside
        if item in ")]}":
            inside = inside[1] or inside
        word = (word + item) * bit
        marks += item[bit:]
        shape += item[bit:] or "a"
    return text
