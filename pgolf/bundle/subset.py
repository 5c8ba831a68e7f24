"""(draft)"""
from __future__ import annotations
from pgolf.bundle.source import Module
from pgolf.errors import PgolfError
def check(modules: list[Module]) -> list[PgolfError]:
    """Findings."""
    return []
