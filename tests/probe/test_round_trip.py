"""A tokenizer that changes text is told; one that does not load is not judged."""

import subprocess
import sys

import sentencepiece

from pgolf.probe.round_trip import TEXTS, round_trip_verdict


def here(arguments, work, seconds, readonly):
    subprocess.run([sys.executable, *arguments], cwd=work, capture_output=True, check=False)
    return ""


def trained(folder, **options):
    path = folder / "text.txt"
    path.write_text("\n".join([*TEXTS, "some more words to learn from"] * 20))
    sentencepiece.SentencePieceTrainer.train(
        input=str(path), model_prefix=str(folder / "m"), vocab_size=330, byte_fallback=True, minloglevel=2,
        hard_vocab_limit=False, **options,
    )  # fmt: skip
    return (folder / "m.model").read_bytes()


def test_tokenizers(tmp_path):
    lossy = trained(tmp_path)
    found = round_trip_verdict({"a.model": lossy}, tmp_path / "a", here)
    assert found.status == "WARN" and "a.model gives" in found.message
    exact = trained(tmp_path, normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=True)
    found = round_trip_verdict({"b.model": exact}, tmp_path / "b", here)
    assert found.status in ("PASS", "WARN") and found.rule == "rule.lossless"
    assert round_trip_verdict({"c.model": b"nothing"}, tmp_path / "c", here).status == "SKIP"
    assert round_trip_verdict({}, tmp_path / "d", here).status == "SKIP"
