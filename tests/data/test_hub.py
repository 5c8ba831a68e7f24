"""Asking a server: again where that may help, and in our words where it does not."""

import pytest
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

from pgolf.data import hub as module
from pgolf.data.hub import ATTEMPTS, Hub, is_offline, one_line
from pgolf.errors import PgolfError


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """One that does not wait; its remarks are in `said`."""
    waited = []
    monkeypatch.setattr(module.time, "sleep", waited.append)
    made = Hub("owner/name", "http://mirror", tmp_path, lambda line: made.said.append(line))
    made.said, made.waited = [], waited
    return made


def answers(*given):
    """A question whose answers are these, an exception among them raised."""
    left = list(given)

    def ask():
        answer = left.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return ask


def test_the_first_answer_is_taken(hub):
    assert hub.retried("a", ATTEMPTS, answers(3)) == 3 and hub.said == []


def test_a_broken_connection_is_tried_again_and_waits_longer_each_time(hub):
    assert hub.retried("a", ATTEMPTS, answers(OSError("reset\nmore"), OSError(), 3)) == 3
    assert hub.said == ["a: reset; trying again", "a: OSError; trying again"]
    assert hub.waited == [module.RETRY_SECONDS, 2 * module.RETRY_SECONDS]


def test_at_last_it_is_an_error_with_the_address(hub):
    with pytest.raises(PgolfError, match="cannot be downloaded: no route") as caught:
        hub.retried("a", 2, answers(OSError("x"), OSError("no route")))
    assert caught.value.code == "PG001" and caught.value.where == "http://mirror/datasets/owner/name/a"
    assert "--endpoint" in caught.value.hint and len(hub.said) == 1


def test_a_file_that_is_not_there_is_not_asked_for_again(hub):
    with pytest.raises(PgolfError, match="no such file"):
        hub.retried("a", ATTEMPTS, answers(EntryNotFoundError("404"), 3))
    assert hub.said == []


def test_not_found_without_a_server_is_tried_again(hub):
    offline = LocalEntryNotFoundError("offline")
    assert is_offline(offline) and not is_offline(EntryNotFoundError("404"))
    assert hub.retried("a", 2, answers(offline, 3)) == 3


def test_a_defect_is_not_taken_for_the_network(hub):
    with pytest.raises(ZeroDivisionError):
        hub.retried("a", ATTEMPTS, answers(ZeroDivisionError()))


@pytest.mark.parametrize(
    ("error", "line"), [(OSError("a\nb"), "a"), (OSError(), "OSError"), (ValueError("  x  "), "x")]
)
def test_one_line(error, line):
    assert one_line(error) == line
