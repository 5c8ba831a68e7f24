"""`pgolf plugins`: list, describe, scaffold."""

from __future__ import annotations

import difflib
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pgolf import __version__ as version
from pgolf.cli import options, output
from pgolf.errors import PgolfError

if TYPE_CHECKING:
    from pgolf.manager import Loaded, Registry
    from pgolf.reference import HookText

FAMILIES = ("architecture", "optimizer", "quantizer", "compressor", "eval", "data")


@click.group(invoke_without_command=True)
@click.option("--family", type=click.Choice(FAMILIES), help="Only this family.")
@click.option("--search", metavar="WORDS", default="", help="Only plugins that have all these words.")
@options.plugin_dirs
@options.as_json
@click.pass_context
def plugins(ctx: click.Context, family: str | None, search: str, plugin_dirs: tuple[Path, ...], as_json: bool) -> None:
    """List all plugins, or describe or make one.

    \b
    Examples:
      pgolf plugins --family quantizer
      pgolf plugins --search "smear 1667"
      pgolf plugins show bank_qat
      pgolf plugins new my_trick -o my_trick
    """
    if ctx.invoked_subcommand is not None:
        ctx.obj = plugin_dirs
        return
    registry = open_registry(plugin_dirs)
    found = [item for item in registry.plugins.values() if family in (None, item.plugin.family)]
    found = [item for item in found if matches(item, search)]
    found.sort(key=lambda item: (FAMILIES.index(item.plugin.family), item.plugin.name))
    if as_json:
        output.print_json([describe(item) for item in found])
    else:
        _list(found)


@plugins.command()
@click.argument("name")
@click.option("--bytes", "weigh", is_flag=True, help="Also build with it and without it: what it adds to the file.")
@options.plugin_dirs
@options.as_json
@click.pass_context
def show(ctx: click.Context, name: str, weigh: bool, plugin_dirs: tuple[Path, ...], as_json: bool) -> None:
    """Everything about one plugin: its maths, tensors, settings, hooks, conflicts, and the records that used it.

    \b
    Examples:
      pgolf plugins show bank_qat
      pgolf plugins show xsa --bytes
    """
    from pgolf.cli.plugin_page import added_bytes, tensors

    registry = open_registry((*(ctx.obj or ()), *plugin_dirs))
    loaded = registry.get(name, "command line")
    row = {**describe(loaded), "tensors": tensors(name, registry)}
    if weigh:
        row["bytes"] = added_bytes(name, registry)
    if as_json:
        output.print_json(row)
    else:
        _show(row)


@plugins.command()
@click.argument("name", required=False)
@options.as_json
def hooks(name: str | None, as_json: bool) -> None:
    """List the hooks that a plugin can implement, or describe one.

    With NAME: how the running program calls what the hook hands over, with shapes and units, and an example.

    \b
    Examples:
      pgolf plugins hooks
      pgolf plugins hooks stem_terms
    """
    from pgolf import reference
    from pgolf.hookspecs import HOOKS

    if name is not None and name not in HOOKS:
        close = difflib.get_close_matches(name, HOOKS, 1)
        hint = f"did you mean {close[0]}?" if close else "pgolf plugins hooks lists all"
        raise PgolfError("PG004", f"there is no hook {name!r}", "command line", hint)
    found = [reference.describe_hook(hook) for hook in HOOKS if name in (None, hook)]
    if as_json:
        records = [reference.as_record(hook) for hook in found]
        output.print_json(records[0] if name else records)
    elif name:
        _show_hook(found[0])
    else:
        for family in FAMILIES:
            made = output.table("hook", "shape", "what it is for", title=family)
            for hook in (item for item in found if item.family == family):
                made.add_row(hook.name, hook.shape, " ".join(hook.purpose.split("\n\n")[0].split()))
            output.print_table(made)


@plugins.command()
@options.as_json
def index(as_json: bool) -> None:
    """List the plugins of installed packages: of which distribution and version, for which hooks, and whether they load.

    \b
    Examples:
      pgolf plugins index
      pgolf plugins index --json
    """
    from dataclasses import asdict

    from pgolf.hook_version import HOOK_VERSION
    from pgolf.manager import load_registry
    from pgolf.plugin_index import index as look

    found = look(load_registry())
    if as_json:
        output.print_json({"hook_version": HOOK_VERSION, "plugins": [asdict(one) for one in found]})
        return
    made = output.table("distribution", "version", "plugin", "hooks", "family", "summary or problem")
    for one in found:
        words = f"problem: {one.problem}" if one.problem else one.summary
        made.add_row(one.distribution, one.version, one.plugin, one.hook_version or "-", one.family or "-", words)
    if found:
        output.print_table(made)
    click.echo(
        f"pgolf {version}, hooks {HOOK_VERSION}; {len(found)} plugin{'s' * (len(found) != 1)} of installed packages"
    )


@plugins.command()
@click.argument("name")
@click.option("-o", "--output", "folder", required=True, type=options.FOLDER, help="New or empty folder.")
@click.option("--family", type=click.Choice(FAMILIES), default="architecture", show_default=True, help="Hook family.")
@options.plugin_dirs
@click.pass_context
def new(ctx: click.Context, name: str, folder: Path, family: str, plugin_dirs: tuple[Path, ...]) -> None:
    """Write a package with one plugin that installs, builds and passes its own test.

    \b
    Example:
      pgolf plugins new my_trick -o my_trick
      pip install -e my_trick
      pgolf plugins show my_trick
    """
    from pgolf.scaffold import write_package

    registry = open_registry((*(ctx.obj or ()), *plugin_dirs))
    for path in write_package(name, folder, family, registry):
        click.echo(path)
    output.note(f"next: pip install -e {folder} && python -m pytest {folder}")


def open_registry(plugin_dirs: tuple[Path, ...]) -> Registry:
    """All plugins; a broken one is a warning of one line."""
    from pgolf.manager import load_registry

    registry = load_registry(plugin_dirs)
    for problem in registry.problems:
        output.warn(f"[{problem.code}] {problem.message} ({problem.where})")
    return registry


def matches(loaded: Loaded, words: str) -> bool:
    """Does what a plugin says of itself have all the words, large or small?"""
    plugin = loaded.plugin
    names = [setting.name for setting in plugin.settings] + list(loaded.hooks)
    text = " ".join(
        (plugin.name, plugin.summary, plugin.source, plugin.effect, loaded.module.__doc__ or "", *names)
    ).lower()
    return all(word in text for word in words.lower().split())


def describe(loaded: Loaded) -> dict[str, Any]:
    """One plugin for `--json`."""
    import inspect

    from pgolf.lineage import records_with
    from pgolf.marginal_bytes import marginal_bytes
    from pgolf.select import BASELINE

    plugin, measured = loaded.plugin, marginal_bytes(loaded)
    return {
        "name": plugin.name,
        "family": plugin.family,
        "summary": plugin.summary,
        "source": plugin.source,
        "effect": plugin.effect,
        "marginal_bytes": measured and {**asdict(measured), "text": str(measured)},
        "baseline": plugin.name in BASELINE,
        "requires": list(plugin.requires),
        "conflicts": [{"name": item.name, "reason": item.reason, "hard": item.hard} for item in plugin.conflicts],
        "replaces": list(plugin.replaces),
        "order": plugin.order,
        "before": list(plugin.before),
        "after": list(plugin.after),
        "hardware": plugin.hardware,
        "needs": [
            {"kind": need.kind, "name": need.name, "why": need.why, "install": need.install} for need in plugin.needs
        ],
        "settings": [
            {
                "name": item.name,
                "type": item.type.__name__,
                "default": item.default,
                "minimum": item.minimum,
                "below": item.below,
                "choices": list(item.choices),
                "help": item.help,
            }
            for item in plugin.settings
        ],
        "hooks": sorted(loaded.hooks),
        "slots": list(loaded.slots),
        "records": [one.record for one in records_with(plugin.name)],
        "origin": loaded.origin,
        "version": loaded.version,
        "hook_version": plugin.hook_version,
        "path": str(loaded.path),
        "doc": inspect.cleandoc(loaded.module.__doc__ or ""),
    }


def _show_hook(hook: HookText) -> None:
    from pgolf.hookspecs import SHAPES
    from pgolf.reference import calls

    click.echo(
        f"{hook.name}({hook.arguments})  [{hook.family}, {hook.shape}: {SHAPES[hook.shape]}]\n\n{hook.purpose}\n"
    )
    contract = hook.contract
    if contract:
        click.echo(f"{contract.name}: {contract.doc}\n")
        for item in calls(contract):
            method = "component" if item.name == "__call__" else f"component.{item.name}"
            click.echo(f"{method}{item.text}\n{textwrap.indent(item.doc, '    ')}\n")
        for item in contract.attributes:
            click.echo(f"{item.name}: {item.text}\n{textwrap.indent(item.doc, '    ')}")
    if hook.example:
        click.echo(f"\n# {hook.example.name}.py\n{hook.example.code}")


def _list(found: list[Loaded]) -> None:
    """A line for each plugin; what does not fit ends in an ellipsis, `show` and `--json` have all."""
    name_width = max((len(item.plugin.name) for item in found), default=0) + len(" *")
    room = output.open_console().width - name_width - 6
    for family in FAMILIES:
        rows = [describe(item) for item in found if item.plugin.family == family]
        if not rows:
            continue
        made = output.table("name", "summary", "effect and cost", title=f"{family} ({len(rows)})")
        # Of a table that is too wide, rich takes from every column alike: a long effect would leave nothing of the names.
        for column, width in zip(made.columns, (name_width, room * 55 // 100, room * 45 // 100), strict=True):
            column.no_wrap, column.overflow, column.width = True, "ellipsis", max(width, 20)
        for row in rows:
            mark = " *" if row["baseline"] else ""
            made.add_row(row["name"] + mark, row["summary"], _cost(row))
        output.print_table(made)
    click.echo(
        "* in the baseline, unless a chosen plugin takes its place"
        if found
        else "no plugin has all these words; pgolf plugins lists all"
    )


def _cost(row: dict[str, Any]) -> str:
    """What must be there first, then what it does to the score: the end of a line is what may be missing."""
    needed = ", ".join(f"{need['name']} ({need['kind']})" for need in row["needs"])
    return "; ".join(text for text in (needed and f"needs {needed}", row["effect"]) if text)


def _show(row: dict[str, Any]) -> None:
    click.echo(f"{row['name']} ({row['family']}): {row['summary']}\n\n{row['doc']}\n")
    for key in ("source", "effect", "hardware", "origin", "version", "path"):
        if row[key]:
            click.echo(f"{key}: {row[key]}")
    if row["marginal_bytes"]:
        click.echo(f"adds bytes, alone at smoke size: {row['marginal_bytes']['text']}")
    if row["baseline"]:
        click.echo("baseline: yes")
    for key in ("requires", "replaces", "before", "after", "hooks", "slots", "records"):
        if row[key]:
            click.echo(f"{key}: {', '.join(row[key])}")
    if "bytes" in row:
        click.echo(f"bytes: {row['bytes']:+,} of the packed file, against the baseline with what it requires")
    for item in row["tensors"]:
        click.echo(f"tensor {item['name']} {item['shape']}: optimizer group {item['group']}, stored as {item['quant']}")
    for need in row["needs"]:
        click.echo(f"needs the {need['kind']} {need['name']}: {need['why']} ({need['install']})")
    for item in row["conflicts"]:
        click.echo(f"{'conflicts with' if item['hard'] else 'better without'} {item['name']}: {item['reason']}")
    if row["settings"]:
        made = output.table("setting", "type", "default", "help", title="settings")
        for item in row["settings"]:
            choices = f" ({', '.join(item['choices'])})" if item["choices"] else ""
            made.add_row(item["name"], item["type"], str(item["default"]), item["help"] + choices)
        output.print_table(made)
