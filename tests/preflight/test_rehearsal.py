"""The rehearsal, of a stand-in program: what it runs, and what it makes of the logs."""

from types import SimpleNamespace

import pytest
from folders import PROGRAM, make_data, make_folder

from pgolf.logs import parse_log
from pgolf.preflight.rehearsal import Plan, budget, judge_phases, judge_score, late_phases, only_excused, rehearse
from pgolf.preflight.seconds import stage_times
from pgolf.run.data import find_data
from pgolf.run.launch import Target
from pgolf.runtime.records import Phase
from pgolf.runtime.shards import shard_length

SETTINGS = {"seed": 3, "max_wallclock_seconds": 600.0, "iterations": 9000}


def plan_of(tmp_path, code=PROGRAM, phases=(), smoke=True, timed=True, compiled=False, fewer=None, **settings):
    folder = make_folder(tmp_path / "toy", code.encode(), trained=False)
    target = Target(folder, folder / "train_gpt.py", SETTINGS | settings, (), smoke)
    program = SimpleNamespace(phases=phases, reserve=14.0)
    data = tmp_path / "data"
    paths = find_data(data if data.exists() else make_data(data), None, {}, False)
    return Plan(target, paths, 1, program, 5.0, timed, 1e-4, compiled, fewer or (lambda folder: None))


def states(found):
    return {one.check: one.state for one in found.findings}


def test_the_whole_program_and_the_artifact_alone(tmp_path):
    plan, said = plan_of(tmp_path), []
    found = rehearse(plan, said.append)
    # The stand-in's score does not depend on the tokens.
    assert states(found) == {"program": "ok", "score": "ok"}, found.findings
    whole = sum(shard_length(path) for path in plan.paths.data_path.glob("fineweb_val_*.bin"))
    assert found.full_tokens == whole and [count for count, _ in found.runs] == [whole // 4, whole // 4, whole]
    assert not (plan.target.root / "artifacts/preflight").exists() and found.start_seconds > 0


def test_a_program_that_fails_keeps_its_folder(tmp_path):
    plan = plan_of(tmp_path, PROGRAM.replace('say("receipt beta', 'raise ValueError("no luck")\n    say("receipt beta'))
    (found,) = rehearse(plan, str).findings
    assert (found.state, found.text) == ("problem", "ValueError: no luck")
    assert (plan.target.root / "artifacts/preflight/logs/preflight.txt").exists() and "preflight.txt" in found.hint


def test_an_artifact_that_scores_otherwise_alone(tmp_path):
    code = PROGRAM.replace("final(path.read_bytes())", 'final(path.read_bytes() + b"more")')
    assert states(rehearse(plan_of(tmp_path, code), str)) == {"program": "ok", "score": "problem"}


def test_an_artifact_that_cannot_be_scored_alone(tmp_path):
    code = PROGRAM.replace("final(path.read_bytes())", 'raise OSError("no train data")')
    found = rehearse(plan_of(tmp_path, code), str).findings[-1]
    assert found.check == "score" and found.text == "OSError: no train data"


@pytest.mark.parametrize("compiled", [False, True])
def test_nothing_is_compiled_unless_one_asks_for_that(tmp_path, compiled):
    code = PROGRAM.replace(
        'say("receipt beta',
        'import os\n    raise ValueError(os.environ.get("TORCHDYNAMO_DISABLE"))\n    say("receipt beta',
    )
    found = rehearse(plan_of(tmp_path, code, compiled=compiled), str)
    assert found.compiled is compiled
    assert [one.text for one in found.findings] == [f"ValueError: {None if compiled else '1'}"]


NO_MEMORY = 'raise type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory. Tried to allocate 9 GiB")\n    '


def test_memory_that_only_compiled_code_may_fit_into(tmp_path):
    """All else is tried with one sequence at a time; what is not known is said, and no problem."""
    code = PROGRAM.replace('say("receipt beta', NO_MEMORY + 'say("receipt beta')

    def fewer(folder):
        (folder / "train_live.py").write_text(PROGRAM)
        return Target(tmp_path / "toy", folder / "train_live.py", SETTINGS, (), True)

    plan, said = plan_of(tmp_path, code, fewer=fewer), []
    found = rehearse(plan, said.append)
    assert states(found) == {"memory": "unknown", "program": "ok", "score": "ok"} and found.starved
    memory, program, _ = found.findings
    assert "CUDA out of memory. Tried to allocate 9 GiB" in memory.text and "--compile" in memory.hint
    assert program.text.endswith(", with one sequence at a time") and any("one sequence" in line for line in said)
    assert not (plan.target.root / "artifacts/preflight").exists()
    assert stage_times(found, SETTINGS, 0.0) == []
    nothing_less = rehearse(plan_of(tmp_path / "other", code), str)
    assert states(nothing_less) == {"memory": "unknown", "program": "unknown"}
    (failed,) = rehearse(plan_of(tmp_path / "third", code, compiled=True, fewer=fewer), str).findings
    assert (failed.check, failed.state) == ("program", "problem") and "out of memory" in failed.text


def test_an_artifact_alone_may_need_the_compiler_too(tmp_path):
    code = PROGRAM.replace("    final(path.read_bytes())", "    " + NO_MEMORY + "final(path.read_bytes())")
    found = rehearse(plan_of(tmp_path, code), str)
    assert states(found) == {"program": "ok", "memory": "unknown"} and len(found.runs) == 1


def test_budgets(tmp_path):
    assert budget(plan_of(tmp_path)).max_wallclock_seconds is None
    assert budget(plan_of(tmp_path, smoke=False)).max_wallclock_seconds == 19.0
    without = budget(plan_of(tmp_path, smoke=False, max_wallclock_seconds=0.0))
    assert (without.max_wallclock_seconds, without.iterations) == (None, 40)


PHASES = (Phase("loop", None, True, "looper"), Phase("late", None, True, "late_qat"))


def test_phases():
    warm = "warmup_step:1/1\nwarmup_step:1/1 loop\nwarmup_step:1/1 late\nwarmup_step:1/1 loop late\n"
    log = warm + "phase loop on at step:3 train_time:1ms\nphase late on at step:9 train_time:1ms\n"
    program = SimpleNamespace(phases=PHASES)
    (found,) = judge_phases(log, program, 10)
    assert found.state == "ok" and found.text.endswith("loop 7+2, late 1+2")
    (found,) = judge_phases(log.replace(warm, ""), program, 10)
    assert found.state == "unknown" and found.text.startswith("late had 1 steps, wanted 2")
    begun = log.partition("phase late")[0]
    (found,) = judge_phases(begun, program, 10)
    assert found.state == "unknown" and "late begins later" in found.text
    assert [spec.name for spec in late_phases(begun, program)] == ["late"]
    assert judge_phases(log, SimpleNamespace(phases=()), 10) == []


OVERDUE = "error: what reads training data ended at 290264ms, after the 20500ms of max_wallclock_seconds"


def test_only_idle_plugins_are_excused(tmp_path):
    idle_line = "error: plugin late_qat did nothing"
    assert only_excused([idle_line, "fine"], {"late_qat"}, True) and not only_excused([idle_line], {"other"}, True)
    assert not only_excused([idle_line, "error: weights are no numbers"], {"late_qat"}, False)
    assert not only_excused([idle_line, "Traceback (most recent call last):"], {"late_qat"}, False)
    assert not only_excused(["all is well"], {"late_qat"}, False), "a status of 1 that nothing explains"
    last = 'say("receipt beta: 1 layers")'
    idle = PROGRAM.replace(last, 'say("error: plugin beta did nothing")\n    sys.exit(1)')
    plan = plan_of(tmp_path, idle, (Phase("late", None, True, "beta"),), timed=False)
    found = rehearse(plan, str)
    assert states(found) == {"program": "ok", "phases": "unknown", "score": "unknown"}
    other = plan_of(tmp_path / "other", idle, (Phase("late", None, True, "alpha"),))
    assert states(rehearse(other, str)) == {"program": "problem"}


@pytest.mark.parametrize("compiled", [False, True])
def test_uncompiled_code_may_take_longer_than_the_reserve(tmp_path, compiled):
    code = PROGRAM.replace('say("receipt beta: 1 layers")', f'say("{OVERDUE}")\n    sys.exit(1)')
    found = rehearse(plan_of(tmp_path, code, timed=False, compiled=compiled), str)
    if compiled:
        assert states(found) == {"program": "problem"} and OVERDUE in found.findings[0].text
        return
    assert states(found) == {"program": "ok", "reserve": "unknown", "score": "ok"}
    assert "290264ms" in found.findings[1].text and "--compile" in found.findings[1].hint


@pytest.mark.parametrize(
    ("smoke", "off", "state"), [(True, 0.00005, "problem"), (False, 0.00005, "ok"), (False, 0.01, "problem")]
)
def test_scores_may_be_off_on_a_gpu_alone(tmp_path, smoke, off, state):
    line = "final_int8_zlib_roundtrip_exact val_loss:2.0 val_bpb:{:.8f}\n"
    records = [parse_log(line.format(1.2 + extra)) for extra in (0, off)]
    assert judge_score(*records, [], plan_of(tmp_path, smoke=smoke)).state == state
    assert judge_score(*records, ["late"], plan_of(tmp_path, smoke=smoke)).state == "unknown"
