import pytest

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer import wall_clock
from pgolf_plugins.optimizer.wall_clock import WallClock


def test_paused_time_does_not_count(monkeypatch):
    times = iter([10.0, 10.5, 11.0, 100.0, 100.25, 100.5])  # one reading for each of the six calls
    monkeypatch.setattr(wall_clock.time, "perf_counter", lambda: next(times))
    clock, ledger = WallClock(), Ledger()
    clock.start()
    assert clock.elapsed_ms(1) == pytest.approx(500.0)
    clock.pause(ledger)
    assert ledger.receipt("wall_clock") == "1.000 seconds"
    clock.start()
    assert clock.elapsed_ms(2) == pytest.approx(1250.0)
    clock.pause(ledger)
    assert ledger.receipt("wall_clock") == "1.500 seconds"
