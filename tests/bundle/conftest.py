"""A small program in the form pgolf builds, without torch: a runtime package, two plugins, and an entry."""

import subprocess
import sys
from pathlib import Path

import pytest

RECORDS = '''
"""Records."""
from typing import NamedTuple

class Settings(NamedTuple):
    """Sizes."""
    depth: int
    label: str
    rate: float
    verbose: bool
    width: int = 3

class Program(NamedTuple):
    """Chosen parts."""
    adapter: object
    average: object
    mlp: object
    taps: tuple
    schedules: tuple
'''

TRAIN = '''
"""The loop."""
import math
from functools import partial
from lab.layers import Layer, halve
LIMIT = 2 ** 3
EMPTY = ()

class Trainer:
    """Walks the layers."""
    LOG = "log"

    def __init__(self, settings, program):
        self.settings = settings
        self.program = program
        self.layers = [Layer(settings.width, index) for index in range(settings.depth)]
        self.lines: list[str] = []

    def forward(self, x: float) -> float:
        """One pass."""
        for layer in self.layers:
            x = layer(x)
            if self.program.adapter is not None:
                x = self.program.adapter(x)
            for tap in self.program.taps:
                x = tap(x, layer.index)
            for schedule in self.program.schedules:
                x = schedule(x)
        return self.program.mlp(x) if self.program.mlp is not None else math.nan

    def report(self, value):
        settings = self.settings
        assert isinstance(value, float), "numbers only"
        if settings.verbose and value > 0:
            self.lines.append("verbose")
        mode = "deep" if settings.depth > 2 else "flat"
        self.lines.append(f"{settings.label}:{settings.depth:03d}:{mode}:{value:.6f}:{settings.rate!r}")

def train(settings, program, names):
    """Run it."""
    trainer = Trainer(settings, program)
    scale = partial(halve, factor=settings.rate)
    for step in range(LIMIT // 2):
        value = trainer.forward(scale(float(step)))
        trainer.report(value)
    while settings.verbose:
        print("never")
    print("\\n".join(trainer.lines))
    print(sorted(names), [name.upper() for name in names if name not in EMPTY], sum(len(name) for name in names))
'''

LAYERS = '''
import math as arithmetic

class Base:
    """A layer with a place."""
    kind: str = "base"

    def __init__(self, width, index):
        self.width, self.index = width, index

    def __call__(self, x, *, shift=0):
        return x * self.width + shift

class Layer(Base):
    def __call__(self, x, *, shift=1):
        here = [offset for offset in range(self.index + 1) if offset % 2 == 0]
        return super().__call__(x, shift=shift) - arithmetic.sqrt(len(here))

def halve(x, factor):
    """Scales."""
    return x * factor

def unused(x):
    return undefined_elsewhere(x)
'''.replace("undefined_elsewhere", "halve")

PLUGIN = '''
"""A plugin with build-time parts."""
from pgolf import Component, Plugin, hookimpl
from lab.layers import halve

PLUGIN = Plugin(name="shift", summary="s", source="s", family="architecture")

class Shift:
    """x + k"""
    name = "shift"

    def __init__(self, amount):
        self.amount = amount

    def __call__(self, x, index):
        try:
            import brotli_that_is_not_there
        except ImportError:
            extra = 0.25
        return halve(x, factor=1.0) + self.amount * index + extra

@hookimpl
def weight_taps(settings):
    return Component(Shift, amount=settings.amount)
'''.replace("brotli_that_is_not_there", "flash_attn_interface")

MLP = """
def square(x, gain):
    return gain * x * x
"""

ENTRY = '''"""The training program."""
from functools import partial

from lab.mlp import square
from lab.records import Program, Settings
from lab.shift import Shift
from lab.train import train

SETTINGS = Settings(depth=4, label="a'b", rate=0.1, verbose=False)


def make_parameters():
    """Names."""
    return ("tok_emb.weight", "blocks.0.attn")


def make_program():
    """Parts."""
    return Program(
        adapter=None, average=None, mlp=partial(square, gain=1e-3), taps=(Shift(amount=2),), schedules=(),
    )


if __name__ == "__main__":
    train(SETTINGS, make_program(), make_parameters())
'''

SOURCES = {
    "lab": "",
    "lab.records": RECORDS,
    "lab.train": TRAIN,
    "lab.layers": LAYERS,
    "lab.shift": PLUGIN,
    "lab.mlp": MLP,
}


@pytest.fixture
def project(tmp_path):
    """Writes modules by name and returns their `find_source`."""

    def write(sources):
        for name, text in sources.items():
            folder = tmp_path.joinpath(*name.split("."))
            is_package = any(other.startswith(name + ".") for other in sources)
            path = folder / "__init__.py" if is_package else folder.with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

        def find_source(name):
            folder = tmp_path.joinpath(*name.split("."))
            paths = (folder.with_suffix(".py"), folder / "__init__.py")
            return next((path for path in paths if path.exists()), None)

        return find_source

    return write


@pytest.fixture
def lab(project):
    """(entry, find_source) of the sample program."""
    return ENTRY, project(SOURCES)


@pytest.fixture
def run_file(tmp_path):
    """Runs a program in an empty folder and returns what it printed."""

    def run(code, *flags, path=None):
        folder = tmp_path / "elsewhere"
        folder.mkdir(exist_ok=True)
        file = folder / "train_gpt.py"
        file.write_bytes(code if isinstance(code, bytes) else code.encode())
        environment = {"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "3"} | ({"PYTHONPATH": str(path)} if path else {})
        result = subprocess.run(
            [sys.executable, *flags, str(file)], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run


@pytest.fixture
def rejected_folder():
    """Where the known-bad modules are."""
    return Path(__file__).parent.parent / "rejected"
