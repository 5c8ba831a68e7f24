"""`pgolf doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from pgolf.cli import options, output

MARKS = {"ok": "ok", "problem": "PROBLEM", "unknown": "unknown", "skipped": "-"}


@click.command()
@options.plugin_dirs
@options.as_json
def doctor(plugin_dirs: tuple[Path, ...], as_json: bool) -> None:
    """Look at this installation: Python, versions, plugins, programs, GPUs, disk, clock; what is missing, and how to get it.

    What only some commands need is "-", not a problem. For one build on one machine, see pgolf preflight.
    Exit status: 0 nothing is wrong, 1 something is.

    \b
    Example:
      pgolf doctor --json
    """
    from pgolf.doctor import examine
    from pgolf.manager import load_registry

    found = examine(load_registry(plugin_dirs), Path.cwd())
    bad = any(one.state == "problem" for one in found)
    if as_json:
        output.print_json({"healthy": not bad, "findings": [one.as_record() for one in found]})
    else:
        made = output.table("check", "", "seen")
        for one in found:
            made.add_row(one.check, MARKS[one.state], f"{one.text}\nhelp: {one.hint}" if one.hint else one.text)
        output.print_table(made)
    if bad:
        raise SystemExit(1)
