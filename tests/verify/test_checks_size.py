"""Bytes: claimed, logged, shipped, and the cap."""

from folders import log_text, outcome
from toy_claims import LOG, rewrite


def test_bytes_total_is_exact(folder):
    code = (folder / "train_gpt.py").read_bytes()
    rewrite(folder, bytes_total=1000 + len(code) + 1)
    assert outcome(folder, "size.claim").status == "WARN"
    assert outcome(folder, "lock.claim").status == "FAIL"


def test_the_cap_counts_the_shipped_file(folder):
    code = (folder / "train_gpt.py").read_bytes()
    at_cap = 16_000_000 - len(code)
    (folder / LOG).write_text(log_text(code, model_bytes=at_cap))
    (folder / "artifacts/seed1337/final_model.int8.ptz").write_bytes(bytes(at_cap))
    assert "(0 left)" in outcome(folder, "size.shipped").message
    (folder / "artifacts/seed1337/final_model.int8.ptz").write_bytes(bytes(at_cap + 1))
    assert "(1 over)" in outcome(folder, "size.shipped").message
    assert outcome(folder, "size.logged").status == "PASS"
    assert outcome(folder, "size.artifact").status == "FAIL"


def test_a_logged_total_over_the_cap(folder):
    code = (folder / "train_gpt.py").read_bytes()
    (folder / LOG).write_text(log_text(code, model_bytes=16_000_001 - len(code)))
    assert "(1 over)" in outcome(folder, "size.logged").message


def test_a_truncated_artifact(folder):
    (folder / "artifacts/seed1337/final_model.int8.ptz").write_bytes(bytes(999))
    assert "999" in outcome(folder, "size.artifact").message


def test_an_artifact_without_a_log(folder):
    (folder / "artifacts/seed7").mkdir()
    (folder / "artifacts/seed7/final_model.int8.ptz").write_bytes(b"x")
    assert outcome(folder, "size.artifact").status == "FAIL"
    assert outcome(folder, "size.shipped").status == "PASS"


def test_artifacts_that_were_set_aside_do_not_count(folder):
    (folder / "artifacts/seed1337").rename(folder / "artifacts/seed1337.previous")
    assert outcome(folder, "size.artifact").status == "SKIP"
