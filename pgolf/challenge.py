"""The game's rules as dated data: `pgolf/rules/*.toml`, or a file of the user's."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgolf.errors import PgolfError

RULES_FOLDER = Path(__file__).parent / "rules"
DEFAULT_CHALLENGE = "2026-04"
SIZE_LIMIT = 2**20


@dataclass(frozen=True)
class Tokenizer:
    """What one tokenizer makes of the validation split."""

    name: str
    bytes_per_token: float
    val_tokens: int


@dataclass(frozen=True)
class Challenge:
    """One dated rule set.

    Attributes:
        name: the date it holds from, as year and month.
        artifact_cap: largest sum of code bytes and compressed model bytes (decimal bytes).
        train_seconds, eval_seconds: wall-clock limits on `hardware`; `allowance_seconds` on top, and a stop from
            `full_seconds` on has used all of it.
        required_files: what a submission folder must hold; logs come on top, one per seed.
        required_fields: what `submission.json` must say.
        val_bytes: bytes of text in the validation split; the shares say what counts as all and as a part of it.
        margin_nats, p_written, p_practised: what a record needs, as written and as practised.
        source: where the rules are written.
    """

    name: str
    source: str
    artifact_cap: int
    train_seconds: float
    eval_seconds: float
    allowance_seconds: float
    full_seconds: float
    hardware: str
    ranks: int
    gpu: str
    required_files: tuple[str, ...]
    required_fields: tuple[str, ...]
    smallest_script: int
    claim_tolerance: float
    loss_tolerance: float
    val_bytes: int
    val_tolerance: float
    full_share: float
    partial_share: float
    seeds: int
    margin_nats: float
    p_written: float
    p_practised: float
    tokenizers: tuple[Tokenizer, ...] = ()
    citations: dict[str, str] = field(default_factory=dict)


# Field of the record -> (table, key, type) of the file.
KEYS: dict[str, tuple[str, str, type]] = {
    "name": ("", "name", str),
    "source": ("", "source", str),
    "artifact_cap": ("size", "cap", int),
    "train_seconds": ("time", "train_seconds", float),
    "eval_seconds": ("time", "eval_seconds", float),
    "allowance_seconds": ("time", "allowance_seconds", float),
    "full_seconds": ("time", "full_seconds", float),
    "hardware": ("hardware", "name", str),
    "ranks": ("hardware", "ranks", int),
    "gpu": ("hardware", "gpu", str),
    "required_files": ("files", "required", tuple),
    "required_fields": ("files", "fields", tuple),
    "smallest_script": ("files", "smallest_script", int),
    "claim_tolerance": ("claim", "tolerance", float),
    "loss_tolerance": ("claim", "loss_tolerance", float),
    "val_bytes": ("validation", "bytes", int),
    "val_tolerance": ("validation", "tolerance", float),
    "full_share": ("validation", "full_share", float),
    "partial_share": ("validation", "partial_share", float),
    "seeds": ("significance", "seeds", int),
    "margin_nats": ("significance", "margin_nats", float),
    "p_written": ("significance", "p_written", float),
    "p_practised": ("significance", "p_practised", float),
}


def load_challenge(path: Path) -> Challenge:
    """The rule set of a file; PG001 or PG002 when it cannot be used."""
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise PgolfError("PG002", f"the rules are larger than {SIZE_LIMIT:,} bytes", str(path))
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PgolfError("PG001", f"the rules cannot be read: {error.strerror or error}", str(path)) from None
    except (ValueError, RecursionError) as error:
        raise PgolfError("PG002", f"the rules are not valid TOML: {error}", str(path)) from None
    return challenge_of(document, str(path))


def challenge_of(document: dict[str, Any], where: str) -> Challenge:
    """A parsed file as a record; PG002 names the key that is missing or of another type."""
    values = {name: _value(document, *key, where) for name, key in KEYS.items()}
    try:
        rows = document.get("tokenizer", [])
        tokenizers = tuple(
            Tokenizer(str(row["name"]), float(row["bytes_per_token"]), int(row["val_tokens"])) for row in rows
        )
        citations = {str(key): str(text) for key, text in document.get("citations", {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PgolfError("PG002", f"tokenizer or citations of the rules are not usable: {error}", where) from None
    return Challenge(**values, tokenizers=tokenizers, citations=citations)


def _value(document: dict[str, Any], table: str, key: str, kind: type, where: str) -> Any:
    place = f"[{table}] {key}" if table else key
    holder = document.get(table) if table else document
    if not isinstance(holder, dict) or key not in holder:
        raise PgolfError("PG002", f"the rules have no {place}", where, "copy pgolf/rules/2026-04.toml and change it")
    value = holder[key]
    if kind is tuple and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if kind is str and isinstance(value, str):
        return value
    raise PgolfError("PG002", f"{place} of the rules is {value!r}, wanted {kind.__name__}", where)


CHALLENGES: dict[str, Challenge] = {path.stem: load_challenge(path) for path in sorted(RULES_FOLDER.glob("*.toml"))}


def find_challenge(name: str, where: str = "") -> Challenge:
    """The rule set called `name`; PG002 for an unknown one."""
    if name not in CHALLENGES:
        raise PgolfError(
            "PG002", f"the challenge {name!r} is unknown", where, f"known: {', '.join(sorted(CHALLENGES))}"
        )
    return CHALLENGES[name]
