import pytest
from models import resolved

from pgolf import settings
from pgolf.component import Setting
from pgolf.errors import PgolfError
from pgolf.runtime import distributed
from pgolf.settings import CORE_SETTINGS, SettingsView, parse_value, unknown_setting


@pytest.mark.parametrize(
    ("default", "value", "wanted"),
    [
        (1, "12", 12),
        (1, 12, 12),
        (1.0, "1e-3", 0.001),
        (1.0, 2, 2.0),
        ("a", "b", "b"),
        (False, "yes", True),
        (True, "0", False),
        (True, False, False),
    ],
)
def test_text_and_toml_values_become_the_settings_type(default, value, wanted):
    parsed = parse_value(Setting("s", default, "help"), value, "here")
    assert parsed == wanted and type(parsed) is type(wanted)


@pytest.mark.parametrize(
    ("default", "value"),
    [
        (1, "x"),
        (1, 1.5),
        (1, True),
        (1.0, "nan"),
        (1.0, "inf"),
        (1.0, True),
        ("a", 1),
        (True, "maybe"),
        (True, 1),
        (1, None),
        (1, []),
    ],
)
def test_other_values_are_refused_with_what_was_wanted(default, value):
    with pytest.raises(PgolfError, match="wanted") as caught:
        parse_value(Setting("s", default, "help"), value, "here")
    assert caught.value.code == "PG003" and caught.value.where == "here"


def test_minimum_and_choices():
    assert parse_value(Setting("s", 1, "help", minimum=0), 0, "") == 0
    with pytest.raises(PgolfError, match="at least 0"):
        parse_value(Setting("s", 1, "help", minimum=0), -1, "")
    with pytest.raises(PgolfError, match="one of a, b"):
        parse_value(Setting("s", "a", "help", choices=("a", "b")), "c", "")


def test_the_view_gives_values_derived_widths_and_names():
    view = SettingsView(
        {"model_dim": 512, "num_heads": 8, "num_kv_heads": 4, "mlp_hidden": 0, "mlp_mult": 2.0}, ["swa"]
    )
    assert (view.kv_dim, view.hidden_dim, view.plugins) == (256, 1024, {"swa"})
    assert view.as_dict()["num_heads"] == 8
    with pytest.raises(AttributeError, match="no selected plugin declares"):
        view.nothing  # noqa: B018


def test_an_unknown_setting_gets_a_suggestion_or_its_owner():
    assert "did you mean num_layers" in unknown_setting("num_layer", ["num_layers"], "", "").hint
    assert "select the plugin swa" in unknown_setting("swa_window", [], "swa", "").hint
    assert "pgolf plugins show" in unknown_setting("zzz", ["num_layers"], "", "").hint


def test_core_settings_are_sane():
    names = [setting.name for setting in CORE_SETTINGS]
    assert len(set(names)) == len(names)
    for setting in CORE_SETTINGS:
        assert setting.help and parse_value(setting, setting.default, "") == setting.default


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("beta1", 1.0, "less than 1"),
        ("beta2", "1.5", "less than 1"),
        ("muon_momentum", 1, "less than 1"),
        ("vocab_size", 65537, "less than 65537"),
        ("train_batch_tokens", 1000, "a multiple of 512, 8 micro-batches of whole sequences"),
    ],
)
def test_sizes_and_shares_that_cannot_work_are_refused(name, value, wanted):
    with pytest.raises(PgolfError, match=f"{name} is .*wanted {wanted}"):
        resolved(**{name: value})


def test_micro_batches_are_those_of_the_running_program():
    assert settings.MICRO_BATCHES == distributed.MICRO_BATCHES
