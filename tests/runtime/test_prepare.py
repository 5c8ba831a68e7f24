"""Every component with a `prepare` tries what it needs before training; one failure on any rank ends the run."""

import functools
from types import SimpleNamespace

import pytest
from micro import MICRO, run_program
from models import VECTORS

from pgolf.bundle.pipeline import build
from pgolf.errors import PgolfError
from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import resolve
from pgolf.runtime.prepare import prepare_run

SAMPLES = VECTORS.parent / "sample_plugins"


@functools.cache
def sample_registry():
    return load_registry([SAMPLES])


def made(**settings):
    settings = {**MICRO, "num_heads": 4, "num_kv_heads": 2, "iterations": 2, **settings}
    return resolve(Recipe("test", layers=(("prepared_parts",),), settings=settings), sample_registry())


def programs(resolved, folder):
    """The live and the built file."""
    (folder / "live.py").write_text(resolved.entry)
    (folder / "built.py").write_bytes(build(resolved.entry, resolved.find_source).code)
    return folder / "live.py", folder / "built.py"


def test_the_entry_names_each_component_and_its_plugin():
    text = made().entry
    body = text[text.index("def prepare_components(session):") :]
    for plugin, place in [
        ("causal_attention", "attention_kernel"),
        ("prepared_parts", "schedules[1]"),
        ("prepared_parts", "tensor_recipes['mlp']"),
        ("prepared_parts", "batch_fields[0][1]"),
    ]:
        lines = (
            f"    session.preparing = {plugin!r}\n    log_prepared(session, session.program.{place}.prepare(session))\n"
        )
        assert lines in body
    assert body.count(".prepare(session)") == 4, "no parameter has the class aux"


@pytest.mark.ci
def test_live_and_built_prepare_alike(tmp_path, micro_data):
    for program in programs(made(), tmp_path):
        run = run_program(program, tmp_path / program.stem, micro_data, PYTHONPATH=str(SAMPLES))
        assert run.status == 0, run.output
        assert [text for text in run.lines if text.startswith("prepared")] == [
            "prepared causal_attention: scaled_dot_product_attention",
            "prepared prepared_parts: recipe for sequences of 32",
            "prepared prepared_parts: field on cpu",
        ]
        assert run.lines.index("prepared prepared_parts: field on cpu") < min(
            number for number, text in enumerate(run.lines) if text.startswith("warmup_step")
        )


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_failure_is_one_line_and_ends_every_rank(ranks, tmp_path, micro_data):
    for program in programs(made(fails_on_rank=ranks - 1), tmp_path):
        run = run_program(program, tmp_path / program.stem, micro_data, ranks=ranks, PYTHONPATH=str(SAMPLES))
        wanted = "error: prepared_parts: no compiler found, apt-get install gcc" + " (on rank 1)" * (ranks - 1)
        assert [text for text in run.lines if text.startswith("error")] == [wanted]
        assert run.status == 2 and "Traceback" not in run.output
        assert not any(text.startswith("step:") for text in run.lines)


def test_other_exceptions_are_defects_and_keep_their_traceback():
    def prepare_components(session):
        raise KeyError("x")

    with pytest.raises(KeyError):
        prepare_run(SimpleNamespace(preparing="p"), prepare_components)


@pytest.mark.ci
def test_reserved_seconds_end_training_earlier(tmp_path, micro_data):
    live, built = programs(
        made(reserved=0.7, iterations=50, max_wallclock_seconds=1.0, val_loss_every=0, warmup_steps=0), tmp_path
    )
    for program in (live, built):
        run = run_program(program, tmp_path / program.stem, micro_data, PYTHONPATH=str(SAMPLES))
        (stop,) = [text for text in run.lines if text.startswith("stopping_early")]
        assert 300 <= int(stop.split("train_time:")[1].split("ms")[0]) < 1000


def test_a_budget_of_the_run_that_the_reserve_uses_up_is_one_line(tmp_path, micro_data):
    for program in programs(made(reserved=0.7), tmp_path):
        run = run_program(
            program, tmp_path / program.stem, micro_data, PYTHONPATH=str(SAMPLES), MAX_WALLCLOCK_SECONDS="0.5"
        )
        assert (
            run.status == 2
            and run.lines[-1] == "error: MAX_WALLCLOCK_SECONDS is 0.5, wanted more than the 0.7 reserved"
        )


def test_a_reserve_that_leaves_nothing_is_a_build_error():
    with pytest.raises(PgolfError, match="5 s are reserved of max_wallclock_seconds = 3") as caught:
        made(reserved=5.0, max_wallclock_seconds=3.0)
    assert caught.value.code == "PG211"
    # Without a budget there is nothing to use up.
    assert "reserve=5.0," in made(reserved=5.0).entry and "reserve=None," in made().entry
