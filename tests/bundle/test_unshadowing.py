# ruff: noqa: E501 (a sample is one line, however long)
"""Parameters that are called like functions of the top level get names of their own, where all calls are in sight."""

import ast

import pytest
from test_hostile_programs import check

from pgolf.bundle.link import Owned
from pgolf.bundle.passes.unshadowing import unshadowing
from pgolf.bundle.program import Program

STEP = "def step(x): return x + 1\n"


def after(code):
    program = Program(Owned("m", node) for node in ast.parse(STEP + code).body)
    unshadowing(program)
    return program.flat.text


def test_a_parameter_and_its_keywords_are_renamed():
    text = after(
        "def run(step, n):\n    return [step(n) for _ in (1, 2)]\ndef main(): print(run(step, 1), run(n=2, step=step))"
    )
    assert "def run(step_2, n):\n    return [step_2(n) for _ in (1, 2)]" in text
    assert "run(step, 1), run(n=2, step_2=step)" in text


@pytest.mark.parametrize(
    "code",
    [
        "def run(step): return step(1)\ndef main(): print(list(map(run, [step])))",
        "def run(step): return step(1)\ndef main(): print(run(*[step]))",
        "def run(step):\n    step = abs\n    return step(1)\ndef main(): print(run(step))",
        "def run(step):\n    def other():\n        nonlocal step\n        step = abs\n    other()\n    return step(-1)\ndef main(): print(run(step))",
    ],
)
def test_others_stay(code):
    assert "step_2" not in after(code)
    check(STEP + code)


def test_the_function_is_then_written_where_it_is_called():
    text = check(STEP + "def run(step, n): return step(n) + step(n)\ndef main(): print(run(step, len('a')))")
    assert "run(step" not in text and "step(n) + step(n)" in text
