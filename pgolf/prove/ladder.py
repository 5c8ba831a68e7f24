"""The ladder: what the recorded runs of two stages must agree in, the cheapest and most telling comparison first."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

RUNGS = ("bytes", "syntax", "names", "initial state", "graph", "steps", "artifact", "score")
PYTHON = (3, 11)
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """Where a stage is another program than the live entry."""

    stage: str
    rung: int
    message: str
    step: int | None = None
    tensor: str = ""

    def __str__(self) -> str:
        place = f", step {self.step}" if self.step is not None else ""
        place += f", tensor {self.tensor}" if self.tensor else ""
        return f"rung {self.rung} ({RUNGS[self.rung]}), stage {self.stage}{place}: {self.message}"

    def as_record(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "rung_name": RUNGS[self.rung]}


def check_syntax(stage: str, content: bytes) -> Difference | None:
    """Rung 1: the file parses, for the oldest supported Python too, and compiles."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(content, stage, feature_version=PYTHON)
            compile(content, stage, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return Difference(stage, 1, f"it is not Python {PYTHON[0]}.{PYTHON[1]}: {error}")
    return None


def compare(stage: str, live: Record, other: Record, rungs: frozenset[int]) -> list[Difference]:
    """The first difference on each of the rungs 2 to 7."""
    found = []
    for rung, check in CHECKS.items():
        if rung in rungs:
            difference = next(check(stage, live, other), None)
            if difference is not None:
                found.append(difference)
    if other["problem"] or other["status"] != live["status"]:
        rung = min([item.rung for item in found], default=5)
        text = other["problem"] or f"it ended with status {other['status']}, live {live['status']}"
        found.insert(0, Difference(stage, rung, f"it does not run: {text}"))
    return found


def _names(stage: str, live: Record, other: Record) -> Iterator[Difference]:
    for index, wanted in enumerate(live["state"]):
        seen = other["state"][index] if index < len(other["state"]) else None
        if seen != wanted:
            yield Difference(
                stage, 2, f"the live state has {_entry(wanted)} here, this one {_entry(seen)}", None, wanted[0]
            )
    for extra in other["state"][len(live["state"]) :]:
        yield Difference(stage, 2, f"the state has {_entry(extra)}, the live one has not", None, extra[0])
    for left, right in _paired(live["groups"], other["groups"]):
        if left != right:
            yield Difference(stage, 2, f"an optimizer has the groups {right}, live {left}")


def _entry(entry: Any) -> str:
    return f"{entry[0]} {tuple(entry[1])} {entry[2]}" if entry else "nothing"


def _paired(left: list[Any], right: list[Any]) -> Iterator[tuple[Any, Any]]:
    for index in range(max(len(left), len(right))):
        yield (left[index] if index < len(left) else None), (right[index] if index < len(right) else None)


def _initial(stage: str, live: Record, other: Record) -> Iterator[Difference]:
    yield from _tensors(stage, 3, live["initial"], other["initial"], "starts with other values")


def _tensors(
    stage: str, rung: int, live: Mapping[str, str], other: Mapping[str, str], text: str, step: int | None = None
) -> Iterator[Difference]:
    for name in [*live, *(name for name in other if name not in live)]:
        if live.get(name) != other.get(name):
            yield Difference(stage, rung, f"{name} {text}", step, name)


def _graph(stage: str, live: Record, other: Record) -> Iterator[Difference]:
    for number, (left, right) in enumerate(_paired(list(live["graphs"].items()), list(other["graphs"].items()))):
        if left is None or right is None or left[0] != right[0]:
            yield Difference(stage, 4, f"training graph {number} is of another call")
            return
        for line, (wanted, seen) in enumerate(_paired(left[1], right[1])):
            if wanted != seen:
                yield Difference(stage, 4, f"training graph {number}, node {line}: live `{wanted}`, here `{seen}`")


def _steps(stage: str, live: Record, other: Record) -> Iterator[Difference]:
    for number, (left, right) in enumerate(_paired(live["steps"], other["steps"])):
        if left is None or right is None:
            counts = f"{len(other['steps'])} steps, live {len(live['steps'])}"
            yield Difference(stage, 5, f"there are {counts}", number)
            return
        yield from _tensors(stage, 5, left["parameters"], right["parameters"], "differs before the step", number)
        for index, (wanted, seen) in enumerate(_paired(left["losses"], right["losses"])):
            if wanted != seen:
                yield Difference(stage, 5, f"loss {index} is {seen}, live {wanted}", number)
        yield from _tensors(stage, 5, left["gradients"], right["gradients"], "has another gradient", number)
    if live["rates"] != other["rates"]:
        yield Difference(stage, 5, "the optimizers were given other rates")
    yield from _tensors(stage, 5, live["trained"], other["trained"], "differs after training")


def _artifact(stage: str, live: Record, other: Record) -> Iterator[Difference]:
    for key in ("artifact", "artifact_bytes"):
        if live[key] != other[key]:
            yield Difference(stage, 6, f"{key.replace('_', ' ')}: {other[key]}, live {live[key]}")


def _score(stage: str, live: Record, other: Record) -> Iterator[Difference]:
    for wanted, seen in _paired(live["scores"], other["scores"]):
        if wanted != seen:
            yield Difference(stage, 7, f"{seen}, live {wanted}")


CHECKS: dict[int, Callable[[str, Record, Record], Iterator[Difference]]] = {
    2: _names,
    3: _initial,
    4: _graph,
    5: _steps,
    6: _artifact,
    7: _score,
}
