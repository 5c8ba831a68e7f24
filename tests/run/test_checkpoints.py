"""A run that is killed goes on from its checkpoint, bit for bit: losses, weights, artifact, scores and receipts."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from micro import micro
from test_live_equals_built import RECIPES

from pgolf.run import checkpoints
from pgolf.run.checkpoints import Checkpoints, differences, publish, read, write
from pgolf.run.launch import EVERY, RESUME
from pgolf.run.target import with_checkpoints
from pgolf.testing.runs import RECORDER, environment, run_recorded
from pgolf.testing.warm import Job, run_jobs

DIE = Path(__file__).parent.parent / "die_at.py"
ITERATIONS = 6
OFTEN = ("outgate", "dense")
"""Every optimizer with state, averages of weights, receipts that count."""
LOADERS = ("shuffled_loader", "document_packing_loader", "document_shuffle_loader", "coprime_loader")


def start(entry, folder, data, *words, **variables):
    """Run words on the entry in its folder."""
    env = environment(data, (), SEED="1337", PYTHONWARNINGS="error", **variables)
    (done,) = run_jobs([Job([str(words[0]), str(entry), *map(str, words[1:])], folder, env)])
    return done


def interrupted(entry, folder, data, words):
    """What a run leaves that is killed at `words` of its log, and then goes on; and its log."""
    folder.mkdir()
    done = start(entry, folder, data, DIE, words, **{EVERY: "2"})
    assert done.status == -9, done.stdout[-2000:] + done.stderr[-2000:]
    first = (folder / "logs/run.txt").read_text()
    done = start(entry, folder, data, RECORDER, "record.json", **{EVERY: "2", RESUME: "a step"})
    assert (folder / "record.json").exists(), done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads((folder / "record.json").read_text())
    return found, first, (folder / "logs/run.txt").read_text()


def compare(resolved, folder, data):
    """Killed after its fifth step against a run that nobody disturbs and that keeps no checkpoints."""
    if "SideFileBytes" in resolved.entry:
        data = data.side_files
    plain, kept = folder / "plain.py", folder / "kept.py"
    plain.write_text(resolved.entry)
    kept.write_text(with_checkpoints(resolved.entry, "this program"))
    whole = run_recorded(plain, folder / "whole", data)
    found, first, second = interrupted(kept, folder / "killed", data, f"step:5/{ITERATIONS} train_loss")
    assert "checkpoint step:4 " in first and "resumed: step:4 " in second and "lost:a step" in second
    for key in ("state", "artifact", "final", "receipts"):
        assert found[key] == whole[key], key
    # Of the last two steps, or of what an evaluation learns after them.
    assert found["losses"][-16:] == whole["losses"][-16:]
    assert not [*(folder / "killed/checkpoints").glob(".*")]


@pytest.mark.ci
@pytest.mark.parametrize("name", OFTEN)
def test_a_killed_run_goes_on_bit_for_bit(name, tmp_path, micro_data):
    compare(micro(*RECIPES[name], iterations=ITERATIONS), tmp_path, micro_data)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(RECIPES) - set(OFTEN)))
def test_every_plugin_goes_on_bit_for_bit(name, tmp_path, micro_data):
    compare(micro(*RECIPES[name], iterations=ITERATIONS), tmp_path, micro_data)


@pytest.mark.slow
@pytest.mark.parametrize("loader", LOADERS)
def test_every_loader_goes_on_bit_for_bit(loader, tmp_path, micro_data):
    compare(micro(loader, "step_clock", iterations=ITERATIONS), tmp_path, micro_data)


def test_a_checkpoint_of_another_run_is_refused(tmp_path, micro_data):
    resolved = micro("step_clock", iterations=ITERATIONS)
    entries = [tmp_path / f"{name}.py" for name in ("one", "other")]
    for entry in entries:
        entry.write_text(with_checkpoints(resolved.entry, entry.stem))
    folder = tmp_path / "run"
    folder.mkdir()
    resume = {EVERY: "2", RESUME: "a step"}
    done = start(entries[0], folder, micro_data, DIE, "nothing of the kind", **resume)
    assert done.status == 2 and "error: there is no checkpoint in checkpoints" in done.stdout + done.stderr
    assert start(entries[0], folder, micro_data, DIE, "checkpoint step:2", **{EVERY: "2"}).status == -9
    done = start(entries[1], folder, micro_data, DIE, "nothing", **resume)
    assert done.status == 2 and "its plugins, settings or their sources are others" in done.stderr
    assert "Traceback" not in done.stderr
    done = start(entries[0], folder, micro_data, DIE, "nothing", **resume, ITERATIONS="9")
    assert done.status == 2 and "iterations was 6, is 9" in done.stderr
    (part,) = folder.glob("checkpoints/step_00000002/rank0.pt")
    part.write_bytes(part.read_bytes()[:-100])
    done = start(entries[0], folder, micro_data, DIE, "nothing", **resume)
    assert done.status == 2 and "rank0.pt is damaged" in done.stderr and "Traceback" not in done.stderr


def test_a_state_that_cannot_be_kept_is_known_before_the_first_step(tmp_path, micro_data):
    resolved = micro("step_clock", iterations=2)
    entry = tmp_path / "odd.py"
    text = with_checkpoints(resolved.entry, "odd")
    call = "    train(SETTINGS, program, "
    assert call in text
    entry.write_text(text.replace(call, "    program.average.lines = (line for line in 'ab')\n" + call))
    (tmp_path / "run").mkdir()
    done = start(entry, tmp_path / "run", micro_data, DIE, "nothing", **{EVERY: "1"})
    assert done.status == 2 and "average.lines is a builtins.generator" in done.stderr
    assert "\nstep:1/" not in done.stdout and "Traceback" not in done.stderr


def test_whole_or_absent(tmp_path):
    for step in (2, 4, 6):
        part = tmp_path / f".step_{step:08d}.part"
        part.mkdir()
        write(part / "rank0.pt", {"step": step})
        publish(part, tmp_path / f"step_{step:08d}", failed=False)
    stale = tmp_path / ".step_00000008.part"
    stale.mkdir()
    assert sorted(path.name for path in tmp_path.iterdir()) == [stale.name, "step_00000004", "step_00000006"]
    assert read(tmp_path / "step_00000006/rank0.pt")["step"] == 6
    publish(stale, tmp_path / "step_00000008", failed=True)
    assert not stale.exists() and not (tmp_path / "step_00000008").exists()


def test_a_full_disk_ends_no_training(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(EVERY, "2")
    said, calls = [], []
    clock = SimpleNamespace(pause=lambda ledger: calls.append("pause"), start=lambda: calls.append("start"))
    session = SimpleNamespace(
        env=SimpleNamespace(iterations=9, data_path=".", seed=1, max_wallclock_seconds=0.0),
        world=SimpleNamespace(rank=0, world_size=1, device=torch.device("cpu")),
        program=SimpleNamespace(clock=clock),
        ledger=None,
        fail=said.append,
    )

    def no_room(*rest):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "capture", no_room)
    keeper = Checkpoints("x")
    keeper.save(session, None, 1, 1.0)
    assert not calls
    keeper.save(session, None, 2, 1.0)
    assert calls == ["pause", "start"] and "step 2 was not written: [Errno 28] No space left" in said[0]
    assert [*(tmp_path / "checkpoints").iterdir()] == []


def test_differences():
    assert differences({"seed": 1}, {"seed": 1}) == "" and differences({"seed": 1}, {"seed": 2}) == "seed was 1, is 2"
    assert "other names or sizes" in differences({}, {"shards": ["a"]})
