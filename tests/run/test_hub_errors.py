"""What the client says, as one line."""

from types import SimpleNamespace

import pytest

from pgolf.errors import PgolfError
from pgolf.run import hub_errors
from pgolf.run.hub_errors import asked, status_of


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(hub_errors, "RETRY_SECONDS", 0)


def test_what_breaks_off_is_asked_again():
    answers = [OSError("broken"), OSError("broken"), "here"]

    def ask():
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    said = []
    assert asked("there", ask, said.append) == "here" and len(said) == 2 and "trying again" in said[0]


def test_no_answer_at_all():
    def ask():
        raise ConnectionError("no route\nto it")

    with pytest.raises(PgolfError, match="the hub does not answer: no route") as caught:
        asked("there", ask, str)
    assert caught.value.code == "PG001" and "\n" not in caught.value.message


def test_no_token():
    from huggingface_hub.errors import LocalTokenNotFoundError

    def ask():
        raise LocalTokenNotFoundError("none")

    with pytest.raises(PgolfError, match="there is no token") as caught:
        asked("there", ask, str, writing=True)
    assert "HF_TOKEN" in caught.value.hint


def test_other_errors_are_defects():
    def ask():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asked("there", ask, str)
    assert status_of(ValueError()) is None
    assert status_of(SimpleNamespace(response=SimpleNamespace(status_code=403))) == 403
