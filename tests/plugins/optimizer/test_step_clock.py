from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer.step_clock import StepClock
from pgolf_plugins.optimizer.wall_clock import WallClock


def test_time_is_counted_in_steps():
    clock, ledger = StepClock(40.0), Ledger()
    clock.start()
    assert [clock.elapsed_ms(step) for step in (0, 1, 10)] == [0.0, 40.0, 400.0]
    clock.pause(ledger)
    assert clock.elapsed_ms(10) == 400.0
    assert ledger.receipt("step_clock") == "40.0 ms per step"


def test_only_counted_time_asks_for_equal_runs():
    assert StepClock(1.0).deterministic and not WallClock().deterministic
