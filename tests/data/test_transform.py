"""Documents through a transform: what it must keep, byte side files, and the two splits that may not meet."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from models import registry
from sentencepiece import SentencePieceProcessor
from transforms import TEXTS, train_marked, write_corpus, write_plugin

from pgolf.cli.data import data
from pgolf.data import tokenize as tokenize_module
from pgolf.data.documents import Batch
from pgolf.data.encoder import Encoder, Plan
from pgolf.data.manifest import damaged_files, read_manifest
from pgolf.data.text import open_tokenizer
from pgolf.data.tokenize import Options, tokenize
from pgolf.data.transform import Refusal, Transform, apply, difference
from pgolf.errors import PgolfError
from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import resolve
from pgolf.runtime.shards import load_shard
from pgolf.transforms import find_transform
from pgolf_plugins.data.caseops import CaseOps

TOKENIZERS = Path(__file__).parents[3] / "shared" / "data" / "tokenizers"
REFERENCE = TOKENIZERS / "fineweb_8192_bpe_lossless_caps_caseops_v1_reserved.model"
SHARES = Path(__file__).parents[1] / "vectors" / "pipeline" / "K3_K4_sidecar.json"


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    return train_marked(tmp_path_factory.mktemp("marked"))


@pytest.fixture(scope="module")
def caseops():
    return find_transform("caseops", {}, registry())


def command(*arguments):
    return CliRunner().invoke(data, ["tokenize", *map(str, arguments)], catch_exceptions=False)


def stream(folder, pattern):
    return np.concatenate([load_shard(path, 65536) for path in sorted(folder.glob(pattern))])


@pytest.mark.ci
@pytest.mark.parametrize("workers", [1, 2])
def test_side_files_are_parallel_to_the_validation_shards(workers, marked, caseops, tmp_path):
    path, folder = write_corpus(tmp_path / "docs.jsonl", TEXTS), tmp_path / "out"
    options = Options(val_documents=30, shard_tokens=500, workers=workers, transform=caseops)
    manifest = tokenize([path], marked, folder, options)
    names = {pattern: [path.name for path in sorted(folder.glob(pattern))] for pattern in ("*val_0*", "*val_bytes_0*")}
    assert len(names["*val_0*"]) > 2
    assert names["*val_bytes_0*"] == [name.replace("val", "val_bytes") for name in names["*val_0*"]]
    ids, sizes = stream(folder, "fineweb_val_0*"), stream(folder, "fineweb_val_bytes_0*")
    starts = np.flatnonzero(ids == 1)
    assert len(starts) == 30 and len(ids) == len(sizes) and not sizes[starts].any()
    assert np.add.reduceat(sizes.astype(int), starts).tolist() == [len(text.encode()) for text in TEXTS[:30]]
    tokenizer = SentencePieceProcessor(model_file=str(marked))
    assert ids.tolist() == [token for text in TEXTS[:30] for token in (1, *tokenizer.encode(CaseOps().encode(text)))]
    assert manifest["val"]["bytes"] == sum(len(text.encode()) for text in TEXTS[:30])
    assert not list(folder.glob("fineweb_train_bytes*"))
    assert damaged_files(folder, read_manifest(folder)) == []
    assert set(names["*val_bytes_0*"]) <= set(manifest["files"])


@pytest.mark.ci
def test_the_manifest_says_which_transform_it_was(marked, tmp_path):
    path = write_corpus(tmp_path / "docs.jsonl", TEXTS[:20])
    result = command(path, "--transform", "caseops", "--tokenizer", marked, "-o", tmp_path / "out", "--json")
    found = json.loads(result.stdout)
    assert found["transform"].keys() == {"name", "version", "origin", "sha256", "component"}
    assert found["transform"]["name"] == "caseops" and len(found["transform"]["sha256"]) == 64
    plain = command(path, "--tokenizer", marked, "-o", tmp_path / "plain", "--allow-lossy", "--json")
    assert json.loads(plain.stdout)["transform"] is None
    assert not list((tmp_path / "plain").glob("*bytes*"))


def test_a_transform_of_ones_own_with_a_setting_and_two_processes(sample, tmp_path):
    plugins = write_plugin(tmp_path / "plugins", "shifted")
    path = write_corpus(tmp_path / "docs.jsonl", ["abc Kyrill Кирилл", "two words", "three"])
    arguments = (path, "--tokenizer", sample.tokenizer_path, "--workers", 2, "--val-docs", 1, "--plugin-dir", plugins)
    out = tmp_path / "out"
    assert command(*arguments, "--transform", "shifted", "--set", "shifted_shift=2", "-o", out).exit_code == 0
    sizes = stream(out, "fineweb_val_bytes_0*")
    assert sizes.sum() == len("abc Kyrill Кирилл".encode())
    tokenizer = SentencePieceProcessor(model_file=str(sample.tokenizer_path))
    ids = stream(out, "fineweb_val_0*").tolist()
    assert ids[1:] == tokenizer.encode("".join(chr(ord(character) + 2) for character in "abc Kyrill Кирилл"))
    assert read_manifest(out)["transform"]["component"] == "Shift(shift=2)"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("ord(character) - self.shift", "ord(character)"),
            "does not give the document back: from character 0 on it is '\\\\u0268",
        ),
        (
            ("self.decode(text)]", "text]"),
            "gives 12 byte counts, the least 0, together 24; wanted one for each of 12 characters, none below 0, together 13",
        ),
        (("self.decode(text)]", "text[1:]]"), "gives 11 byte counts"),
        (("self.decode(text)]", "self.decode(text)][:-2] + [4, -1]"), "the least -1, together 13; wanted"),
        (("ord(character) + self.shift", "character"), "fails on the document: TypeError"),
        (("chr(ord(character) + self.shift)", "chr(0xD800)"), "fails on the document: UnicodeEncodeError"),
        (("def decode(self, text):", "def decode(self, text):\n        raise ValueError('no')"), "ValueError: no"),
        (("return [len(character.encode()) for", "return ['x' for"), "fails on the document: ValueError"),
    ],
    ids=["not back", "sum", "count", "negative", "raises", "surrogate", "decode", "no numbers"],
)
def test_a_broken_promise_names_the_document_and_publishes_nothing(change, message, sample, tmp_path, request):
    name = f"broken_{request.node.callspec.indices['change']}"
    plugins = write_plugin(tmp_path / "plugins", name, change)
    transform = find_transform(name, {f"{name}_shift": 500}, load_registry([plugins]))
    path = write_corpus(tmp_path / "docs.jsonl", ["tricky text\u00e9"])
    options = Options(workers=1, val_documents=0, transform=transform)
    with pytest.raises(PgolfError, match=message) as caught:
        tokenize([path], sample.tokenizer_path, tmp_path / "out", options)
    assert caught.value.code == "PG506" and caught.value.where == f"{path}:1"
    assert caught.value.message.startswith(name)
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize(
    ("arguments", "code", "message", "hint"),
    [
        (("--transform", "caseop"), "PG102", "there is no plugin 'caseop'", "did you mean caseops"),
        (("--transform", "adam"), "PG004", "adam has no text transform", "caseops"),
        (("--transform", "caseops", "--set", "shift=3"), "PG003", "no setting 'shift'", ""),
        (("--set", "shift=3"), "PG004", "--set without --transform", "give --transform"),
        (
            ("--transform", "caseops"),
            "PG503",
            r"no piece U\+E001, which caseops needs",
            "pgolf data tokenizer --transform caseops",
        ),
    ],
)
def test_transforms_that_cannot_be_used(arguments, code, message, hint, sample, tmp_path):
    path = write_corpus(tmp_path / "docs.jsonl", TEXTS[:3])
    with pytest.raises(PgolfError, match=message) as caught:
        command(path, "--tokenizer", sample.tokenizer_path, "-o", tmp_path / "out", *arguments)
    assert caught.value.code == code and hint in caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("def decode", "def undo"), "has no method decode"),
        (("symbols = ()", "symbols = (1,)"), r"has the symbols \(1,\)"),
        (("self.shift = shift", "self.shift = lambda: shift"), "cannot be used: "),
        (("Component(Shift, shift=settings.NAME_shift)", "None"), "has no text transform with these settings"),
        (("Component(Shift, shift=settings.NAME_shift)", "Shift(1)"), "returned"),
    ],
)
def test_hooks_that_give_no_transform(change, message, tmp_path, request):
    name = f"odd_{request.node.callspec.indices['change']}"
    plugins = write_plugin(tmp_path / "plugins", name, change)
    with pytest.raises(PgolfError, match=message) as caught:
        find_transform(name, {}, load_registry([plugins]))
    assert caught.value.code in ("PG108", "PG105", "PG004")


def encoded(text, model, transform, **options):
    tables = open_tokenizer(str(model))[1]
    plan = Plan(str(model), tables, "text", False, transform)._replace(**options)
    return Encoder(plan)(Batch("docs", 7, [json.dumps({"text": text}).encode()], 0))


@pytest.mark.parametrize("text", [" leading", "trailing ", "\nline\n", "\u2581literal", "both \n"])
def test_what_the_tokenizer_drops_is_a_misfit(text, marked, caseops):
    found = encoded(text, marked, caseops)
    assert [(misfit.line, misfit.actual) for misfit in found.misfits] == [(7, len(text.encode()))]
    assert found.misfits[0].counted < len(text.encode())
    assert encoded(text, marked, caseops, normalize=True).misfits == []


def test_white_space_inside_is_counted_as_it_was(marked, caseops):
    found = encoded("Two  spaces\n\n\nand   MORE", marked, caseops)
    assert not found.misfits
    assert found.sizes.sum() == len("Two  spaces\n\n\nand   MORE")


def test_more_bytes_than_a_side_file_holds_are_refused(marked, caseops):
    found = encoded("A" + " " * 70_000 + "b", marked, caseops)
    assert [(problem.line, problem.code) for problem in found.problems] == [(7, "PG503")]
    assert "one token stands for 70" in found.problems[0].message


def test_unknown_tokens_stand_for_nothing(caseops, tmp_path):
    from sentencepiece import SentencePieceTrainer

    SentencePieceTrainer.train(
        sentence_iterator=iter(["some words of text"] * 30),
        model_prefix=str(tmp_path / "few"),
        vocab_size=30,
        model_type="bpe",
        add_dummy_prefix=False,
        user_defined_symbols=list(CaseOps.symbols),
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    found = encoded("some 字 words", tmp_path / "few.model", caseops)
    assert [(misfit.counted, misfit.actual) for misfit in found.misfits] == [(11, 14)]


@pytest.mark.skipif(not REFERENCE.exists(), reason="the published tokenizer is not at hand")
def test_golden_tokens_and_bytes_of_every_document(caseops):
    encoder = Encoder(Plan(str(REFERENCE), open_tokenizer(str(REFERENCE))[1], "text", False, caseops))
    for document in json.loads(SHARES.read_text(encoding="utf-8"))["documents"]:
        ids, sizes, counted = encoder.encode(document["doc"])
        assert ids.tolist() == document["ids"]
        assert sizes.tolist() == document["bytes"] and counted == sum(document["bytes"])


def test_train_text_that_is_validation_text_is_a_warning(sample, tmp_path, capsys):
    texts = ["one text", "another", "a third", "one text", "a fourth", "another", "another"]
    path = write_corpus(tmp_path / "docs.jsonl", texts)
    manifest = tokenize([path], sample.tokenizer_path, tmp_path / "out", Options(val_documents=2, workers=1))
    assert manifest["train_in_val"] == {"documents": 3, "first": f"{path}:4"}
    assert f"warning: {path}:4 is a train document" in capsys.readouterr().err
    clean = tokenize([path], sample.tokenizer_path, tmp_path / "b", Options(val_documents=6, workers=1))
    assert clean["train_in_val"]["documents"] == 1


@pytest.mark.parametrize(
    ("name", "documents", "asked", "warned"),
    [
        ("docs", 30, 3, True),
        ("docs", 30, 10, False),
        ("docs", 30, 0, True),
        ("docs", 30, None, True),
        ("docs", 9, 3, False),
        ("docs_selected", 9, 3, True),
        ("docs_selected", 30, 10, False),
    ],
)
def test_train_text_that_the_contest_scores_is_a_warning(
    name, documents, asked, warned, sample, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(tokenize_module, "VAL_DOCUMENTS", 10)
    path = write_corpus(tmp_path / f"{name}.jsonl", TEXTS[:documents])
    options = Options(val_documents=asked, workers=1, normalize=True)
    manifest = tokenize([path], sample.tokenizer_path, tmp_path / "out", options)
    wanted = f"documents {manifest['val']['documents'] + 1} to 10 are train text here: give --val-docs 10"
    assert (wanted in capsys.readouterr().err) == warned


@pytest.mark.parametrize(
    ("seen", "wanted", "said"),
    [
        ("abX", "abY", "from character 2 on it is 'X', wanted 'Y'"),
        ("ab", "abc", "from character 2 on it is '', wanted 'c'"),
    ],
)
def test_the_first_difference_is_shown(seen, wanted, said):
    assert difference(seen, wanted) == said


class Wrong(CaseOps):
    def decode(self, text):
        return super().decode(text).replace("\r", "")


def test_a_round_trip_that_fails_for_one_character_is_found():
    transform = Transform(Wrong(), {"name": "wrong"})
    assert apply(transform, "fine")[0] == "fine"
    with pytest.raises(Refusal, match="from character 4 on it is 'line', wanted"):
        apply(transform, "two \rline")


@pytest.mark.ci
def test_the_example_of_the_page_works(sample, tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "writing-a-plugin.md").read_text(encoding="utf-8")
    (example,) = [block for block in re.findall(r"```python\n(.*?)```", page, re.S) if "text_transform" in block]
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "upside_down.py").write_text(example)
    path = write_corpus(tmp_path / "docs.jsonl", ["one", "two"])
    arguments = ("--tokenizer", sample.tokenizer_path, "--plugin-dir", tmp_path / "plugins", "--val-docs", 1)
    assert command(path, "--transform", "upside_down", *arguments, "-o", tmp_path / "out").exit_code == 0
    tokenizer = SentencePieceProcessor(model_file=str(sample.tokenizer_path))
    assert tokenizer.decode(stream(tmp_path / "out", "fineweb_val_0*").tolist()) == "eno"
    made = resolve(Recipe("test", layers=(("upside_down",),)), load_registry([tmp_path / "plugins"]))
    assert "SideFileBytes(plugin='upside_down')" in made.entry


AWKWARD = st.sampled_from("aAbBH\u0331\u0301 \n\t\u00a0\u200b\u2581\ue001\ue004\ufb01\ufdfa字🙂")


@given(st.text(AWKWARD | st.characters(exclude_categories=["Cs"])))
def test_normalized_text_adds_up_whatever_it_was(marked, caseops, text):
    encoder = Encoder(Plan(str(marked), open_tokenizer(str(marked))[1], "text", True, caseops))
    normal = encoder.normalizer(text)
    ids, sizes, counted = encoder.encode(normal)
    assert counted == sizes.sum() == len(normal.encode())
    assert sizes[0] == 0 and len(ids) == len(sizes)
