"""What ends a run early, and what does not."""

import pytest

from pgolf.run.watcher import StopRun, Watcher, number


def watch(*losses, first_step=1, every=50):
    watcher = Watcher()
    for place, loss in enumerate(losses):
        watcher.line(f"step:{first_step + place * every}/20000 train_loss:{loss} train_time:1ms step_avg:1.00ms")
    return watcher


def test_a_loss_that_is_no_number():
    for loss in ("nan", "inf", "-inf", "what"):
        with pytest.raises(StopRun, match=f"the training loss is {loss} at step 51"):
            watch(6.9, loss)
    assert number("1e3") == 1000.0


def test_divergence_needs_three_in_a_row_after_the_start():
    with pytest.raises(StopRun, match=r"is 8.1000 at step 301, was 6.9000 at first and 3.0000 at best"):
        watch(6.9, 5.0, 4.0, 3.0, 7.9, 8.0, 8.1)
    watch(6.9, 5.0, 4.0, 3.0, 7.9, 8.0, 3.1, 7.9, 8.0)
    # The first steps often go up before they go down, as those of the baseline do.
    watch(6.9, 14.7, 13.7, 13.3, 12.9, 11.6, 10.0, 7.2, every=1)
    # Worse than its best, and still better than at first: an evaluation may want it.
    watch(6.9, 3.0, 3.0, 5.0, 5.0, 5.0, 5.0)


def test_other_lines_are_nothing():
    watcher = watch()
    for line in ("warmup_step:1/20", "step:0/100 val_loss:nan val_bpb:nan", "", "final_int8 val_loss:nan"):
        watcher.line(line)
