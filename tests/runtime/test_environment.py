"""Variables that are no numbers end the program with one line, before anything is done."""

import pytest
from micro import micro, run_program

from pgolf.runtime.environment import read_environment
from pgolf.settings import ENGINE_SETTINGS


class Defaults:
    """The engine's settings at their defaults."""

    def __getattr__(self, name):
        return next(setting.default for setting in ENGINE_SETTINGS if setting.name == name)


def test_variables_win_over_literals(monkeypatch):
    monkeypatch.setenv("SEED", "42")
    monkeypatch.setenv("MAX_WALLCLOCK_SECONDS", "1.5")
    monkeypatch.delenv("ITERATIONS", raising=False)
    env = read_environment(Defaults())
    assert (env.seed, env.max_wallclock_seconds, env.iterations) == (42, 1.5, 20000)
    assert not env.score and not env.export and env.run_id


@pytest.mark.parametrize("name", ["SEED", "ITERATIONS", "MAX_WALLCLOCK_SECONDS", "TRAIN_LOG_EVERY", "VAL_LOSS_EVERY"])
def test_what_is_no_number_is_refused(name, monkeypatch):
    monkeypatch.setenv(name, "many")
    with pytest.raises(ValueError, match=f"{name} is 'many', wanted a value like"):
        read_environment(Defaults())


def test_the_program_says_so_in_one_line(tmp_path, micro_data):
    made = tmp_path / "entry.py"
    made.write_text(micro().entry)
    run = run_program(made, tmp_path / "run", micro_data, SEED="1.5")
    assert run.status == 2 and run.output.strip() == "error: SEED is '1.5', wanted a value like 1337"
