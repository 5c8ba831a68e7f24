"""Rules are data: one file of the package, and files of the user."""

import pytest
from foreign import foreign_folder

from pgolf.challenge import CHALLENGES, KEYS, RULES_FOLDER, find_challenge, load_challenge
from pgolf.errors import PgolfError
from pgolf.verify.report import verify_folder

TEXT = (RULES_FOLDER / "2026-04.toml").read_text()


def rules(tmp_path, old="", new=""):
    """The file with one change."""
    assert old in TEXT
    path = tmp_path / "rules.toml"
    path.write_text(TEXT.replace(old, new, 1))
    return path


def test_the_rules_of_april():
    found = find_challenge("2026-04")
    assert (found.artifact_cap, found.train_seconds, found.val_bytes) == (16_000_000, 600.0, 151_078_000)
    for row in found.tokenizers:
        if row.name != "sp1024 of the first export":
            assert row.bytes_per_token * row.val_tokens == pytest.approx(found.val_bytes, rel=1e-4)
    assert {name: rule.name for name, rule in CHALLENGES.items()} == {name: name for name in CHALLENGES}
    with pytest.raises(PgolfError, match="unknown"):
        find_challenge("1999-01")


def test_another_edition_judges_otherwise(tmp_path):
    folder = foreign_folder(tmp_path)
    small = load_challenge(rules(tmp_path, "cap = 16_000_000", "cap = 15_000_000"))
    status = {record["id"]: record["status"] for record in verify_folder(folder, dict, rules=small)["checks"]}
    assert status["size.logged"] == "FAIL"
    status = {record["id"]: record["status"] for record in verify_folder(folder, dict)["checks"]}
    assert status["size.logged"] == "PASS"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("cap = 16_000_000", "", "no .size. cap"),
        ("cap = 16_000_000", 'cap = "16 MB"', "wanted int"),
        ("cap = 16_000_000", "cap = true", "wanted int"),
        ("train_seconds = 600.0", "train_seconds = -1", "wanted float"),
        ('required = ["README.md", ', "required = [3, ", "wanted tuple"),
        ("val_tokens = 62_021_632", "", "tokenizer or citations"),
        ("[citations]", "[[citations]]", "tokenizer or citations"),
        ("[size]", "[size", "not valid TOML"),
    ],
)
def test_rules_that_cannot_be_used(tmp_path, old, new, text):
    with pytest.raises(PgolfError, match=text) as caught:
        load_challenge(rules(tmp_path, old, new))
    assert caught.value.code == "PG002"


def test_files_that_are_none(tmp_path):
    with pytest.raises(PgolfError, match="cannot be read"):
        load_challenge(tmp_path / "none.toml")
    (tmp_path / "big.toml").write_bytes(b"#" * 2**21)
    with pytest.raises(PgolfError, match="larger"):
        load_challenge(tmp_path / "big.toml")


def test_every_key_of_the_file_is_read():
    assert {key for _, key, _ in KEYS.values()} >= {"cap", "train_seconds", "margin_nats", "p_written", "p_practised"}
