import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgolf.errors import PgolfError
from pgolf.recipe import Recipe, dump_recipe, load_recipe, parse_assignments, toml_value


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_recipe_is_read_from_a_file_or_its_folder(tmp_path):
    path = write(tmp_path / "mine/recipe.toml", 'plugins = ["swa"]\nnotes = "hi"\n[settings]\nnum_layers = 4\n')
    recipe = load_recipe(path)
    assert recipe == load_recipe(tmp_path / "mine")
    assert (recipe.name, recipe.layers, recipe.settings, recipe.notes) == ("mine", (("swa",),), {"num_layers": 4}, "hi")
    assert recipe.where == str(path)


def test_extends_puts_the_base_below(tmp_path):
    write(tmp_path / "base.toml", 'plugins = ["a"]\nremove = ["r"]\n[settings]\nx = 1\ny = 1\n')
    path = write(tmp_path / "top.toml", 'name = "top"\nextends = "base.toml"\nplugins = ["b"]\n[settings]\ny = 2\n')
    recipe = load_recipe(path)
    assert (recipe.layers, recipe.remove, recipe.settings) == ((("a",), ("b",)), ("r",), {"x": 1, "y": 2})


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("plugins = [", "PG002", "not valid TOML"),
        ('plugin = ["a"]', "PG002", "unknown key 'plugin'"),
        ("num_layers = 4", "PG002", "unknown key"),
        ('plugins = "a"', "PG002", "wanted a list"),
        ("plugins = [1]", "PG002", "wanted plugin names"),
        ("name = 1", "PG002", "wanted text"),
        ("settings = 1", "PG002", "wanted a table"),
        ('challenge = "1999-01"', "PG002", "is unknown"),
        ('extends = "recipe.toml"', "PG002", "circle"),
        ('extends = "none.toml"', "PG001", "extends none.toml, which is not there"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, code, message):
    path = write(tmp_path / "recipe.toml", text)
    with pytest.raises(PgolfError, match=message) as caught:
        load_recipe(path)
    assert caught.value.code == code and caught.value.where


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(PgolfError, match="cannot read") as caught:
        load_recipe(tmp_path)
    assert caught.value.code == "PG001"
    (tmp_path / "recipe.toml").write_bytes(b"\xff")
    with pytest.raises(PgolfError) as caught:
        load_recipe(tmp_path)
    assert caught.value.code == "PG001"


def test_assignments():
    assert parse_assignments(["a=1", " B = x=y ", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    for text in ("a", "=1", ""):
        with pytest.raises(PgolfError) as caught:
            parse_assignments([text])
        assert caught.value.code == "PG004"


def test_overrides_are_one_more_layer():
    recipe = Recipe("a", layers=(("x",),), settings={"s": 1}).override(("y",), {"t": 2}, "b")
    assert (recipe.layers, recipe.settings, recipe.name) == ((("x",), ("y",)), {"s": 1, "t": 2}, "b")
    assert Recipe("a").override().layers == ()
    assert Recipe("a").where == "command line"


def test_a_dumped_recipe_reads_back(tmp_path):
    settings = {"num_layers": 4, "x": 1e-8, "flag": True, "text": 'a"b\\c\n\x00é'}
    path = write(tmp_path / "recipe.toml", dump_recipe("mine", ["a", "b"], ["r"], settings, "2026-04", "two\nlines"))
    recipe = load_recipe(path)
    assert (recipe.name, recipe.layers, recipe.remove, recipe.notes) == ("mine", (("a", "b"),), ("r",), "two\nlines")
    assert recipe.settings == settings


@given(
    st.recursive(
        st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=("Cs",))),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    )
)
def test_every_value_survives_toml(value):
    read = tomllib.loads(f"x = {toml_value(value)}")["x"]
    assert read == value
    if isinstance(value, float):
        assert isinstance(read, float) and math.copysign(1, read) == math.copysign(1, value)
