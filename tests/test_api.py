"""The functions for notebooks: the same results as the commands, errors as exceptions."""

import inspect
import typing

import pytest
from folders import log_text, make_folder

import pgolf.api as api
from pgolf.errors import PgolfError

SMALL = {"model_dim": 64, "num_layers": 2, "num_heads": 4, "num_kv_heads": 2}


@pytest.mark.ci
def test_a_build_is_written_and_verified(tmp_path):
    built = api.build(["brotli"], SMALL)
    assert built.code.startswith(b"#") or b"exec" in built.code or b"import" in built.code
    assert built.plugin_bytes["brotli"] > 0
    lock = built.write(tmp_path / "sub")
    assert (tmp_path / "sub/train_gpt.py").read_bytes() == built.code and lock.settings["model_dim"] == 64
    again = api.build(tmp_path / "sub/recipe.toml")
    assert again.code == built.code and api.build(api.recipe(["brotli"], SMALL)).code == built.code
    report = api.verify(tmp_path / "sub")
    assert report.verdict != "pass" and any(text.startswith("pkg.files: ") for text in report.failures)
    assert api.diff(tmp_path / "sub", tmp_path / "sub", with_bytes=False).same_program


def test_settings_of_ones_own_stay_in_a_smoke_build():
    assert api.build(["brotli"], {"model_dim": 64}, smoke=True).made.lock.settings["model_dim"] == 64


def test_errors_are_exceptions(tmp_path):
    with pytest.raises(PgolfError, match="does not exist"):
        api.verify(tmp_path / "nowhere")
    with pytest.raises(PgolfError, match="there is no recipe swa") as caught:
        api.build("swa")
    assert "['swa']" in caught.value.hint
    with pytest.raises(PgolfError) as caught:
        api.build(["no_such_plugin"])
    assert caught.value.code == "PG102"
    with pytest.raises(PgolfError) as caught:
        api.build([], {"model_dim": "wide"})
    assert caught.value.code == "PG003"
    with pytest.raises(PgolfError, match="cannot be read"):
        api.read_logs(tmp_path / "none.log")


def test_logs_and_forecast(tmp_path):
    make_folder(tmp_path / "toy")
    (tmp_path / "a.log").write_text(log_text(b"x", 5))
    (record,) = api.read_logs(tmp_path / "a.log")
    assert record.seed == 5
    found = api.forecast(["brotli"], {**SMALL, "vocab_size": 300}, steps=10)
    assert found.fits and found.size.packed > 1000


def test_a_report_is_a_page_and_its_figures(tmp_path):
    make_folder(tmp_path / "toy", seeds=(1, 2))
    (found,) = api.report([tmp_path / "toy"], tmp_path / "page.html", build=False)
    assert found["seeds"] == 2 and found["val_bpb"] == 1.25 and "Results" in (tmp_path / "page.html").read_text()
    with pytest.raises(PgolfError) as caught:
        api.report([tmp_path / "none"], tmp_path / "other.html")
    assert caught.value.code == "PG004" and not (tmp_path / "other.html").exists()


def test_every_function_has_types():
    for name in api.__all__:
        thing = getattr(api, name)
        if inspect.isfunction(thing):
            hints = thing.__annotations__
            assert "return" in hints and {*inspect.signature(thing).parameters} <= {*hints}, name
    assert typing.get_type_hints(api.recipe)["return"].__name__ == "Recipe"
