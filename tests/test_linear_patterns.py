"""Every pattern that other people's text is held against takes time in proportion to the text, however bad the text is."""

import importlib
import pkgutil
import re
import time

import pytest

import pgolf.logs
import pgolf.verify
import pgolf.wrappers
from pgolf.logs.patterns import RULES

SHORT, LONG = 1250, 10_000
FAST = 0.003
"""Seconds that are always allowed at 10 kB: a log line has at most 4 kB."""


def patterns():
    """(name, pattern) of all modules that read other people's text."""
    found = {f"rule {rule.word} {number}": rule.pattern for number, rule in enumerate(RULES)}
    for package in (pgolf.logs, pgolf.verify, pgolf.wrappers):
        for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            for name, value in vars(importlib.import_module(info.name)).items():
                values = [*value.values()] if isinstance(value, dict) else [value]
                values = [entry for part in values for entry in (part if isinstance(part, tuple) else (part,))]
                values = [entry for part in values for entry in (part if isinstance(part, tuple) else (part,))]
                for number, entry in enumerate(values):
                    if isinstance(entry, re.Pattern) and entry not in found.values():
                        found[f"{info.name}.{name}.{number}"] = entry
    return found


PATTERNS = patterns()


# How a pattern is used where that is not a search in a line: method, and the most characters it gets.
LINE = 10_000
USES = {
    "FAMILIES": ("match", LINE),
    "ENDS": ("match", LINE),
    "LOG_NAME": ("fullmatch", 255),
    "README": ("fullmatch", 255),
    "RUN_NUMBER": ("search", 300),
    "SEED_KEY": ("fullmatch", 40),
    **dict.fromkeys(("CLOCK", "BEFORE_QUANT", "TWO_PASS", "SLOT", "VAL", "CALIBRATE", "TALLY"), ("search", 100)),
}


def usage(name):
    """(method, most characters)."""
    return next((use for part, use in USES.items() if f".{part}." in name), ("search", LINE))


def pieces(pattern):
    """Words and characters of a pattern, alone and in pairs: what its repeats and its alternatives begin with."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin1")
    words = {re.sub(r"\\(.)", r"\1", word) for word in re.findall(r"(?:[\w:=/ ]|\\[ .:/-]){2,}", text)}
    units = [*sorted(words)[:12], "1", "a", " ", "1 ", "a:", '"', "\\", "\n", "1.", "_", "(", "1,111"]
    return [*units, *(one + other for one in units[:5] for other in units[:5] if one != other)]


def seconds(pattern, text, method="search"):
    data = text if isinstance(pattern.pattern, str) else text.encode("latin1")
    start = time.process_time()
    getattr(pattern, method)(data)
    return time.process_time() - start


@pytest.mark.parametrize("name", PATTERNS)
def test_time_grows_with_the_text(name):
    pattern, (method, most) = PATTERNS[name], usage(name)
    for piece in pieces(pattern):
        for head in ("", *pieces(pattern)[:4]):
            line = (head + piece * (LONG // len(piece)))[: most - 1] + "!"
            if seconds(pattern, line, method) < FAST:
                continue
            long = min(seconds(pattern, line, method) for _ in range(3))
            less = head + piece * (SHORT // len(piece)) + "!"
            short = min(seconds(pattern, less, method) for _ in range(3))
            assert long < FAST or long < 3 * LONG / SHORT * short, (name, head, piece, short, long)


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_has_two_open_ends(name):
    text = PATTERNS[name].pattern
    text = text if isinstance(text, str) else text.decode("latin1")
    assert len(re.findall(r"(?<!\\)\.[*+](?!\+)", text)) < 2, text


def test_patterns_are_found_and_a_bad_one_is_seen():
    assert len(PATTERNS) > 60 and any("layers.LITERALS" in name for name in PATTERNS)
    bad = re.compile(r"a.*b.*c")
    times = [min(seconds(bad, "ab" * (size // 2)) for _ in range(3)) for size in (SHORT // 2, LONG // 4)]
    assert times[1] > 8 * times[0] and times[1] > FAST
