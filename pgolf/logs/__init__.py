"""Training logs of pgolf and of the contest's scripts, read as typed records in bounded time and memory."""

from pgolf.logs.parse import LogUnreadable, parse_lines, parse_log, read_log
from pgolf.logs.record import Calibration, FinalLine, Pair, RunRecord, Stage, TrainLine

__all__ = [
    "Calibration",
    "FinalLine",
    "LogUnreadable",
    "Pair",
    "RunRecord",
    "Stage",
    "TrainLine",
    "parse_lines",
    "parse_log",
    "read_log",
]
