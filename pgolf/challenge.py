"""The game's rules as dated data."""

from __future__ import annotations

from dataclasses import dataclass

from pgolf.errors import PgolfError


@dataclass(frozen=True)
class Challenge:
    """One dated rule set.

    Attributes:
        name: the date it holds from, as year and month.
        artifact_cap: largest sum of code bytes and compressed model bytes (decimal bytes).
        train_seconds, eval_seconds: wall-clock limits on `hardware`.
        required_files: what a submission folder must hold; logs come on top, one per seed.
        required_fields: what `submission.json` must say.
        source: where the rules are written.
    """

    name: str
    artifact_cap: int
    train_seconds: float
    eval_seconds: float
    hardware: str
    required_files: tuple[str, ...]
    required_fields: tuple[str, ...]
    source: str


CHALLENGES: dict[str, Challenge] = {
    "2026-04": Challenge(
        name="2026-04",
        artifact_cap=16_000_000,
        train_seconds=600.0,
        eval_seconds=600.0,
        hardware="8xH100 80GB SXM",
        required_files=("README.md", "submission.json", "train_gpt.py"),
        required_fields=("author", "github_id", "name", "date", "val_bpb", "bytes_total"),
        source="openai/parameter-golf README",
    ),
}
DEFAULT_CHALLENGE = "2026-04"


def find_challenge(name: str, where: str = "") -> Challenge:
    """The rule set called `name`; PG002 for an unknown one."""
    if name not in CHALLENGES:
        raise PgolfError(
            "PG002", f"the challenge {name!r} is unknown", where, f"known: {', '.join(sorted(CHALLENGES))}"
        )
    return CHALLENGES[name]
