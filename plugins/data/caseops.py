"""CaseOps: case is written with four markers, so that a word has one spelling; bytes are counted from side files.

    run of letters A-Z a-z    all upper, two or more: ALLCAPS + lower        NASA   -> ALLCAPS nasa
                              first upper:            TITLE + lower          Title  -> TITLE title
                              any later upper letter: CAPNEXT + lower        iPhone -> i CAPNEXT phone
    a marker in the text      ESCAPE + itself

Everything else stays, other alphabets too. Every text of Unicode comes back as it was. The tokenizer is trained on
transformed text with the markers as symbols of their own. Markers and ESCAPE stand for no bytes, every other character
for its own; `pgolf data tokenize --transform caseops` writes the sum for each validation token beside the shards.

Source: openai/parameter-golf#1729; side files: the record of 2026-04-27, SP8192 LQER SparseGate BOSSmearFix.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.side_files import SideFileBytes

if TYPE_CHECKING:
    from pgolf.settings import SettingsView

NAME = "fineweb10B_sp8192_lossless_caps_caseops_v1_reserved"
PLUGIN = Plugin(
    name="caseops",
    summary="Text with case written as markers, and bytes of every target from side files beside the shards.",
    source="openai/parameter-golf#1729",
    family="data",
    effect="-0.0035 BPB",
    settings=(
        Setting("data_path", f"./data/datasets/{NAME}", "folder of shards and side files (DATA_PATH)"),
        Setting(
            "tokenizer_path",
            "./data/tokenizers/fineweb_8192_bpe_lossless_caps_caseops_v1_reserved.model",
            "SentencePiece model with the markers (TOKENIZER_PATH)",
        ),
        Setting("vocab_size", 8192, "rows of the embedding", minimum=1),
    ),
)

TITLE = "\ue001"
ALLCAPS = "\ue002"
CAPNEXT = "\ue003"
ESCAPE = "\ue004"
MARKERS = (TITLE, ALLCAPS, CAPNEXT, ESCAPE)
CHANGED = f"[A-Za-z]+|[{TITLE}-{ESCAPE}]"
# One step of decoding: an escaped character, a word that no other marked word touches, or text without case.
UNIT = (
    f"(?s){ESCAPE}(.)|([{TITLE}{ALLCAPS}]?)((?:{CAPNEXT}?[A-Za-z])+)(?![{TITLE}{ALLCAPS}])|[^A-Za-z{TITLE}-{ESCAPE}]+"
)


class CaseOps:
    """The transform."""

    symbols = MARKERS

    def encode(self, text: str) -> str:
        """Upper-case letters A-Z as markers and lower case."""
        return re.sub(CHANGED, mark, text)

    def decode(self, text: str) -> str:
        """The original; ValueError where a marker stands at a place that has no meaning."""
        parts, end = [], 0
        for match in re.finditer(UNIT, text):
            if match.start() > end:
                break
            parts.append(restore(match))
            end = match.end()
        if end < len(text):
            raise ValueError(f"no CaseOps text from character {end} on: {text[end : end + 12]!a}")
        return "".join(parts)

    def byte_counts(self, text: str) -> list[int]:
        """UTF-8 length of each character, 0 for markers that are not escaped."""
        counts = [len(character.encode()) for character in text]
        for match in re.finditer(f"(?s)[{TITLE}-{CAPNEXT}]|{ESCAPE}.", text):
            counts[match.start()] = 0
        return counts


def mark(match: re.Match[str]) -> str:
    """One run of letters, or one literal marker."""
    run = match[0]
    if run in MARKERS:
        return ESCAPE + run
    if len(run) > 1 and run.isupper():
        return ALLCAPS + run.lower()
    first = TITLE + run[0].lower() if run[0].isupper() else run[0]
    return first + re.sub("[A-Z]", lambda letter: CAPNEXT + letter[0].lower(), run[1:])


def restore(match: re.Match[str]) -> str:
    """The text of one unit."""
    escaped, mode, word = match.groups()
    if not word:
        return escaped or match[0]
    word = re.sub(f"{CAPNEXT}(.)", lambda letter: letter[1].upper(), word)
    if mode == ALLCAPS:
        return word.upper()
    return word[0].upper() + word[1:] if mode else word


@hookimpl
def text_transform(settings: SettingsView) -> Component:
    """For `pgolf data tokenize --transform caseops`."""
    return Component(CaseOps)


@hookimpl
def byte_counter(settings: SettingsView) -> Component:
    """Reads what was counted when the data were made."""
    return Component(SideFileBytes, plugin="caseops")
