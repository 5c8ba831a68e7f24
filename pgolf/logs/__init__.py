"""Training logs of pgolf and of the contest's scripts, read as typed records in bounded time and memory."""

from pgolf.logs.lines import Budget
from pgolf.logs.parse import LogUnreadable, parse_log, parse_runs, read_log, read_runs
from pgolf.logs.record import Calibration, FinalLine, Pair, RunRecord, Stage, TrainLine

__all__ = [
    "Budget",
    "Calibration",
    "FinalLine",
    "LogUnreadable",
    "Pair",
    "RunRecord",
    "Stage",
    "TrainLine",
    "parse_log",
    "parse_runs",
    "read_log",
    "read_runs",
]
