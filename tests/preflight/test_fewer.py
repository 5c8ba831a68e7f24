"""The program with one sequence at a time: which settings change, and that it runs in place of the file."""

from models import registry

from pgolf.preflight.fewer import fewer_sequences
from pgolf.recipe import Recipe
from pgolf.run.target import built_target
from pgolf.submission import make, write_submission


def target_of(folder, plugins, **settings):
    recipe = Recipe("toy", (tuple(plugins),), settings=settings, fixed=frozenset(settings))
    return built_target(folder, write_submission(make(recipe, registry(), pack="plain"), folder))


def test_lengths_stay_and_rows_are_few(tmp_path):
    target = target_of(tmp_path / "toy", ["lora_ttt"], train_seq_len=2048, eval_seq_len=4096, train_batch_tokens=2**19)
    work = tmp_path / "work"
    work.mkdir()
    small = fewer_sequences(target, registry(), (tmp_path,), work)
    changed = {key: value for key, value in small.settings.items() if value != target.settings[key]}
    assert changed == {"train_batch_tokens": 8 * 2048, "val_batch_size": 8 * 4096, "ttt_batch_size": 8}
    assert small.script.parent == work and "train_batch_tokens=16384" in small.script.read_text()
    assert (small.root, small.python_path) == (target.root, (tmp_path.resolve(),))


def test_sizes_of_a_schedule(tmp_path):
    """Small batches at first are as large as those after them; where lengths do not divide them, there is nothing to try."""
    target = target_of(tmp_path / "toy", ["batch_shape_schedule"], batch_tokens_start=65536)
    small = fewer_sequences(target, registry(), (), tmp_path)
    assert (small.settings["batch_tokens_start"], small.settings["train_batch_tokens"]) == (8192, 8192)
    odd = target_of(tmp_path / "odd", ["batch_shape_schedule"], seq_len_start=96, train_batch_tokens=8 * 3072)
    assert fewer_sequences(odd, registry(), (), tmp_path) is None
