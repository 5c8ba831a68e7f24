"""The lock: present, of this code and recipe, and what builds the file again."""

from folders import edit, fake_lock, make_folder, outcome

from pgolf.verify import checks_lock
from pgolf.verify.folder import View
from pgolf.verify.report import all_checks


def test_a_code_size_that_is_not_shipped(folder):
    with (folder / "train_gpt.py").open("ab") as file:
        file.write(b"\n")
    assert outcome(folder, "lock.sizes").status == "FAIL"
    assert outcome(folder, "lock.code").status == "FAIL"
    assert outcome(folder, "log.code").status == "FAIL"


def test_a_missing_or_damaged_lock(folder):
    for text in ("", "{}", "[1]", '{"format": 99}', "[" * 100_000, (folder / "pgolf.lock").read_text()[:-40]):
        (folder / "pgolf.lock").write_text(text)
        assert outcome(folder, "lock.present").status == "FAIL"
        assert outcome(folder, "lock.code").status == "SKIP"
        assert outcome(folder, "log.receipts").status == "SKIP"
    (folder / "pgolf.lock").unlink()
    for item in all_checks():
        if item.id.startswith("lock.") or item.id == "log.receipts":
            assert outcome(folder, item.id).status == "SKIP", item.id


def test_an_edited_recipe_is_a_warning(folder):
    (folder / "recipe.toml").write_text('name = "other"\n')
    assert outcome(folder, "lock.recipe").status == "WARN"


def test_a_rebuild_says_which_plugin_is_missing(folder):
    found = outcome(folder, "lock.rebuild")
    assert found.status == "SKIP" and "--plugin-dir" in found.message
    assert "the plugin alpha (toys 1) is not installed" in found.evidence["differences"]
    edit(folder / "pgolf.lock", '"origin": "toys"', '"origin": "pgolf"')
    assert outcome(folder, "lock.rebuild").status == "FAIL"  # a plugin of pgolf's own is not one of this version


def test_a_lock_with_hostile_values_is_an_outcome_and_no_traceback(folder):
    code, recipe = (folder / "train_gpt.py").read_bytes(), (folder / "recipe.toml").read_bytes()
    for changes in (
        {"tools": {"../../etc": "1", "": "2"}},
        {"modules": {"os": "0", "pgolf.runtime.nothing": "0", "..": "0"}},
        {"pack": {"choice": "nonsense"}},
        {"python": ""},
        {"plugins": {"\x1b[31m": {"version": "", "origin": "", "sha256": ""}}},
    ):
        (folder / "pgolf.lock").write_text(fake_lock(code, recipe, **changes).dump())
        found = outcome(folder, "lock.present")
        assert found.status == ("PASS" if "pack" in changes or "python" in changes else "FAIL")
        assert outcome(folder, "lock.rebuild").status == "SKIP"
        assert "\x1b" not in outcome(folder, "lock.rebuild").message + found.message


def test_a_lock_with_more_layers_than_sense(folder):
    edit(folder / "pgolf.lock", '"seed": 1337', '"seed": 1337, "num_layers": 1000000000000')
    assert "num_layers" in outcome(folder, "lock.rebuild").message


def test_building_again_happens_once_for_a_folder(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(checks_lock, "_has_torch", lambda: calls.append(1))
    view = View(make_folder(tmp_path / "toy"), lambda: None)
    assert checks_lock.check_rebuild(view) is checks_lock.rebuilt(view) and len(calls) == 1
