"""CaseOps: the transform against golden pairs and as a bijection on arbitrary text, byte shares against golden sums."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from micro import micro
from models import registry

from pgolf.bundle.pipeline import build
from pgolf.recipe import Recipe
from pgolf.resolve import resolve
from pgolf_plugins.data.caseops import CaseOps

VECTORS = Path(__file__).parents[2] / "vectors" / "pipeline"
PAIRS = json.loads((VECTORS / "K3_caseops_pairs.json").read_text(encoding="utf-8"))
SHARES = json.loads((VECTORS / "K3_K4_sidecar.json").read_text(encoding="utf-8"))["documents"]
TITLE, ALLCAPS, CAPNEXT, ESCAPE = "\ue001\ue002\ue003\ue004"
# Letters, markers and their neighbours often, everything else now and then; surrogates are no text.
CHARACTERS = st.sampled_from("aAbBzZ \n1'éÉß\u212a▁\ue000\ue001\ue002\ue003\ue004\ue005🙂")
TEXTS = st.text(CHARACTERS | st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(("raw", "transformed"), PAIRS["pairs"], ids=lambda text: ascii(text)[:30])
def test_golden_pairs_both_ways(raw, transformed):
    assert CaseOps().encode(raw) == transformed
    assert CaseOps().decode(transformed) == raw


@pytest.mark.parametrize("case", PAIRS["decode_cases"], ids=lambda case: ascii(case["text"]))
def test_golden_decoding_of_text_that_nothing_encodes_to(case):
    if case["ok"]:
        assert CaseOps().decode(case["text"]) == case["decoded"]
    else:
        with pytest.raises(ValueError, match=r"no CaseOps text from character \d+ on"):
            CaseOps().decode(case["text"])


@given(TEXTS)
def test_every_text_comes_back_and_its_bytes_add_up(text):
    transformed = CaseOps().encode(text)
    assert CaseOps().decode(transformed) == text
    counts = CaseOps().byte_counts(transformed)
    assert len(counts) == len(transformed)
    assert sum(counts) == len(text.encode())


@given(TEXTS)
def test_transformed_text_has_no_upper_case_and_one_spelling_for_a_word(text):
    assert not re.search("[A-Z]", CaseOps().encode(text))
    bare = re.sub(f"[{TITLE}-{ESCAPE}]", "", text)
    lower = re.sub("[A-Z]", lambda letter: letter[0].lower(), bare)
    assert re.sub(f"[{TITLE}-{ESCAPE}]", "", CaseOps().encode(bare)) == lower


class Automaton:
    """The decoder character by character, as a slower second opinion; `text` is None where a marker has no meaning."""

    def __init__(self, transformed):
        self.mode, self.caps, self.next, self.escaped, self.inside = "", False, False, False, False
        self.text = ""
        for character in transformed:
            if not self.take(character):
                self.text = None
                return
        if self.mode or self.next or self.escaped:
            self.text = None

    def take(self, character):
        waiting = self.mode or self.next
        if self.escaped:
            self.text += character
            self.escaped = self.inside = self.caps = False
        elif character == ESCAPE:
            self.escaped = True
            return not waiting
        elif character in (TITLE, ALLCAPS):
            legal = not waiting and not self.inside
            self.mode = character
            return legal
        elif character == CAPNEXT:
            legal = not self.next
            self.next = True
            return legal
        elif re.fullmatch("[A-Za-z]", character):
            self.caps = self.caps or self.mode == ALLCAPS
            self.text += character.upper() if self.mode or self.next or self.caps else character
            self.mode, self.next, self.inside = "", False, True
        else:
            self.text += character
            self.inside = self.caps = False
            return not waiting
        return True


@given(TEXTS, TEXTS, st.sampled_from(" \n1'\ue000🙂"))
def test_text_can_be_transformed_in_pieces_that_end_between_words(one, other, between):
    """No state goes over a character that is neither a letter nor a marker, so a stream needs no look-ahead beyond a word."""
    transform = CaseOps()
    parts = [transform.encode(one), between, transform.encode(other)]
    assert transform.encode(one + between + other) == "".join(parts)
    assert transform.decode("".join(parts)) == "".join(map(transform.decode, parts)) == one + between + other
    assert transform.byte_counts("".join(parts)) == [size for part in parts for size in transform.byte_counts(part)]


@given(st.text(CHARACTERS))
def test_decoding_is_that_of_the_automaton(text):
    wanted = Automaton(text).text
    if wanted is None:
        with pytest.raises(ValueError, match="no CaseOps text"):
            CaseOps().decode(text)
    else:
        assert CaseOps().decode(text) == wanted


@pytest.mark.parametrize("document", SHARES, ids=lambda document: ascii(document["doc"])[:30])
def test_golden_byte_shares_of_every_piece(document):
    text, covered, shares = CaseOps().encode(document["doc"]), "".join(document["surfaces"]), [0]
    at = text.index(covered)  # a tokenizer drops white space at the ends
    counts = CaseOps().byte_counts(text)
    for surface in document["surfaces"]:
        shares.append(sum(counts[at : at + len(surface)]))
        at += len(surface)
    assert shares == document["bytes"]


def test_only_the_counter_is_in_a_built_file():
    made = micro("caseops")
    linked = build(made.entry, made.find_source).module_names
    assert "pgolf.runtime.side_files" in linked
    assert not any("caseops" in module or "byte_count" in module for module in linked)


def test_a_build_expects_the_published_data_unless_told_otherwise():
    settings = resolve(Recipe("test", layers=(("caseops",),)), registry()).selection.settings
    assert settings.vocab_size == 8192
    assert settings.data_path.endswith("caseops_v1_reserved") and settings.tokenizer_path.endswith(".model")
    told = resolve(Recipe("test", layers=(("caseops",),), settings={"vocab_size": 1024}), registry()).selection.settings
    assert told.vocab_size == 1024
