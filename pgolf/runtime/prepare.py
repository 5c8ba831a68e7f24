"""Before any time is spent: every component tries what it will need, and one failure on any rank ends the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf.runtime.distributed import gather_over_ranks

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgolf.runtime.session import Session


def prepare_run(session: Session, prepare_components: Callable[[Session], None]) -> None:
    """Run the entry's `prepare_components` on this rank, and learn how the others fared.

    Raises:
        ValueError: on every rank, for what failed first on the lowest rank.
    """
    failure = ""
    try:
        prepare_components(session)
    except (OSError, ValueError) as error:
        failure = f"{session.preparing}: {error}"
    for rank, text in enumerate(gather_over_ranks(failure, session.world)):
        if text:
            raise ValueError(f"{text} (on rank {rank})" if rank else text)


def log_prepared(session: Session, text: str | None) -> None:
    """Log what a component chose, if it says so."""
    if text is not None:
        session.log(f"prepared {session.preparing}: {text}")
