import pytest

from pgolf.errors import PgolfError
from pgolf.requant.grid import read_grid


def test_ranges_include_both_ends_and_meet_decimal_numbers():
    assert read_grid(["k=11..14"]) == [{"k": "11"}, {"k": "12"}, {"k": "13"}, {"k": "14"}]
    assert [point["k"] for point in read_grid(["K = 0.1..0.5:0.1"])] == ["0.1", "0.2", "0.3", "0.4", "0.5"]
    assert [point["k"] for point in read_grid(["k=11..12.4:0.5"])] == ["11.0", "11.5", "12.0"]
    assert [point["k"] for point in read_grid(["k=-1..1"])] == ["-1", "0", "1"]


def test_lists_keep_their_order_and_are_text():
    assert [point["k"] for point in read_grid(["k=12.85, 11,12.85"])] == ["12.85", "11"]


def test_several_sweeps_are_every_combination():
    points = read_grid(["a=1..2", "b=x,y,z"])
    assert [(point["a"], point["b"]) for point in points] == [(a, b) for a in "12" for b in "xyz"]
    assert read_grid([]) == [{}]


@pytest.mark.parametrize(
    "sweeps",
    [["k"], ["=1"], ["k=14..11"], ["k=1..2:0"], ["k=1..b"], ["k=1,,2"], ["k="], ["k=1", "k=2"], ["k=0..1:0.00001"]],
)
def test_anything_else_is_one_line(sweeps):
    with pytest.raises(PgolfError) as caught:
        read_grid(sweeps)
    assert caught.value.code == "PG004" and caught.value.hint


def test_a_grid_has_an_end():
    with pytest.raises(PgolfError, match="points together"):
        read_grid(["a=1..200", "b=1..200"])
