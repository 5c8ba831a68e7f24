"""Bytes that each plugin adds to the packed file of the baseline, at smoke size, and lines of its source.

python benchmarks/plugin_bytes.py [--write] [--changed | NAME...]

All plugins where none is named, or with `--changed` those whose kept figure is missing or of another source; `--write` keeps
the figures for `pgolf plugins show` (pgolf/rules/marginal_bytes.json). A line of figures over all at the end.
"""

import datetime
import statistics
import sys

from pgolf.errors import PgolfError
from pgolf.manager import load_registry
from pgolf.marginal_bytes import keep_bytes, marginal_bytes
from pgolf.recipe import Recipe
from pgolf.settings import SMOKE_SETTINGS
from pgolf.submission import make


def code_bytes(registry, *names):
    """Packed bytes of a build; settings that nobody declares are left out."""
    declared = {setting.name for name in names for setting in registry.plugins[name].plugin.settings}
    settings = {key: value for key, value in SMOKE_SETTINGS.items() if key in declared}
    return len(make(Recipe("measured", layers=(names,), settings=settings), registry).built.code)


def main():
    """One row for each name."""
    registry = load_registry()
    plain = code_bytes(registry)
    print(f"baseline {plain}\n\n| plugin | bytes | lines |\n| --- | --- | --- |")
    found, lengths = [], []
    named = [word for word in sys.argv[1:] if not word.startswith("--")] or sorted(registry.plugins)
    if "--changed" in sys.argv:
        known = {name: marginal_bytes(registry.plugins[name]) for name in named}
        named = [name for name, measured in known.items() if measured is None or not measured.current]
    for name in named:
        lines = registry.plugins[name].path.read_text(encoding="utf-8").count("\n")
        lengths.append(lines)
        try:
            found.append(code_bytes(registry, name) - plain)
            print(f"| {name} | {found[-1]:+} | {lines} |", flush=True)
            if "--write" in sys.argv:
                keep_bytes(registry.plugins[name], found[-1], plain, str(datetime.date.today()))
        except PgolfError as error:
            print(f"| {name} | not alone: {error.message} | {lines} |", flush=True)
    for title, numbers in (("bytes", found), ("lines", lengths)) if found else ():
        ordered = sorted(numbers)
        tenth = ordered[min(len(ordered) - 1, round(0.9 * len(ordered)))]
        print(
            f"{title}: {len(ordered)} plugins, median {statistics.median(ordered):.0f}, 90 % {tenth}, most {ordered[-1]}"
        )


if __name__ == "__main__":
    main()
