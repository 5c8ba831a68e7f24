"""`pgolf data`: get text to train on. Heavy imports wait until a command runs, so that `--help` is quick."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pgolf.cli.options import Command, plugin_dirs
from pgolf.errors import PgolfError

if TYPE_CHECKING:
    from pgolf.data.transform import Transform

FOLDER = click.Path(file_okay=False, path_type=Path)


def report(result: dict[str, Any], as_json: bool) -> None:
    """One JSON document, or a line for each value; nested values become `key.key`."""
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        if isinstance(value, dict):
            value = ", ".join(
                f"{item:,} {key}" if isinstance(item, int) else f"{key} {item}" for key, item in value.items()
            )
        click.echo(f"{name}: {value}")


def note(line: str) -> None:
    """Progress and remarks."""
    click.echo(line, err=True)


def transform_options(command: Command) -> Command:
    """`--transform` and what goes with it."""
    command = plugin_dirs(command)
    command = click.option(
        "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting of it. May be repeated."
    )(command)
    return click.option(
        "--transform", metavar="NAME", help="Plugin whose text transform changes every document first."
    )(command)


VARIANTS = ["sp1024", "sp4096", "sp8192", "sp8192_caseops"]


@click.group()
def data() -> None:
    """Make, convert or download token shards, and train tokenizers.

    \b
    Example:
      pgolf data sample
    """


@data.command()
@click.option("-o", "--output", type=FOLDER, default=Path("data"), show_default=True, help="Data folder.")
@click.option(
    "--vocab-size", type=click.IntRange(512, 65536), default=1024, show_default=True, help="Tokenizer pieces."
)
@transform_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def sample(
    output: Path,
    vocab_size: int,
    transform: str | None,
    assignments: tuple[str, ...],
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Make shards and a tokenizer from Python's own documentation; needs no network.

    Writes DATA/datasets/sample_sp1024 and DATA/tokenizers/sample_1024_bpe.model. Does nothing when they are intact. With a
    transform, its name is added to both, and byte side files lie beside the shards.

    \b
    Example:
      pgolf data sample -o data
    """
    from pgolf.data.sample import ensure_sample

    found = ensure_sample(output, vocab_size, note, open_transform(transform, assignments, plugin_dirs))
    if not found.created:
        note(f"intact, nothing to do: {found.data_path}")
    result = {
        "data_path": str(found.data_path),
        "tokenizer_path": str(found.tokenizer_path),
        "vocab_size": found.vocab_size,
        "created": found.created,
        "train": found.manifest["train"],
        "val": found.manifest["val"],
    }
    report(result, as_json)


@data.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path(path_type=Path))
@click.option("--tokenizer", required=True, type=click.Path(path_type=Path), help="SentencePiece model file.")
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder for the shards: the DATA_PATH of a run.")
@click.option("--val-docs", type=click.IntRange(0), help="Validation documents.  [default: 50000, at most a tenth]")
@click.option("--shard-tokens", type=click.IntRange(1), default=100_000_000, show_default=True, help="Tokens a shard.")
@click.option("--workers", type=click.IntRange(0), default=0, show_default=True, help="Processes; 0 is one per core.")
@click.option("--text-field", default="text", show_default=True, help="Field of each JSON object that holds the text.")
@click.option("--normalize", is_flag=True, help="Count bytes of the text as the tokenizer normalises it.")
@click.option(
    "--allow-lossy", is_flag=True, help="Accept documents whose bytes do not add up; the manifest counts them."
)
@click.option("--force", is_flag=True, help="Replace shards that the folder holds.")
@transform_options
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def tokenize(
    inputs: tuple[Path, ...],
    tokenizer: Path,
    output: Path,
    transform: str | None,
    assignments: tuple[str, ...],
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Turn JSON lines (.jsonl, also .xz, .gz or .zst) into shards.

    The first documents are validation, the rest is train. Every document's bytes by the tokenizer's tables must equal
    the UTF-8 length of its text, or bits per byte would be wrong; blank lines and double spaces in the text are the
    usual reason why they differ, and --normalize the usual answer.

    A transform must give back every document. Its byte counts are written beside the validation shards
    (fineweb_val_bytes_*.bin), for builds with its plugin.

    \b
    Examples:
      printf '{"text": "First."}\\n{"text": "Second."}\\n' > docs.jsonl
      pgolf data sample
      pgolf data tokenize docs.jsonl --tokenizer data/tokenizers/sample_1024_bpe.model -o data/docs --val-docs 1
      pgolf data tokenize docs.jsonl --transform caseops --tokenizer caseops.model -o data/caseops
    """
    from pgolf.data.tokenize import Options
    from pgolf.data.tokenize import tokenize as run

    changes = open_transform(transform, assignments, plugin_dirs)
    chosen = Options(val_documents=options.pop("val_docs"), transform=changes, **options)
    manifest = run(inputs, tokenizer, output, chosen)
    if as_json:
        report(manifest, True)
    else:
        report({key: manifest[key] for key in ("train", "val", "lossy")} | {"files": len(manifest["files"])}, False)


@data.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Model file to write."
)
@click.option("--vocab-size", type=click.IntRange(300, 65536), default=8192, show_default=True, help="Pieces.")
@click.option("--val-docs", type=click.IntRange(0), help="Documents left out as validation.  [default: as in tokenize]")
@click.option(
    "--documents", type=click.IntRange(1), default=1_000_000, show_default=True, help="The most documents to read."
)
@click.option("--text-field", default="text", show_default=True, help="Field of each JSON object that holds the text.")
@transform_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def tokenizer(
    inputs: tuple[Path, ...],
    output: Path,
    vocab_size: int,
    val_docs: int | None,
    documents: int,
    text_field: str,
    transform: str | None,
    assignments: tuple[str, ...],
    plugin_dirs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Train a SentencePiece tokenizer on JSON lines, with the contest's settings.

    The first documents, which `tokenize` makes validation, are not read. With a transform, the tokenizer sees transformed
    text and gets the transform's symbols as pieces of their own. All text that is read must fit into memory.

    \b
    Examples:
      pgolf data tokenizer docs.jsonl -o data/tokenizers/mine_1024_bpe.model --vocab-size 1024
      pgolf data tokenizer docs.jsonl -o data/tokenizers/mine_8192_bpe_caseops.model --transform caseops
    """
    from pgolf.data.tokenize import Options, choose_val_documents
    from pgolf.data.train_tokenizer import Corpus, train_on_corpus

    changes = open_transform(transform, assignments, plugin_dirs)
    skip = choose_val_documents(inputs, Options(val_documents=val_docs))
    report(train_on_corpus(Corpus(inputs, text_field, skip, documents, changes), output, vocab_size), as_json)


def open_transform(name: str | None, assignments: tuple[str, ...], plugin_dirs: tuple[Path, ...]) -> Transform | None:
    """What `--transform`, `--set` and `--plugin-dir` ask for; None without a transform."""
    from pgolf.manager import load_registry
    from pgolf.recipe import parse_assignments
    from pgolf.transforms import find_transform

    if name is None:
        if assignments:
            raise PgolfError("PG004", "--set without --transform sets nothing", "--set", "give --transform NAME too")
        return None
    return find_transform(name, parse_assignments(assignments), load_registry(plugin_dirs))


@data.command()
@click.option("--variant", required=True, type=click.Choice(VARIANTS), help="Which tokenizer's.")
@click.option(
    "--train-shards", type=click.IntRange(0), default=80, show_default=True, help="Train shards, 200 MB each."
)
@click.option("-o", "--output", type=FOLDER, default=Path("data"), show_default=True, help="Data folder.")
@click.option("--endpoint", help="URL of a mirror of the Hugging Face hub.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def fetch(variant: str, train_shards: int, output: Path, endpoint: str | None, as_json: bool) -> None:
    """Download the published FineWeb shards and their tokenizer, and verify them.

    Files that are intact are skipped, so running it again continues or proves that nothing has changed.

    \b
    Example:
      pgolf data fetch --variant sp1024 --train-shards 10
    """
    from pgolf.data.fetch import fetch as run

    manifest = run(variant, train_shards, output, endpoint, note)
    if as_json:
        report(manifest, True)
    else:
        report({key: manifest[key] for key in ("repository", "commit", "train")}, False)


@data.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def check(folder: Path, as_json: bool) -> None:
    """Check a folder of shards: files against their manifest, and no training document among the validation documents.

    Every document of the training shards is compared, which takes some seconds for each shard of 100 million tokens.

    \b
    Example:
      pgolf data check data/datasets/sample_sp1024
    """
    from pgolf.data.manifest import damaged_files, read_manifest
    from pgolf.data.split import check_manifest, check_tokens, refuse_shared

    problems = damaged_files(folder, read_manifest(folder) or {})
    if problems:
        more = f", and {len(problems) - 1} more" * (len(problems) > 1)
        raise PgolfError("PG502", problems[0] + more, str(folder), "download or make the data set again")
    found = check_tokens(folder)
    refuse_shared(folder, found.shared, found.first)
    check_manifest(folder)
    report({"train_documents": found.train, "val_documents": found.val, "in_both": found.shared}, as_json)
