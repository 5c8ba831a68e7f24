"""Scripts like those of the contest, of any length: they run without torch in a moment and print what they compute."""

HEAD = '''"""A training script of one file.

Everything in it is made up, yet each construct is one that such scripts use.
"""
from __future__ import annotations

import contextlib
import copy
import functools
import glob
import io
import math
import os
import random
import sys
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterable, NamedTuple, Optional

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None


# -----------------------------
# HYPERPARAMETERS
# -----------------------------
class Hyperparameters:
    """Sizes, read from the environment."""
    run_id = os.environ.get("RUN_ID", "a-run")
    seed = int(os.environ.get("SEED", 1337))
    iterations = int(os.environ.get("ITERATIONS", 3))
    learning_rate: float = float(os.environ.get("LEARNING_RATE", 0.02))
    betas = (0.9, 0.95)


@dataclass
class Config:
    """A mutable record with defaults and a factory."""
    width: int = 4
    names: list[str] = field(default_factory=list)
    scale: Optional[float] = None

    def total(self) -> float:
        """Width times scale."""
        return self.width * (self.scale or 1.5)


class Span(NamedTuple):
    start: int
    end: int = 9


class Module:
    """A small stand-in for nn.Module."""

    def __init__(self):
        self.children = {}
        self.weights = {}

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)

    def state_dict(self, prefix=""):
        found = {prefix + name: value for name, value in self.weights.items()}
        for name, child in self.children.items():
            found.update(child.state_dict(prefix=f"{prefix}{name}."))
        return found


if triton is not None:
    @triton.jit
    def add_kernel(x_ptr, y_ptr, out_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
        """Adds."""
        block_start = tl.program_id(0) * BLOCK_SIZE
        offsets = block_start + tl.arange(0, BLOCK_SIZE)
        mask = offsets < n_elements
        tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask) + tl.load(y_ptr + offsets, mask), mask)

CUDA_SOURCE = r"""
extern "C" __global__ void scale(float* values, int count) {
    int index = blockIdx.x * blockDim.x + threadIdx.x;  // global thread
    if (index < count) { values[index] *= 2.0f; }
}
"""
COUNTER = 0
log_lines = []


def count_up(amount: int = 1) -> int:
    """Counts in a global."""
    global COUNTER
    COUNTER += amount
    return COUNTER


def log0(message: str, *, console: bool = True) -> None:
    """Keeps a line and prints it."""
    log_lines.append(message)
    if console:
        print(message)


def registered(function):
    """Finds functions by name."""
    REGISTRY[function.__name__] = function
    return function


REGISTRY: dict[str, Callable] = {}
'''
BLOCK = '''

@dataclass(frozen=True)
class LayerConfig_N_:
    """Settings of layer _N_."""
    hidden_size: int = _N_ + 3
    dropout: float = 0.5
    label: str = "layer _N_"


class Attention_N_(Module):
    """Multi-head something, number _N_: softmax(q k^T / sqrt(d)) v."""

    def __init__(self, config: LayerConfig_N_, num_heads: int = 2):
        super().__init__()
        self.config = config
        self.num_heads = num_heads
        # Rows are drawn in order, so the order of these two lines matters.
        self.weights["query"] = [random.uniform(-1.0, 1.0) for _ in range(config.hidden_size)]
        self.weights["key"] = [random.gauss(0.0, 0.02) for _ in range(config.hidden_size)]

    def forward(self, hidden_states, attention_mask=None, *, return_weights: bool = False):
        """Scores against every key; a mask takes some out."""
        query, key = self.weights["query"], self.weights["key"]
        attention_scores = [q * k / math.sqrt(len(query)) for q, k in zip(query, key)]
        if attention_mask is not None:
            attention_scores = [score if keep else -1e9 for score, keep in zip(attention_scores, attention_mask)]
        maximum = max(attention_scores)
        exponentials = [math.exp(score - maximum) for score in attention_scores]
        normalizer = sum(exponentials)
        weights = [value / normalizer for value in exponentials]
        attended = sum(weight * hidden_states[index % len(hidden_states)] for index, weight in enumerate(weights))
        count_up()
        return (attended, weights) if return_weights else attended


def make_schedule_N_(warmup_steps: int, total_steps: int, *, floor: float = 0.1) -> Callable[[int], float]:
    """A warm-up and a cosine; returns a closure.

    Args:
        warmup_steps: steps of linear growth.
        total_steps: all steps.
    """
    calls: dict[int, int] = defaultdict(int)
    best_value = 0.0

    def schedule(step: int) -> float:
        nonlocal best_value
        calls[step] += 1
        if step < warmup_steps:
            multiplier = (step + 1) / warmup_steps
        else:
            progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
            multiplier = floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
        best_value = max(best_value, multiplier)
        return multiplier * (1.0 if calls[step] < 2 else 0.5)

    schedule.best = lambda: best_value
    return schedule


@registered
def quantize_rows_N_(rows: Iterable[float], bits: int = 6) -> tuple[list[int], float]:
    """Symmetric grid of 2**bits - 1 values; returns codes and step."""
    values = list(rows)
    assert bits > 1, f"bits is {bits!r}"
    largest = max((abs(value) for value in values), default=0.0)
    step_size = largest / (2 ** (bits - 1) - 1) if largest else 1.0
    try:
        codes = [round(value / step_size) for value in values]
    except ZeroDivisionError as error:
        log0(f"cannot quantize: {error}")
        raise
    finally:
        count_up(amount=2)
    return codes, step_size


def train_N_(args: Hyperparameters, span: Span = Span(0)) -> float:
    """One short run of part _N_."""
    config = LayerConfig_N_()
    model = Attention_N_(config)
    schedule = make_schedule_N_(2, 10 + span.end)
    smoothed: float = 0.0
    history = []
    for step in range(args.iterations):
        learning_rate = args.learning_rate * schedule(step)
        hidden = [math.sin(step + position) for position in range(config.hidden_size)]
        output, weights = model(hidden, attention_mask=[index != 1 for index in range(99)], return_weights=True)
        smoothed = args.betas[0] * smoothed + (1 - args.betas[0]) * output
        history.append((step, output))
        model.weights["query"] = [w - learning_rate * output for w in model.weights["query"]]
        trend = f"{'up' if output > smoothed else 'down'}"
        log0(f"part:_N_ step:{step}/{args.iterations} loss:{output:.6f} lr:{learning_rate:.2e} {trend + f'{step}'}")
    codes, step_size = quantize_rows_N_(model.weights["query"], bits=5)
    worst = max(history, key=lambda pair: (abs(pair[1]), -pair[0]))
    if (longest := len(codes)) > 3:
        log0(f"{config.label!r:>12} codes={codes[:3]} worst={worst[0]:03d} best={schedule.best():.3f} {longest=}")
    state = {name: [round(value, 9) for value in values] for name, values in model.state_dict(prefix="m.").items()}
    log0(f"{sorted(state)} {type(model).__name__} {step_size:.9f}", console=(COUNTER % 2 == 0))
    return smoothed
'''
TAIL = '''

def main() -> None:
    """Everything."""
    args = Hyperparameters()
    random.seed(args.seed)
    record = Config(names=["a", "b"], scale=2.0)
    log0(f"{record} total={record.total():{6}.2f} file={Path(__file__).name} args={sys.argv[1:]}")
    results = [function(args) for name, function in sorted(RUNS.items())]
    log0(f"results:{[f'{result:.9f}' for result in results]} count:{COUNTER} {sorted(REGISTRY)[:2]}")
    buffer = io.StringIO()
    with contextlib.redirect_stdout(buffer):
        print(copy.deepcopy(record), Span(1), sep=" | ")
    match buffer.getvalue().split(" | "):
        case [first, *others]:
            log0(f"{first} and {len(others)} more, {len(log_lines)} lines, {'extern' in CUDA_SOURCE}")
    log0(f"{[f'{k}={v}' for k, v in vars(record).items()]} {__name__}")


RUNS = {"train0": train0}
'''


def make_script(size):
    """A script of about `size` bytes."""
    parts, number = [HEAD], 0
    while sum(map(len, parts)) + len(TAIL) + len(BLOCK) + 200 < size:
        parts.append(BLOCK.replace("_N_", str(number)))
        number += 1
    runs = "".join(f'RUNS["train{n}"] = train{n}\n' for n in range(1, number))
    # A real script does not repeat itself this much: other words in every part.
    text = "".join(_vary(part, index) for index, part in enumerate(parts)) + TAIL + runs
    return text + '\n\nif __name__ == "__main__":\n    main()\n'


WORDS = ("attended", "normalizer", "exponentials", "multiplier", "progress", "largest", "smoothed", "hidden", "history")


def _vary(part, index):
    for word in WORDS:
        part = part.replace(word, f"{word}_{(index * 7919) % 8191:x}")
    return part
