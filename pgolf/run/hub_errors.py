"""What the Hugging Face client says, as one line with what to do."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from pgolf.data.hub import NETWORK_ERRORS, RETRY_SECONDS, is_offline, one_line
from pgolf.errors import PgolfError

ATTEMPTS = 4
PASSING = (408, 409, 425, 429)
"""Refusals that pass."""
LOGIN = "log in with `hf auth login`, or set HF_TOKEN"
Result = TypeVar("Result")


def bars_on_terminals() -> None:
    """The client draws bars also into files, where they are noise."""
    if not sys.stderr.isatty():
        from huggingface_hub import utils

        utils.disable_progress_bars()  # type: ignore[attr-defined]


def asked(where: str, ask: Callable[[], Result], note: Callable[[str], object], writing: bool = False) -> Result:
    """Ask the hub, up to `ATTEMPTS` times where it does not answer or breaks off.

    Args:
        where: repository, or file of it, for messages.
        writing: whether a token that may write is needed.

    Raises:
        PgolfError: PG004 for a name or token that is not accepted; PG001 for a repository or file that is not there, and
            where the hub cannot be reached.
    """
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HFValidationError,
        LocalTokenNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    for attempt in range(1, ATTEMPTS + 1):
        try:
            return ask()
        except Exception as error:
            # The client wraps what goes wrong with a large file.
            failure: BaseException = error.__cause__ or error if type(error) is RuntimeError else error
            if isinstance(failure, HFValidationError):
                raise PgolfError("PG004", one_line(failure), where, "a repository is OWNER/NAME") from None
            if isinstance(failure, LocalTokenNotFoundError):
                raise PgolfError("PG004", "there is no token for the hub", where, LOGIN) from None
            missing = (RepositoryNotFoundError, EntryNotFoundError, RevisionNotFoundError)
            if isinstance(failure, missing) and not is_offline(failure):
                raise not_found(failure, where, writing) from None
            if not isinstance(failure, NETWORK_ERRORS):
                raise
            if (status := status_of(failure)) is not None and 400 <= status < 500 and status not in PASSING:
                raise refused(failure, status, where, writing) from None
        if attempt < ATTEMPTS:
            note(f"{where}: {one_line(failure)[:150]}; trying again")
            time.sleep(RETRY_SECONDS * attempt)
    hint = "check the network and --endpoint; what has arrived is kept, so run the same command again"
    raise PgolfError("PG001", f"the hub does not answer: {one_line(failure)[:200]}", where, hint)


def status_of(error: BaseException) -> int | None:
    """The status of an HTTP answer, None where there was none."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def not_found(error: BaseException, where: str, writing: bool) -> PgolfError:
    """The hub hides what a token may not see: one answer for both."""
    if status_of(error) == 401:
        return refused(error, 401, where, writing)
    if type(error).__name__ in ("EntryNotFoundError", "RemoteEntryNotFoundError"):
        return PgolfError("PG001", "the repository has no such file", where, "see the repository's page for its runs")
    if type(error).__name__ == "RevisionNotFoundError":
        return PgolfError("PG001", "the repository has no such revision", where, "leave --revision out")
    hint = f"--create makes it; if it is there, {LOGIN} with write access" if writing else f"if it is private, {LOGIN}"
    return PgolfError("PG001", "there is no such repository, or the token may not see it", where, hint)


def refused(error: BaseException, status: int, where: str, writing: bool) -> PgolfError:
    """Tokens that are not accepted or may not write, and anything else that the hub does not like."""
    if status == 401:
        return PgolfError("PG004", "the hub does not accept the token, or wants one", where, LOGIN)
    if status == 403:
        need = "a token with write access" if writing else "access"
        return PgolfError("PG004", "the hub refuses: the token may not do this", where, f"you need {need}; {LOGIN}")
    return PgolfError("PG001", f"the hub refuses: {one_line(error)[:200]}", where)
