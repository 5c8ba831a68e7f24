import pytest

from pgolf.strict_json import strict_loads


@pytest.mark.parametrize(
    "text", ["1e999", '{"a": -1e999}', "NaN", '{"a": Infinity}', '{"a": 1, "a": 2}', '{"b": {"a": 1, "a": 1}}', ""]
)
def test_what_readers_take_in_different_ways_is_refused(text):
    with pytest.raises(ValueError):
        strict_loads(text)


def test_everything_else_is_read():
    assert strict_loads('{"a": [1.5, 1e308, {"a": null}], "b": {"a": 1}}') == {
        "a": [1.5, 1e308, {"a": None}],
        "b": {"a": 1},
    }
