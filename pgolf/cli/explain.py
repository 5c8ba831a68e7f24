"""`pgolf explain`."""

from __future__ import annotations

import textwrap

import click

from pgolf.cli import options, output


@click.command()
@click.argument("code", required=False)
@click.option("--schema", is_flag=True, help="Print the JSON schema of recipe.toml, for editors.")
@options.as_json
def explain(code: str | None, schema: bool, as_json: bool) -> None:
    """Say what a code means, what leads to it and what to do; without one, list all codes.

    CODE is that of an error (PG205), of a rule of the bundleable subset (PG304) or of a check of `pgolf verify` (size.claim).

    \b
    Examples:
      pgolf explain PG205
      pgolf explain time.eval
      pgolf explain --schema > recipe.schema.json
    """
    from pgolf.explain import explain as find
    from pgolf.explain import listing, recipe_schema

    if schema and code:
        raise click.UsageError("give a code or --schema")
    if schema:
        output.print_json(recipe_schema())
        return
    if code is None:
        codes = listing()
        if as_json:
            output.print_json(codes)
            return
        for name, title in codes.items():
            click.echo(f"{name:16} {title}")
        return
    page = find(code)
    if as_json:
        output.print_json(page.as_record())
        return
    for text in (f"{page.code}: {page.title}", page.causes, page.source and f"Source: {page.source}"):
        if text:
            click.echo(textwrap.fill(text, 100, break_on_hyphens=False) + "\n")
    mend = page.mend if "\n" in page.mend else textwrap.fill(page.mend, 100, break_on_hyphens=False)
    click.echo(mend.rstrip())
