"""Building into a folder, the lock, building again, and the smoke variant. One real bundle serves all tests."""

import functools
import hashlib
import json
from dataclasses import replace

import pytest

from pgolf.errors import PgolfError
from pgolf.lock import Lock, differences, parse_lock, read_lock
from pgolf.manager import Registry, load_registry
from pgolf.recipe import Recipe, load_recipe
from pgolf.settings import SMOKE_SETTINGS
from pgolf.submission import (
    check_target,
    default_folder,
    default_name,
    make,
    rebuild,
    smoke_recipe,
    write_submission,
)

RECIPE = Recipe("quick", layers=(("swa", "brotli"),), settings={"num_layers": "6"}, notes="a try")


@functools.cache
def registry():
    return load_registry()


@functools.cache
def made():
    return make(RECIPE, registry(), "plain")


def test_a_build_writes_file_recipe_and_lock(tmp_path):
    lock = write_submission(made(), tmp_path / "out", keep_stages=True)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["pgolf.lock", "recipe.toml", "stages", "train_gpt.py"]
    code = (tmp_path / "out/train_gpt.py").read_bytes()
    assert (lock.code_bytes, lock.code_sha256) == (len(code), hashlib.sha256(code).hexdigest())
    assert read_lock(tmp_path / "out") == lock
    assert (tmp_path / "out/stages/0_live.py").read_text() == made().resolved.entry


def test_the_lock_says_what_decided_the_bytes():
    lock = made().lock
    assert lock.recipe["plugins"] == ["brotli", "swa"] and lock.settings["num_layers"] == 6
    assert set(lock.plugins) == set(made().resolved.selection.plugins)
    assert lock.plugins["swa"]["origin"] == "pgolf" and len(lock.plugins["swa"]["sha256"]) == 64
    assert lock.modules["pgolf.runtime.train"] and "__main__" not in lock.modules
    assert [(need.kind, need.name) for need in lock.needs] == [("python", "brotli")] and set(lock.tools) >= {
        "pgolf",
        "python-minifier",
    }
    assert lock.pack == {"choice": "plain", "name": "plain"}
    assert not lock.smoke and lock.stages["pack"] == lock.code_bytes


def test_the_written_recipe_is_self_contained(tmp_path):
    write_submission(made(), tmp_path)
    recipe = load_recipe(tmp_path)
    assert (recipe.name, recipe.layers, recipe.notes) == ("quick", (("brotli", "swa"),), "a try")
    assert recipe.settings == {"num_layers": 6}


def test_bytes_are_given_to_plugins():
    sizes = made().plugin_bytes()
    assert set(sizes) == {*made().resolved.selection.plugins, "runtime"}
    assert sum(sizes.values()) == sum(made().built.modules.values()) and sizes["swa"] > 0


def test_the_lock_makes_the_same_bytes():
    lock = parse_lock(made().lock.dump().encode(), "here")
    assert differences(lock, registry()) == []
    assert rebuild(lock, registry()).code == made().built.code


def test_differences_name_what_differs():
    lock = made().lock
    entry = {**lock.plugins["swa"], "sha256": "0" * 64}
    changed = replace(
        lock,
        plugins={**lock.plugins, "swa": entry, "gone": {"version": "2", "origin": "elsewhere", "sha256": ""}},
        modules={**lock.modules, "pgolf.runtime.train": "0" * 64, "pgolf.runtime.gone": "0" * 64, "os": "0"},
        tools={"pgolf": "0.0.1", "no-such-tool": "1"},
        python="2.7.18",
    )
    text = "\n".join(differences(changed, registry()))
    for part in (
        "the plugin gone (elsewhere 2) is not installed",
        "the plugin swa has another source",
        "the module pgolf.runtime.train has another source",
        "the module pgolf.runtime.gone is not here",
        "the module os is not here",
        "pgolf is 0.1.0 here, 0.0.1 in the lock",
        "no-such-tool is not installed here",
        "2.7.18 in the lock",
    ):
        assert part in text


def test_a_folders_own_path_stays_out_of_the_lock(tmp_path):
    loaded = replace(registry().plugins["swa"], origin=str(tmp_path))
    moved = Registry({**registry().plugins, "swa": loaded})
    lock = replace(made().lock, plugins={})
    assert str(tmp_path) not in lock.dump()
    from pgolf.lock import plugin_entry

    assert plugin_entry(moved.plugins["swa"])["origin"] == "folder"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: document.pop("pack"), "pack"),
        (lambda document: document.update(extra=1), "extra"),
        (lambda document: document.update(format=1), "format"),
        (lambda document: document["recipe"].pop("settings"), "recipe.settings"),
        (lambda document: document["recipe"].update(plugins=[1]), "plugin name"),
        (lambda document: document["recipe"]["settings"].update(x=[1]), "setting"),
        (lambda document: document["plugins"].update(x=1), "version, hash or need"),
        (lambda document: document["tools"].update(x=1), "version, hash or need"),
        (lambda document: document.update(smoke="yes"), "smoke"),
    ],
)
def test_a_damaged_lock_is_refused(change, message):
    document = json.loads(made().lock.dump())
    change(document)
    with pytest.raises(PgolfError, match=message) as caught:
        parse_lock(json.dumps(document).encode(), "here")
    assert caught.value.code == "PG505"


@pytest.mark.parametrize("data", [b"", b"\xff", b'{"x": NaN}', b"[]", b"[" * 100_000])
def test_what_is_no_lock_is_refused(tmp_path, data):
    with pytest.raises(PgolfError) as caught:
        parse_lock(data, "here")
    assert caught.value.code == "PG505"
    with pytest.raises(PgolfError, match="no lock"):
        read_lock(tmp_path)


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


def test_every_field_of_the_lock_is_written():
    assert set(json.loads(made().lock.dump())) == set(Lock.__dataclass_fields__)
