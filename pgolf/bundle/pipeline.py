"""The list of stages from an entry module to the file that ships."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pgolf.bundle.link import link, reach
from pgolf.bundle.manager import shake, specialize
from pgolf.bundle.minify.minify import Minified, minify
from pgolf.bundle.pack.pack import compressed
from pgolf.bundle.pack.pack import pack as pack_source
from pgolf.bundle.rules.subset import check as check_subset
from pgolf.bundle.source import FindSource, Module, load
from pgolf.collector import paused_collector
from pgolf.errors import PgolfError, raise_all


@dataclass(frozen=True)
class Built:
    """What `build` made.

    Attributes:
        code: the file.
        sha256: its hash.
        pack: how it is written, such as "latin1+lzma".
        needs: packages that the file itself imports to unpack itself.
        stages: bytes after resolve, link, specialize, shake, minify and pack.
        minified: what the minified text was made of, for `modules`; None for a build that came from another process.
        module_names: the modules that the program needs, also those of which no text is left.
        dumps: stage file name -> content.
    """

    code: bytes
    sha256: str
    pack: str
    needs: tuple[str, ...]
    stages: dict[str, int]
    module_names: tuple[str, ...]
    dumps: dict[str, bytes]
    minified: Minified | None = field(default=None, compare=False, repr=False)

    @cached_property
    def modules(self) -> dict[str, int]:
        """Compressed bytes that each module adds to the program, by a fixed compressor; an estimate."""
        assert self.minified is not None
        with paused_collector():
            return weigh(self.minified.segments, self.module_names)

    def __getstate__(self) -> dict[str, Any]:
        """Without syntax trees, which are slow to send to another process."""
        return {**vars(self), "minified": None}


STAGES = ("resolve", "link", "specialize", "shake", "minify", "pack")
DUMPS = ("0_live.py", "1_linked.py", "2_specialized.py", "3_shaken.py", "4_minified.py", "5_packed.py")


@paused_collector()
def build(
    entry: str,
    find_source: FindSource,
    *,
    pack: str = "auto",
    allow_brotli: bool = False,
    known: Mapping[str, Module] | None = None,
    check: Callable[[list[Module]], list[PgolfError]] = check_subset,
    stop_after: int | None = None,
) -> Built:
    """Bundle an entry module and what it reaches into one file.

    Args:
        entry: the entry module's text.
        find_source: the file of an internal module, None for a module that stays outside.
        pack: "auto" for the smallest file, or one of "plain", "b85", "latin1", "mix".
        allow_brotli: whether the file may import brotli to unpack itself.
        known: see `load`.
        check: what finds what breaks the rules.
        stop_after: how many passes of specialize to run; all if None.

    Raises:
        PgolfError: PG2xx and PG3xx for a program that cannot be bundled, PG4xx for a defect of a stage.
    """
    modules = load(entry, find_source, known)
    reach(modules)
    raise_all(check(list(modules.values())))
    linked = link(modules)
    texts = [entry, linked.text]  # now, because the passes use up its trees
    specialized = specialize(linked, stop_after=stop_after, used_up=True)
    # All passes leave nothing to shake.
    shaken = shake(specialized) if stop_after is not None else specialized
    minified = minify(shaken)
    packed = pack_source(minified.text, pack, allow_brotli)
    texts += [specialized.text, shaken.text, minified.text]
    contents = [*map(str.encode, texts), packed.code]
    return Built(
        code=packed.code,
        sha256=hashlib.sha256(packed.code).hexdigest(),
        pack=packed.name,
        needs=packed.needs,
        stages={stage: len(content) for stage, content in zip(STAGES, contents, strict=True)},
        module_names=tuple(sorted({item.owner for item in linked.statements})),
        dumps=dict(zip(DUMPS, contents, strict=True)),
        minified=minified,
    )


def weigh(segments: tuple[tuple[str, str], ...], names: Sequence[str]) -> dict[str, int]:
    """Compressed bytes of the program less those of the program without each module."""
    without = ["".join(text for owner, text in segments if owner != name) for name in names]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # the compressor releases the interpreter's lock
        whole, *rest = pool.map(compressed, ["".join(text for _, text in segments), *without])
    return {name: whole - size for name, size in zip(names, rest, strict=True)}
