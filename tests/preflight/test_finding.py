"""Findings."""

from pgolf.errors import PgolfError
from pgolf.preflight.finding import caught, good


def test_an_error_that_users_can_mend_is_a_problem():
    def refuse():
        raise PgolfError("PG001", "there is no shard", "/data", "get some")

    (found,) = caught("shards", refuse)
    assert (found.check, found.state, found.text, found.hint) == (
        "shards",
        "problem",
        "there is no shard (/data)",
        "get some",
    )

    def fail():
        raise ValueError("first line\nsecond line")

    assert caught("ids", fail)[0].text == "first line second line"
    assert caught("x", lambda: [good("x", "fine")])[0].as_record() == {
        "check": "x",
        "state": "ok",
        "text": "fine",
        "hint": "",
    }
