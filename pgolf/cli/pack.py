"""`pgolf pack`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pgolf.cli import options, output
from pgolf.cli.build import PACKS

if TYPE_CHECKING:
    from pgolf.repack.repack import Result

SHOWN_REASONS = 12
LIMIT = 32 * 2**20


@click.command()
@click.argument("script", metavar="SCRIPT.py", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o", "--output", "out", type=click.Path(dir_okay=False, path_type=Path), help="[default: SCRIPT.packed.py]"
)
@click.option("--pack", "choice", type=click.Choice(PACKS), default="auto", show_default=True, help="How to write it.")
@click.option("--allow-brotli", is_flag=True, help="The file may import brotli to unpack itself.")
@click.option("--unpack", "inner", is_flag=True, help="Pack what a self-extracting script holds.")
@options.as_json
def pack(script: Path, out: Path | None, choice: str, allow_brotli: bool, inner: bool, as_json: bool) -> None:
    """Minify and pack any train_gpt.py, also one that pgolf did not build.

    The script is read, never executed. Docstrings and annotations are dropped and variables renamed where the text proves
    that nothing can notice; what is left out is said with the line that forbids it.

    \b
    Examples:
      pgolf pack train_gpt.py
      pgolf pack train_gpt.py -o small/train_gpt.py --pack b85
      pgolf pack self_extracting.py --unpack --json
    """
    from pgolf.errors import PgolfError
    from pgolf.files import write_atomically
    from pgolf.repack.repack import shrink
    from pgolf.repack.unwrap import check_plain, unwrap

    target = out or script.with_suffix(".packed.py")
    if target.resolve() == script.resolve():
        raise PgolfError("PG004", "the result would replace the script", str(target), "give another file with -o")
    data = read(script)
    try:
        kind, content = unwrap(data, script.name)
        if kind and not inner:
            hint = f"pgolf pack {script} --unpack packs the script inside"
            raise PgolfError("PG004", f"the script is packed already ({kind})", hint=hint)
        if inner and not kind:
            raise PgolfError(
                "PG004", "the script is not packed, so that --unpack has nothing to do", hint="leave it out"
            )
        if kind:
            check_plain(data, script.name)
        result = shrink(content, choice, allow_brotli)
    except PgolfError as error:
        error.where = f"{script}:{error.where.removeprefix('line ')}" if error.where else str(script)
        raise
    write_atomically(target, result.packed.code)
    record = as_record(script, target, data, kind, result)
    if as_json:
        output.print_json(record)
    else:
        _show(record, result)


def read(script: Path) -> bytes:
    """The file.

    Raises:
        PgolfError: PG001.
    """
    from pgolf.errors import PgolfError

    try:
        data = script.read_bytes()
    except OSError as error:
        raise PgolfError("PG001", f"cannot read: {error.strerror or error}", str(script)) from None
    if len(data) > LIMIT:
        raise PgolfError("PG001", f"the script is larger than {LIMIT:,} bytes", str(script))
    return data


def as_record(script: Path, target: Path, data: bytes, kind: str, result: Result) -> dict[str, Any]:
    """For `--json`."""
    import hashlib

    from pgolf.repack.repack import changes

    code = result.packed.code
    return {
        "script": str(script),
        "output": str(target),
        "unpacked": kind,
        "original_bytes": len(data),
        "minified_bytes": len(result.text.encode()),
        "packed_bytes": len(code),
        "pack": result.packed.name,
        "needs": list(result.packed.needs),
        "sha256": hashlib.sha256(code).hexdigest(),
        "baseline_bytes": result.baseline,
        "ratio": round(len(code) / result.baseline, 4) if result.baseline else None,
        "form": result.form,
        "changes": list(changes(result)),
        "reads_itself": list(result.answers),
        "reasons": [reason.as_record() for reason in result.reasons],
    }


def _show(record: dict[str, Any], result: Result) -> None:
    made = output.table("file", "bytes", "of the original", right=("bytes", "of the original"))
    rows = [("original", record["original_bytes"]), (f"minified ({record['form']})", record["minified_bytes"])]
    rows.append((f"packed ({record['pack']})", record["packed_bytes"]))
    if record["baseline_bytes"] is not None:
        rows.append(("python-minifier, lzma and base85", record["baseline_bytes"]))
    for name, size in rows:
        made.add_row(name, output.count(size), f"{100 * size / max(1, record['original_bytes']):.1f} %")
    output.print_table(made)
    click.echo(f"changed: {', '.join(record['changes']) or 'nothing'}")
    for reason in result.reasons[:SHOWN_REASONS]:
        click.echo(f"kept: {reason}")
    if len(result.reasons) > SHOWN_REASONS:
        click.echo(f"kept: {len(result.reasons) - SHOWN_REASONS} more reasons; --json lists them")
    if result.answers:
        lines = ", ".join(map(str, result.answers))
        click.echo(
            f"line {lines}: the script's text of itself is read as Latin-1, and encodes to the bytes of the file"
        )
    if record["ratio"] is not None:
        click.echo(f"{record['ratio']:.3f} of python-minifier's default with lzma and base85")
    if record["needs"]:
        click.echo(f"needs at run time: {', '.join(record['needs'])}")
    click.echo(f"{record['output']}: {output.count(record['packed_bytes'])} bytes, sha256 {record['sha256']}")
