import io

import pytest

from pgolf.run import display
from pgolf.run.display import BarDisplay, Pace, PlainDisplay, make_bar, open_display


def names(bar):
    return [type(column).__name__ for column in bar.columns]


def test_a_bar_counts_unless_it_is_given_columns():
    from rich.progress import TimeElapsedColumn

    counting = ["TextColumn", "BarColumn", "MofNCompleteColumn", "TimeElapsedColumn", "TimeRemainingColumn"]
    assert names(make_bar()) == counting and make_bar().console.stderr
    assert names(make_bar(TimeElapsedColumn())) == ["TextColumn", "BarColumn", "TimeElapsedColumn"]


def test_lines_move_the_bar_and_only_what_matters_is_printed():
    with BarDisplay("seed 1") as shown:
        shown.progress.console.file = out = io.StringIO()
        for line in (
            "train_batch_tokens:2000 train_seq_len:100 iterations:40 warmup_steps:0 max_wallclock_seconds:0.000",
            "plugins:adam",
            "step:10/40 train_loss:3.5000 train_time:1000ms step_avg:100.00ms",
            "phase late on at step:10 train_time:1000ms",
        ):
            shown.line(line)
        (task,) = shown.progress.tasks
        assert task.fields["loss"] == "3.5000" and "20,000 tokens/s" in task.fields["pace"]
    assert "phase late on" in out.getvalue() and "plugins:" not in out.getvalue()


@pytest.mark.parametrize(("budget", "left"), [("0.000", "3 s"), ("2.000", "1 s")])
def test_time_left_is_what_ends_first(budget, left):
    pace = Pace()
    pace.line(f"train_batch_tokens:2000 train_seq_len:100 iterations:40 warmup_steps:0 max_wallclock_seconds:{budget}")
    share, words = pace.at(10, 40, 1000)
    assert share == pytest.approx(0.25 if budget == "0.000" else 0.5) and f"{left} to train" in words


def test_without_a_terminal_lines_are_lines(capsys):
    with open_display("seed 1", terminal=False) as shown:
        shown.line("anything")
    assert type(shown) is PlainDisplay and capsys.readouterr().err == "anything\n"
    assert isinstance(display.open_display("seed 1", terminal=True), BarDisplay)
