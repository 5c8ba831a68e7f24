"""Receipts: every selected plugin proves at run time that it did something (design decision 12)."""


class Ledger:
    """Collects what each plugin did; `lines` renders one receipt per plugin."""

    def __init__(self):
        self.counts = {}
        self.notes = {}

    def count(self, plugin, unit, number=1):
        """Add to a plugin's counter, e.g. `count("xsa", "layers")`."""
        counts = self.counts.setdefault(plugin, {})
        counts[unit] = counts.get(unit, 0) + number

    def note(self, plugin, text):
        """Set a plugin's remark, e.g. `note("bank_qat", "on at step 812")`; the last one wins."""
        self.notes[plugin] = text

    def receipt(self, plugin):
        """`66 matrices, on at step 812`, or an empty string for a plugin that did nothing."""
        parts = [f"{number} {unit}" for unit, number in self.counts.get(plugin, {}).items() if number]
        if plugin in self.notes:
            parts.append(self.notes[plugin])
        return ", ".join(parts)

    def lines(self, plugins):
        """One `receipt NAME: what it did` line per plugin, and the names of those that did nothing."""
        receipts = {name: self.receipt(name) for name in plugins}
        idle = [name for name in plugins if not receipts[name]]
        return [f"receipt {name}: {text}" for name, text in receipts.items() if text], idle
