"""`pgolf lint`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgolf.cli import options, output

if TYPE_CHECKING:
    from pgolf.lint import Linted


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, type=options.EXISTING)
@click.option("--explain", "code", metavar="CODE", help="Print a rule: what, why, an example, what to write instead.")
@options.plugin_dirs
@options.as_json
def lint(paths: tuple[Path, ...], code: str | None, plugin_dirs: tuple[Path, ...], as_json: bool) -> None:
    """Check that plugins can be bundled.

    PATH is a plugin's .py file, a folder of them, or a recipe (a .toml file, or a folder that holds recipe.toml): then
    everything that the recipe bundles is checked. Files are read as text, so one that cannot be imported is checked too.
    The rules are in docs/subset.md. Exit status: 0 no finding, 1 findings, 2 unusable input.

    \b
    Examples:
      pgolf lint my_trick/
      pgolf lint my_trick/my_trick.py --json
      pgolf lint submissions/pr1512
      pgolf lint --explain PG304
    """
    if bool(paths) == (code is not None):
        raise click.UsageError("give files, folders and recipes to check, or --explain CODE alone")
    if code is not None:
        _explain(code, as_json)
        return
    from pgolf.lint import Linted, lint_files

    recipes = [path for path in paths if is_recipe(path)]
    files: list[Path] = []
    for path in paths:
        files += source_files(path) if path not in recipes else []
    whole = lint_files(list(dict.fromkeys(files)), plugin_dirs) if files else Linted()
    for path in recipes:
        whole.add(lint_recipe(path, plugin_dirs))
    if as_json:
        output.print_json(as_record(whole))
    else:
        _show(whole)
    if whole.findings:
        raise SystemExit(1)


def _explain(code: str, as_json: bool) -> None:
    from pgolf.rule_pages import as_text, explain

    page = explain(code)
    if as_json:
        output.print_json(asdict(page))
    else:
        click.echo(as_text(page), nl=False)


def is_recipe(path: Path) -> bool:
    """Is this a recipe, or a folder that holds one?"""
    return path.suffix == ".toml" or (path / "recipe.toml").is_file()


def source_files(path: Path) -> list[Path]:
    """Plugin files: the file itself, or every .py file below a folder but tests, setup files and hidden ones.

    Raises:
        PgolfError: PG001 when there is nothing to check.
    """
    from pgolf.errors import PgolfError

    found = [path] if path.is_file() and path.suffix == ".py" else []
    for file in sorted(path.rglob("*.py")) if path.is_dir() else []:
        parts = file.relative_to(path).parts
        skip = any(part.startswith((".", "test_")) or part in ("tests", "__pycache__", "build") for part in parts)
        if not skip and file.name not in ("setup.py", "conftest.py"):
            found.append(file)
    if not found:
        hint = "give a plugin's .py file, a folder of them, or a recipe"
        raise PgolfError("PG001", "there is no Python file to check", str(path), hint)
    return found


def lint_recipe(path: Path, plugin_dirs: tuple[Path, ...]) -> Linted:
    """Everything found in what a recipe bundles, its settings included."""
    from pgolf.bundle.source import load
    from pgolf.lint import lint_program
    from pgolf.manager import load_registry
    from pgolf.recipe import load_recipe
    from pgolf.resolve import resolve

    registry = load_registry(plugin_dirs)
    for problem in registry.problems:
        output.warn(f"[{problem.code}] {problem.message} ({problem.where})")
    resolved = resolve(load_recipe(path), registry)
    return lint_program(load(resolved.entry, resolved.find_source))


def as_record(linted: Linted) -> dict[str, object]:
    """For `--json`."""
    findings = [{**finding.as_record(), "frame": finding.frame} for finding in linted.findings]
    return {"files": linted.files, "findings": findings, "renaming_disabled_by": linted.disabled}


def _show(linted: Linted) -> None:
    from pgolf.bundle.rules.subset import RULES

    for finding in linted.findings:
        click.echo(str(finding))
        click.echo()
    for place in linted.disabled:
        click.echo(f"{place} turns off the shortening of every name in the built file, silently")
    number, files = len(linted.findings), len(linted.files)
    found = "1 finding" if number == 1 else f"{number or 'no'} findings"
    codes = sorted({finding.code for finding in linted.findings} & set(RULES))
    if codes:
        click.echo(f"`pgolf lint --explain {codes[0]}` says why, and what to write instead")
    click.echo(f"{found} in {files} file{'s' if files != 1 else ''}")
