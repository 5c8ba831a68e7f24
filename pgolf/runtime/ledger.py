"""Receipts: every selected plugin proves at run time that it did something."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


class Ledger:
    """Collects what each plugin did; `receipt` renders it.

    Attributes:
        done: (plugin, unit) -> number, and (plugin, "") -> remark.
    """

    def __init__(self) -> None:
        self.done: dict[tuple[str, str], Any] = {}

    def count(self, plugin: str, unit: str, number: int = 1) -> None:
        """Add to a plugin's counter, e.g. `count("xsa", "layers")`."""
        self.done[plugin, unit] = self.done.get((plugin, unit), 0) + number

    def note(self, plugin: str, text: str) -> None:
        """Set a plugin's remark, e.g. `note("bank_qat", "on at step 812")`; the last one wins."""
        self.done[plugin, ""] = text

    def receipt(self, plugin: str) -> str:
        """`66 matrices, on at step 812`, or an empty string for a plugin that did nothing."""
        return ", ".join(
            f"{number} {unit}".strip() for (name, unit), number in self.done.items() if name == plugin and number
        )
