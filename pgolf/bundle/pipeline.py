"""The list of stages from an entry module to the file that ships."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pgolf.bundle.link import link, reach
from pgolf.bundle.minify import Minified, minify
from pgolf.bundle.pack import compressed
from pgolf.bundle.pack import pack as pack_source
from pgolf.bundle.shake import shake
from pgolf.bundle.source import FindSource, load
from pgolf.bundle.specialize import specialize
from pgolf.bundle.subset import check as check_subset
from pgolf.errors import raise_all


@dataclass(frozen=True)
class Built:
    """What `build` made.

    Attributes:
        code: the file.
        sha256: its hash.
        pack: how it is written, such as "latin1+lzma".
        needs: packages that the file itself imports to unpack itself.
        stages: bytes after resolve, link, specialize, shake, minify and pack.
        modules: compressed bytes that each module adds to the program, by a fixed compressor; an estimate.
        dumps: stage file name -> content.
    """

    code: bytes
    sha256: str
    pack: str
    needs: tuple[str, ...]
    stages: dict[str, int]
    modules: dict[str, int]
    dumps: dict[str, bytes]


STAGES = ("resolve", "link", "specialize", "shake", "minify", "pack")
DUMPS = ("0_live.py", "1_linked.py", "2_specialized.py", "3_shaken.py", "4_minified.py", "5_packed.py")


def build(entry: str, find_source: FindSource, *, pack: str = "auto", allow_brotli: bool = False) -> Built:
    """Bundle an entry module and what it reaches into one file.

    Args:
        entry: the entry module's text.
        find_source: the file of an internal module, None for a module that stays outside.
        pack: "auto" for the smallest file, or one of "plain", "b85", "latin1".
        allow_brotli: whether the file may import brotli to unpack itself.

    Raises:
        PgolfError: PG2xx and PG3xx for a program that cannot be bundled, PG4xx for a defect of a stage.
    """
    modules = load(entry, find_source)
    reach(modules)
    raise_all(check_subset(list(modules.values())))
    linked = link(modules)
    specialized = specialize(linked)
    shaken = shake(specialized)
    minified = minify(shaken)
    packed = pack_source(minified.text, pack, allow_brotli)
    texts = [entry, linked.text, specialized.text, shaken.text, minified.text]
    contents = [*(text.encode() for text in texts), packed.code]
    return Built(
        code=packed.code,
        sha256=hashlib.sha256(packed.code).hexdigest(),
        pack=packed.name,
        needs=packed.needs,
        stages={stage: len(content) for stage, content in zip(STAGES, contents, strict=True)},
        modules=weigh(minified),
        dumps=dict(zip(DUMPS, contents, strict=True)),
    )


def weigh(minified: Minified) -> dict[str, int]:
    """Compressed bytes of the program less those of the program without each module."""
    whole = compressed(minified.text)
    names = sorted({name for name, _ in minified.segments})
    return {
        name: whole - compressed("".join(text for owner, text in minified.segments if owner != name)) for name in names
    }
