"""Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

import io

from rich.console import Console

from pgolf.data import progress as module
from pgolf.data.progress import LINE_SECONDS, Meter


def test_without_a_terminal_a_line_is_printed_every_few_seconds(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    with Meter("tokenize", 200) as meter:
        meter.update(50, "early")
        now[0] += LINE_SECONDS
        meter.update(100, "12 documents")
        meter.update(101, "too soon")
        now[0] += LINE_SECONDS
        meter.update(199, "nearly")
        meter.note("a remark")
    assert capsys.readouterr().err.splitlines() == [
        *("tokenize: 50 %, 12 documents", "tokenize: 99 %, nearly", "tokenize: a remark"),
    ]


def test_nothing_to_do_is_no_division_by_zero(capsys, monkeypatch):
    monkeypatch.setattr(module, "LINE_SECONDS", 0.0)
    with Meter("x", 0) as meter:
        meter.update(0, "nothing")
    assert capsys.readouterr().err == "x: 0 %, nothing\n"


def test_a_terminal_has_a_bar_that_ends_also_after_an_error():
    meter, file = Meter("tokenize", 10), io.StringIO()
    meter.console = Console(file=file, force_terminal=True, width=80)
    try:
        with meter:
            assert meter.bar is not None
            meter.update(5, "half")
            meter.note("[red] is no markup")
            assert meter.bar.tasks[0].completed == 5
            raise KeyError
    except KeyError:
        pass
    assert meter.bar.finished is False and not meter.bar.live.is_started and "[red] is no markup" in file.getvalue()
