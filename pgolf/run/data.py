"""Finds shards and tokenizer for a run, and checks them before anything is started."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.errors import PgolfError

if TYPE_CHECKING:
    from pgolf.data.transform import Transform
    from pgolf.manager import Registry
    from pgolf.select import Selection

TRAIN_GLOB = "fineweb_train_*.bin"
VAL_GLOB = "fineweb_val_*.bin"
SIDE_GLOB = "fineweb_val_bytes_*.bin"
GET_DATA = "get data with `pgolf data sample` or `pgolf data fetch`, and give --data DIR"
GET_SIDE_FILES = "make data with `pgolf data tokenize --transform NAME`, or get those that were published with them"


@dataclass(frozen=True)
class DataPaths:
    """DATA_PATH and TOKENIZER_PATH of a run, absolute."""

    data_path: Path
    tokenizer_path: Path

    def environment(self) -> dict[str, str]:
        """What the training program reads."""
        return {"DATA_PATH": str(self.data_path), "TOKENIZER_PATH": str(self.tokenizer_path)}


def selection_data(
    selection: Selection,
    registry: Registry,
    data: Path | None,
    tokenizer: Path | None,
    smoke: bool,
    training: bool = True,
) -> DataPaths:
    """Where the data of a recipe's plugins are, checked; see `find_data` and `check_data`."""
    from pgolf.transforms import transform_of

    settings = selection.settings.as_dict()
    transform = transform_of(selection.plugins, settings, registry)
    paths = find_data(data, tokenizer, settings, smoke, transform is not None, transform)
    check_data(paths, training, side_files=transform is not None)
    return paths


def find_data(
    data: Path | None,
    tokenizer: Path | None,
    settings: Mapping[str, Any],
    smoke: bool,
    side_files: bool = False,
    transform: Transform | None = None,
) -> DataPaths:
    """Where a run's data are.

    Args:
        data: a folder of shards, or a data folder with `datasets/*`; None takes the embedded sample for a smoke build
            and the recipe's data_path otherwise.
        tokenizer: a SentencePiece model; None looks beside the shards.
        settings: the build's settings.
        smoke: whether it is a smoke build.
        side_files: whether the build counts bytes from side files; of several data sets it decides for those with them.
        transform: how the embedded sample's text is changed for this build.

    Raises:
        PgolfError: PG001 when nothing fits, several things do, or the one that does is not downloaded to its end.
    """
    if data is None and smoke:
        from pgolf.data.sample import ensure_sample

        sample = ensure_sample("data", transform=transform)
        return DataPaths(sample.data_path.resolve(), (tokenizer or sample.tokenizer_path).resolve())
    if data is None:
        data = Path(str(settings.get("data_path", "")))
        if not data.is_dir():
            raise PgolfError("PG001", f"the recipe's data_path {data} does not exist", str(data), GET_DATA)
        fallback = Path(str(settings.get("tokenizer_path", "")))
        tokenizer = tokenizer or (fallback if fallback.is_file() else None)
    from pgolf.data.manifest import refuse_unfinished

    shards = find_shards(data, settings, side_files)
    refuse_unfinished(shards)
    return DataPaths(shards.resolve(), (tokenizer or find_tokenizer(shards, data, settings)).resolve())


def find_shards(data: Path, settings: Mapping[str, Any], side_files: bool = False) -> Path:
    """`data` itself, or the one of its datasets that fits the recipe."""
    if any(data.glob(VAL_GLOB)):
        return data
    found = sorted(path.parent for path in data.glob(f"datasets/*/{VAL_GLOB}"))
    found = list(dict.fromkeys(found))
    found = [path for path in found if any(path.glob(SIDE_GLOB)) == side_files] or found
    wanted = Path(str(settings.get("data_path", ""))).name
    named = [path for path in found if path.name == wanted] or [
        path for path in found if re.search(rf"sp{_vocabulary(settings)}(?!\d)", path.name)
    ]
    choice = named if len(named) == 1 else found
    if len(choice) == 1:
        return choice[0]
    if not found:
        raise PgolfError("PG001", f"no {VAL_GLOB} in {data} or its datasets/*", str(data), GET_DATA)
    names = ", ".join(path.name for path in found)
    raise PgolfError("PG001", f"{data} holds several data sets: {names}", str(data), "give one of them with --data")


def _vocabulary(settings: Mapping[str, Any]) -> str:
    """The vocabulary size for a pattern; a lock is other people's data."""
    return re.escape(str(settings.get("vocab_size")))


def find_tokenizer(shards: Path, data: Path, settings: Mapping[str, Any]) -> Path:
    """The model beside the shards that they were made with, or that fits the recipe by name or vocabulary size."""
    places = [shards, data, data / "tokenizers", shards.parent.parent / "tokenizers"]
    found = list(dict.fromkeys(path.resolve() for place in places for path in sorted(place.glob("*.model"))))
    wanted = Path(str(settings.get("tokenizer_path", ""))).name
    sized = [path for path in found if re.search(rf"(?<!\d){_vocabulary(settings)}(?!\d)", path.name)]
    made_with = tokenizer_name(shards)
    for choice in (
        [path for path in found if path.name == made_with],
        [path for path in found if path.name == wanted],
        sized,
        found,
    ):
        if len(choice) == 1:
            return choice[0]
    seen = ", ".join(path.name for path in found) or "none"
    raise PgolfError("PG001", f"which tokenizer? found {seen} beside {shards}", str(shards), "give --tokenizer MODEL")


def tokenizer_name(shards: Path) -> str:
    """The file name of the tokenizer that manifest.json says the shards were made with, or ""."""
    from pgolf.data.manifest import read_manifest

    manifest = read_manifest(shards) or {}
    listed = [Path(name).name for name in manifest.get("files", {}) if name.endswith(".model")]
    return listed[0] if listed else str(manifest.get("tokenizer", {}).get("name", ""))


def check_data(paths: DataPaths, training: bool = True, side_files: bool = False) -> None:
    """Every shard's header and length, the side files that the build reads, and the tokenizer's presence.

    Raises:
        PgolfError: PG001 for what is missing, PG502 for a damaged shard, PG507 where the manifest counts training documents
            that are validation documents.
    """
    from pgolf.data.split import check_manifest

    if not paths.tokenizer_path.is_file():
        raise PgolfError("PG001", "there is no tokenizer", str(paths.tokenizer_path), "give --tokenizer MODEL")
    tokens = {pattern: check_files(paths, pattern) for pattern in ((VAL_GLOB, TRAIN_GLOB) if training else (VAL_GLOB,))}
    if training:
        check_manifest(paths.data_path)
    if side_files and check_files(paths, SIDE_GLOB, GET_SIDE_FILES) != tokens[VAL_GLOB]:
        text = f"{SIDE_GLOB} are not as long as {VAL_GLOB}, {tokens[VAL_GLOB]} tokens"
        raise PgolfError("PG502", text, str(paths.data_path), GET_SIDE_FILES)


def check_files(paths: DataPaths, pattern: str, hint: str = GET_DATA) -> int:
    """Entries of all files that match together, once their headers and lengths are right."""
    from pgolf.runtime.shards import shard_files, shard_length

    try:
        files = shard_files(paths.data_path / pattern)
    except ValueError:
        raise PgolfError("PG001", f"no {pattern}", str(paths.data_path), hint) from None
    entries = 0
    for path in files:
        try:
            entries += shard_length(path)
        except (OSError, ValueError) as error:
            raise PgolfError("PG502", str(error), str(path), "download or make the shard again") from None
    return entries
