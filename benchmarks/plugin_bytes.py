"""Bytes that each plugin adds to the packed file of the baseline, at smoke size, and lines of its source.

python benchmarks/plugin_bytes.py NAME...
"""

import sys

from pgolf.manager import load_registry
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
    for name in sys.argv[1:]:
        lines = registry.plugins[name].path.read_text(encoding="utf-8").count("\n")
        print(f"| {name} | {code_bytes(registry, name) - plain:+} | {lines} |", flush=True)


if __name__ == "__main__":
    main()
