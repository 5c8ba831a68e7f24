"""Random programs that mutate what they read, use libraries that look into objects, and rely on handlers.

`make_hostile(random)` draws every choice from a `random.Random`, so that a seed names a program. The programs of
`program_writer` avoid what these are made of.
"""

from hostile_draw import Env, indent
from hostile_forms import Forms

IMPORTS = """
import argparse
import atexit
import bisect
import collections
import contextlib
import copy
import csv
import dataclasses
import fractions
import functools
import heapq
import io
import itertools
import json
import logging
import math
import numbers
import operator
import re
import sched
import statistics
import string
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, IntEnum, IntFlag, StrEnum
from typing import NamedTuple, Protocol

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
"""
RECORDS = """
from typing import NamedTuple
class Settings(NamedTuple):
    depth: int
    width: int
    label: str
class Program(NamedTuple):
    gauge: object
    bound: object
    chosen: object
"""
PARTS = """
LIMIT = 3
def _clamp(x, low=0):
    return max(low, min(x, LIMIT))
class Gauge:
    def __init__(self, offset, reads=0):
        self.offset = offset
        self.reads = reads
    def __call__(self, found):
        self.reads += 1
        return _clamp(found) + self.offset + self.reads
def scaled(found, factor):
    return found * factor % 50
def first_part(one, two):
    return one - two
"""
OTHER = """
LIMIT = 70
def _clamp(x, high=LIMIT):
    return min(x, high, LIMIT)
def note(label, found):
    print(label, _clamp(found, high=65))
    return found
class Refusal(Exception):
    pass
def second_part(two, one):
    return one * 2 - two
"""
ENTRY = """
from functools import partial
from code_ import main
from parts import Gauge, first_part, scaled
from other import second_part
from records import Program, Settings
SETTINGS = Settings(depth={depth}, width={width}, label={label!r})
def make_program():
    return Program(gauge=Gauge(offset={offset}), bound=partial(scaled, factor={factor}), chosen={chosen})
if __name__ == "__main__":
    main(SETTINGS, make_program())
"""


class Writer(Forms):
    """Writes one program."""

    def scene(self):
        """(definitions that it needs, the function that plays it, the lines that call this)."""
        name = self.new("scene")
        env = Env(context=self.chance(50))
        lines = [f"def {name}({'settings, program' if env.context else ''}):"]
        for shape in self.sample(self.shapes, 2):
            thing = self.new("thing")
            lines.append(f"    {thing} = {self.instance(Env(context=env.context), shape)}")
            env.objects[thing] = shape
        if self.chance(25):
            return [], [*lines, *indent(self.statements(env, 8, 2))], self.play(name, env)
        lines += indent(self.statements(env, 2))
        definitions, body = getattr(self, self.pick(SCENES))(env)
        return definitions, [*lines, *indent(body)], self.play(name, env)

    def play(self, name, env):
        call = f"{name}({'settings, program' if env.context else ''})"
        return [call] if self.chance(75) else [f"for _ in range({self.pick('12')}):", f"    {call}"]

    def program(self):
        definitions, scenes, plays = [], [], ["def main(settings, program):"]
        for _ in range(1 + self.random.randrange(2)):
            definitions += self.shape()
            for _ in range(self.random.randrange(3)):
                definitions += self.function()
        for _ in range(1 + self.random.randrange(3)):
            own, scene, play = self.scene()
            scenes += [*own, *scene]
            plays += indent(play)
        return [*definitions, *scenes, *plays]


SCENES = sorted(name for name in dir(Writer) if name.startswith("scene_"))


def make_hostile(random):
    """(entry, module name -> text)."""
    writer = Writer(random)
    code = "\n".join(writer.program())
    lines = [line for line in IMPORTS.strip().splitlines() if line]
    used = [line for line in lines if any(name in code for name in line.partition("import ")[2].split(", "))]
    note = writer.pick(("note", "note", "note as note"))
    head = "\n".join([*used, f"from other import Refusal, {note}"])
    if writer.chance(20):
        head = f"from __future__ import annotations\n{head}"
    entry = ENTRY.format(
        depth=random.randrange(4), width=random.randrange(3), label=writer.pick(("", "ab", "it's")), offset=writer.digit(),
        factor=writer.digit(), chosen=writer.pick(("first_part", "second_part")),
    )  # fmt: skip
    return entry, {"records": RECORDS, "other": OTHER, "parts": PARTS, "code_": f"{head}\n{code}\n"}
