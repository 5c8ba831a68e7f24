"""Building into a folder, the lock, building again, and the smoke variant. One real bundle serves all tests."""

import hashlib
from dataclasses import replace

import pytest
from submissions_made import RECIPE, made, registry

from pgolf.errors import PgolfError
from pgolf.lock import read_lock
from pgolf.recipe import Recipe, load_recipe
from pgolf.settings import SMOKE_SETTINGS
from pgolf.submission import (
    check_target,
    default_folder,
    default_name,
    smoke_recipe,
    write_submission,
)


def test_a_build_writes_file_recipe_and_lock(tmp_path):
    lock = write_submission(made(), tmp_path / "out", keep_stages=True)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["pgolf.lock", "recipe.toml", "stages", "train_gpt.py"]
    code = (tmp_path / "out/train_gpt.py").read_bytes()
    assert (lock.code_bytes, lock.code_sha256) == (len(code), hashlib.sha256(code).hexdigest())
    assert read_lock(tmp_path / "out") == lock
    assert (tmp_path / "out/stages/0_live.py").read_text() == made().resolved.entry


def test_the_written_recipe_is_self_contained(tmp_path):
    write_submission(made(), tmp_path)
    recipe = load_recipe(tmp_path)
    assert (recipe.name, recipe.layers, recipe.notes) == ("quick", (("brotli", "swa"),), "a try")
    assert recipe.settings == {"num_layers": 6}


def test_bytes_are_given_to_plugins():
    sizes = made().plugin_bytes()
    assert set(sizes) == {*made().resolved.selection.plugins, "runtime"}
    assert sum(sizes.values()) == sum(made().built.modules.values()) and sizes["swa"] > 0


def test_a_recipe_that_was_the_input_is_never_overwritten(tmp_path):
    text = '# mine\nplugins = ["swa", "brotli"]\nnotes = "a try"\n[settings]\nnum_layers = 6\n'
    (tmp_path / "recipe.toml").write_text(text)
    recipe = load_recipe(tmp_path)
    resolved = replace(made().resolved, recipe=recipe)
    lock = write_submission(replace(made(), resolved=resolved), tmp_path)
    assert (tmp_path / "recipe.toml").read_text() == text
    assert lock.recipe_sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_what_pgolf_did_not_write_is_never_overwritten(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/recipe.toml").write_text("# by hand")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/train_gpt.py").write_text("# by hand")
    (tmp_path / "c").write_text("")
    for name, message in (("a", "by hand"), ("b", "not built by pgolf"), ("c", "is a file")):
        with pytest.raises(PgolfError, match=message) as caught:
            check_target(tmp_path / name, RECIPE)
        assert caught.value.code == "PG004"
    write_submission(made(), tmp_path / "d")
    check_target(tmp_path / "d", RECIPE)


def test_the_smoke_variant_keeps_what_is_no_size():
    recipe = Recipe(
        "big", layers=(("swa",),), settings={"num_layers": 11, "swa_window": 512, "warmdown_iters": 3000, "beta1": 0.8}
    )
    small = smoke_recipe(recipe, registry())
    assert (small.name, small.layers) == ("big-smoke", recipe.layers)
    assert small.settings["num_layers"] == SMOKE_SETTINGS["num_layers"]
    assert small.settings["swa_window"] == SMOKE_SETTINGS["swa_window"]
    assert small.settings["beta1"] == 0.8 and small.settings["vocab_size"] == 1024
    assert "bigram_dim" not in small.settings
    assert smoke_recipe(small, registry()) == small


def test_what_the_command_line_sets_wins_over_smoke_sizes():
    recipe = Recipe("big", layers=(("swa",),), settings={"num_layers": 11}).override(
        settings={"num_heads": "4", "swa_window": "8", "vocab_size": "512"}
    )
    small = smoke_recipe(recipe, registry())
    assert (small.settings["num_heads"], small.settings["swa_window"], small.settings["vocab_size"]) == (
        "4",
        "8",
        "512",
    )
    assert small.settings["num_layers"] == SMOKE_SETTINGS["num_layers"], "a recipe's own sizes give way"
    assert smoke_recipe(small, registry()) == small


def test_in_a_smoke_run_what_comes_every_so_many_steps_comes():
    """A plugin that does nothing ends a run: those of #162, #180 and #198 had no snapshot in 40 steps."""
    every = {
        setting.name: SMOKE_SETTINGS.get(setting.name, setting.default)
        for loaded in registry().plugins.values()
        for setting in loaded.plugin.settings
        if setting.help.startswith("steps from one snapshot")
    }
    assert {"lawa_freq", "swa_every"} <= {*every}
    assert max(every.values()) <= SMOKE_SETTINGS["warmdown_iters"] // 4


def test_smoke_sizes_let_heads_be_paired_and_matrices_be_quantized():
    assert SMOKE_SETTINGS["num_heads"] % 2 == SMOKE_SETTINGS["num_kv_heads"] % 2 == 0
    assert SMOKE_SETTINGS["model_dim"] % (8 * SMOKE_SETTINGS["num_heads"]) == 0, "GPU kernels want heads of 8n channels"
    assert SMOKE_SETTINGS["model_dim"] ** 2 > 65_536


def test_names_and_folders():
    assert default_name(("a", "b")) == "a-b" and default_name(()) == "baseline"
    assert str(default_folder("2026-05-01_x")) == "submissions/2026-05-01_x"
    for name in ("", "../x", ".x", "a/b", "x\n", "é"):
        with pytest.raises(PgolfError) as caught:
            default_folder(name)
        assert caught.value.code == "PG004"


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PgolfError) as caught:
        write_submission(made(), tmp_path / "file" / "inner")
    assert caught.value.code == "PG001"
