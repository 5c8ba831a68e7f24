"""Which checkpoint, what was lost, and one log of both parts."""

import pytest

from pgolf.errors import PgolfError
from pgolf.run.resume import complete, forget, joined, lost, newest, prepare, refuse_unfinished, step_of, up_to

HEAD = "Running Python 3\nseed:7\n"
FIRST = HEAD + (
    "step:1/9 train_loss:5.0 train_time:100ms step_avg:100.00ms\n"
    "step:2/9 train_loss:4.0 train_time:200ms step_avg:100.00ms\n"
    "checkpoint step:2 seconds:0.01 off the clock\n"
    "step:2/9 val_loss:4.5 val_bpb:2.0 train_time:200ms step_avg:100.00ms\n"
    "phase late on at step:2 train_time:200ms\n"
    "step:3/9 train_loss:3.0 train_time:300ms step_avg:100.00ms\n"
)
STACK = "Current thread 0x1 (most recent call first):\n  File x.py, line 1 in step\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/run.txt").write_text(FIRST)
    for name in ("step_00000001", "step_00000002", ".step_00000003.part", "step_none"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    return tmp_path


def test_the_newest_whole_one(folder):
    assert [step_of(one) for one in complete(folder / "checkpoints")] == [1, 2]
    assert newest(folder / "checkpoints").name == "step_00000002" and newest(folder / "none") is None


def test_the_log_goes_on_as_if_nothing_had_been(folder):
    assert prepare(folder, "run") == "1 steps or more, 100ms of training"
    before = (folder / "logs/run.before").read_text()
    assert before == FIRST.partition("step:2/9 val_loss")[0]
    # The program has started its log anew, and dies before it goes on; then it is started again.
    (folder / "logs/run.txt").write_text(HEAD)
    assert joined(folder, "run", keep_all=False) == before and joined(folder, "run", keep_all=True) == before + HEAD
    assert prepare(folder, "run") == "nothing that was logged"
    more = (
        "resumed: step:2\nstep:2/9 val_loss:4.5 val_bpb:2.0 train_time:200ms\nphase late on at step:2 train_time:1ms\n"
    )
    (folder / "logs/run.txt").write_text(HEAD + more)
    assert joined(folder, "run", keep_all=True) == before + more


def test_what_a_run_that_was_ended_says_last_is_not_kept():
    cut = FIRST.partition("step:2/9 val_loss")[0]
    assert up_to(cut + STACK, 2) == cut


def test_a_line_that_is_missing_takes_nothing_away():
    # Killed between the checkpoint and its line.
    text = FIRST.replace("checkpoint step:2 seconds:0.01 off the clock\n", "")
    assert up_to(text, 2).endswith("step:2/9 train_loss:4.0 train_time:200ms step_avg:100.00ms\n")
    assert up_to(HEAD, 2) == HEAD and lost(FIRST, "", 1) == "2 steps or more, 300ms of training"


def test_refusals(folder, tmp_path):
    with pytest.raises(PgolfError, match="checkpoint of step 2") as caught:
        refuse_unfinished(folder, "pgolf train X --resume")
    assert caught.value.code == "PG004" and "--resume" in caught.value.hint
    forget(folder, "run")
    refuse_unfinished(folder, "")
    with pytest.raises(PgolfError, match="there is no checkpoint"):
        prepare(folder, "run")
