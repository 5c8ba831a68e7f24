"""Run in a mount namespace: every command that writes, with its output on a disk that is read-only.

    unshare --map-root-user --mount python read_only_disks.py DISK PLACE

DISK is an empty folder, where a tmpfs is mounted; PLACE is one that may be written. Prints {command: [exit status, its error]}
and ends by an error where something on the disk has changed, was left behind, or stands half done beside it.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner
from folders import make_folder
from requant.sweeps import PLUGINS, SIZES, weights

from pgolf.cli.main import main as pgolf
from pgolf.testing import make_data


def run(*arguments):
    """A command in this process."""
    return CliRunner().invoke(pgolf, [str(argument) for argument in arguments])


def contents(folder: Path) -> dict[str, str]:
    """Every file and folder with its hash."""
    paths = sorted(folder.rglob("*"))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "" for path in paths}


def prepare(disk: Path, place: Path) -> dict[str, list[object]]:
    """Folders as commands have left them; returns the commands that are tried."""
    settings = [f"{name} = {value}" for name, value in {**SIZES, "gptq_calibration_batches": 1}.items()]
    recipe = place / "recipe.toml"
    recipe.write_text("\n".join([f"name = 'tiny'\nplugins = {[*PLUGINS]}\n[settings]", *settings]) + "\n")
    (place / "data").mkdir()
    data = make_data(place / "data")
    corpus = place / "corpus.jsonl"
    corpus.write_text('{"text": "First."}\n{"text": "Second."}\n{"text": "Third."}\n')
    checkpoint = weights(place / "run").path
    built = run("build", recipe, "-o", disk / "built")
    assert built.exit_code == 0, built.output
    make_folder(disk / "toy")
    given = ["--data", data.data_path, "--tokenizer", data.tokenizer_path]
    tokenize = ["data", "tokenize", corpus, "--tokenizer", data.tokenizer_path, "--val-docs", 1]
    assert run(*tokenize, "-o", disk / "set").exit_code == 0
    return {
        "build": ["build", recipe, "-o", disk / "new"],
        "build again": ["build", recipe, "-o", disk / "built"],
        "package": ["package", disk / "toy", "--force"],
        "train": ["train", disk / "built", *given],
        "tokenize": [*tokenize, "-o", disk / "other"],
        "tokenize again": [*tokenize, "-o", disk / "set", "--force"],
        "sample": ["data", "sample", "-o", disk / "sample"],
        "requant": ["requant", checkpoint, recipe, *given, "-o", disk / "requant"],
        "requant, plot": ["requant", checkpoint, recipe, *given, "-o", place / "requant", "--plot", disk / "a.html"],
        "verify, page": ["verify", disk / "toy", "--html", disk / "page.html"],
        "verify": ["verify", disk / "built"],
    }


def main() -> None:
    """See the module."""
    disk, place = Path(sys.argv[1]), Path(sys.argv[2])
    subprocess.run(["mount", "-t", "tmpfs", "none", str(disk)], check=True)
    commands = prepare(disk, place)
    before = contents(disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    found = {}
    for name, command in commands.items():
        done = run(*command)
        broken = done.exception is not None and not isinstance(done.exception, SystemExit)
        assert not broken, (name, repr(done.exception))
        found[name] = [done.exit_code, [line for line in done.stderr.splitlines() if "error" in line]]
        assert contents(disk) == before, name
    assert not [*place.rglob("*.part")]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
