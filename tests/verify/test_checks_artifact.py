"""An artifact is the one whose hash its log has."""

import pytest
from folders import edit, outcome
from trained_folders import trained


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        (lambda folder: None, "PASS", "1 artifacts have"),
        (
            lambda folder: (folder / "artifacts/seed1337/final_model.int8.ptz").write_bytes(b"mode1"),
            "FAIL",
            "the log says",
        ),
        (
            lambda folder: edit(folder / "logs/train_seed1337.log", "artifact_sha256", "another_word"),
            "SKIP",
            "do not say",
        ),
        (lambda folder: (folder / "artifacts/seed1337/final_model.int8.ptz").unlink(), "SKIP", "needs artifacts"),
    ],
)
def test_the_artifact_is_the_one_that_the_log_is_of(change, status, said, tmp_path, data):
    folder = trained(tmp_path / "toy", data)
    change(folder)
    found = outcome(folder, "log.artifact")
    assert found.status == status and said in found.message
