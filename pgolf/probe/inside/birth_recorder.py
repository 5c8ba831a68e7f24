"""What is written down of one execution of a script: births of scores, what was printed of them, updates, files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pgolf.probe.inside.births import Places
from pgolf.probe.inside.groups import Group, Tracked

REPORTS = 400
"""Most printed numbers that are kept, the last ones."""
EVENTS = 20_000
SOME = 8
"""Positions that are told of a comparison."""
WIDEST = 4
"""A distribution may have this many times the tokens of the vocabulary: some scripts pad theirs."""


class Recorder:
    """The record of one execution.

    Args:
        stream: tokens of the validation stream.
        vocabulary: number of tokens.
        files: names of the files that the script is compiled from; lines of others are not told.

    Attributes:
        contrary: the number of the comparison of totals that is to come out the other way; 0 for none.
    """

    def __init__(self, stream: NDArray[np.int64], vocabulary: int, files: Iterable[str] = ()):
        self.places = Places(stream)
        self.vocabulary = vocabulary
        self.files = set(files)
        self.births: list[NDArray[np.float64]] = []
        self.count = 0
        self._known, self._blocks = np.zeros(0, np.int64), 0
        self.now = 0
        self.events: list[dict[str, Any]] = []
        self.reports: list[tuple[int, float, str, Group]] = []
        self.choices: dict[int, str] = {}
        self.comparisons, self.contrary = 0, 0
        self.pending: list[NDArray[np.int64]] = []
        weights = np.random.default_rng(5).standard_normal(vocabulary * WIDEST)
        self._weights = torch.from_numpy(weights)
        Tracked.report, Tracked.compared = self.report, self.compared  # type: ignore[assignment]

    def line(self) -> int:
        """The line of the script that is running, 0 where it is none of the script's."""
        frame = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename in self.files:
                return frame.f_lineno
            frame = frame.f_back  # type: ignore[assignment]
        return 0

    def event(self, kind: str, **more: Any) -> None:
        """Note that something happened now."""
        self.now += 1
        if len(self.events) < EVENTS:
            self.events.append({"kind": kind, "at": self.now, **more})

    def is_distribution(self, size: int) -> bool:
        """May a last axis of this size be the vocabulary?"""
        return self.vocabulary <= size <= WIDEST * self.vocabulary

    def give_birth(self, rows: torch.Tensor, targets: torch.Tensor, row: int = 0) -> torch.Tensor | None:
        """Number the scores of these targets.

        Args:
            rows: [..., vocabulary] logits, log-probabilities or probabilities.
            targets: [...] tokens.
            row: tokens of a row, where flat targets were rows before; -1 where all are one token of several rows.

        Returns:
            births [...], -1 for targets that are not of the stream; None where none is.
        """
        if torch._C._functorch.is_functorch_wrapped_tensor(rows):
            return None
        with torch._C.DisableTorchFunction():  # what is picked here is no birth of its own
            return self._born(rows, targets, row)

    def _born(self, rows: torch.Tensor, targets: torch.Tensor, row: int) -> torch.Tensor | None:
        tokens = targets.detach().to(torch.int64).numpy(force=True)
        if tokens.size == 0:
            return None
        positions = self._found(tokens, row)
        valid = positions >= 0
        if not valid.any():
            return None
        self.now += 1
        chosen = torch.from_numpy(valid)
        picked = rows.detach()[chosen].double()
        wanted = torch.from_numpy(tokens[valid])
        sums = picked.sum(-1, keepdim=True)
        likely = (picked >= 0).all(-1, keepdim=True) & ((sums - 1).abs() < 0.01)
        logs = torch.where(likely, picked.clamp_min(1e-300).log(), torch.log_softmax(picked, -1))
        scores = -logs.gather(-1, wanted.unsqueeze(-1)).squeeze(-1)
        digests = logs.clamp_min(-100.0) @ self._weights[: logs.shape[-1]]
        line = self.line()
        self.births.append(
            np.stack(
                [
                    positions[valid].astype(np.float64),
                    scores.numpy(),
                    digests.numpy(),
                    np.full(len(scores), float(self.now)),
                    np.full(len(scores), float(line)),
                ]
            )
        )
        births = np.full(tokens.shape, -1, np.int64)
        births[valid] = self.count + np.arange(len(scores))
        self.count += len(scores)
        return torch.from_numpy(births)

    def _found(self, tokens: NDArray[np.int64], row: int) -> NDArray[np.int64]:
        """Where in the stream they are."""
        if row < 0:
            return np.full(tokens.shape, self.places.find(tokens.reshape(-1)[:1])[0])
        split = row > 0 and tokens.ndim == 1 and tokens.size % row == 0
        return self.places.find(tokens.reshape(-1, row) if split else tokens).reshape(tokens.shape)

    def positions(self, births: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions of births, -1 for -1."""
        if not self.births:
            return np.full(births.shape, -1, np.int64)
        if len(self._known) < self.count:
            new = np.concatenate([block[0] for block in self.births[self._blocks :]]).astype(np.int64)
            self._known, self._blocks = np.concatenate([self._known, new]), len(self.births)
        return np.where(births >= 0, self._known[np.maximum(births, 0)], -1)

    def report(self, value: float, text: str, group: Group) -> None:
        """A number with scores in it is printed."""
        self.now += 1
        self.reports.append((self.now, value, text, group))
        del self.reports[:-REPORTS]

    def compared(self, first: Group, second: Group) -> bool:
        """Two sums of scores are compared: one score of each position, or the same positions. Is the contrary to be told?"""
        if not first.chunks or not second.chunks:
            return False
        births = [np.concatenate([chunk[0] for chunk in group.chunks]) for group in (first, second)]
        one, other = (np.unique(self.positions(part)) for part in births)
        both = np.intersect1d(one, other)
        if 2 * len(both) <= max(len(one), len(other)) or np.array_equal(births[0], births[1]):
            return False
        if len(both) == 1:  # one score against another: what the vocabulary says of it decides
            self.chosen(np.concatenate(births), "a comparison")
            return False
        self.comparisons += 1
        some = both[np.linspace(0, len(both) - 1, SOME).astype(np.int64)].tolist()
        first_ones = [int(part[0]) for part in births]
        self.event(
            "compare", positions=len(both), some=some, births=first_ones, line=self.line(), number=self.comparisons
        )
        return self.comparisons == self.contrary

    def chosen(self, births: NDArray[np.int64], how: str) -> None:
        """One of these scores of one position is chosen for its value."""
        self.choices.update(dict.fromkeys(births.reshape(-1).tolist(), f"{how} at line {self.line()}"))

    def learnt(self, births: NDArray[np.int64], leaves: list[list[int]]) -> None:
        """Gradients of these scores are taken, by tensors of these shapes."""
        births = np.unique(births[births >= 0])
        if len(births):
            self.pending.append(births)
            positions = np.unique(self.positions(births)).tolist()
            self.event("gradient", positions=positions, line=self.line(), leaves=leaves)

    def stepped(self, shapes: list[list[int]]) -> None:
        """An optimizer changes tensors of these shapes."""
        used = np.concatenate(self.pending) if self.pending else np.zeros(0, np.int64)
        self.pending.clear()
        positions = np.unique(self.positions(used)).tolist()
        self.event("step", positions=positions, line=self.line(), leaves=shapes)

    def save(self, path: Path, more: dict[str, Any]) -> None:
        """Write everything to `path` (numbers) and `path` with .json (the rest)."""
        births = np.concatenate(self.births, 1) if self.births else np.zeros((5, 0))
        arrays: dict[str, Any] = {"births": births}
        reports = []
        for number, (at, value, text, group) in enumerate(self.reports):
            parts = group.chunks
            arrays[f"report{number}"] = (
                np.concatenate(
                    [np.stack([part[0].astype(np.float64), part[1], np.full(len(part[0]), part[2])]) for part in parts],
                    1,
                )
                if parts
                else np.zeros((3, 0))
            )
            lines = sorted({part[3] for part in parts})
            reports.append({"at": at, "value": value, "text": text, "lines": lines})
        np.savez(path, **arrays)
        choices = {str(birth): name for birth, name in list(self.choices.items())[:EVENTS]}
        record = {"events": self.events, "reports": reports, "choices": choices, **more}
        path.with_suffix(".json").write_text(json.dumps(record))
