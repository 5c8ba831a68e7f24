"""What submission.json claims against what the logs say."""

from folders import log_text, make_folder, outcome
from toy_claims import rewrite


def test_the_headline_is_the_mean_and_not_the_best(tmp_path):
    folder = make_folder(tmp_path / "toy", seeds=(1, 2))
    code = (folder / "train_gpt.py").read_bytes()
    (folder / "logs/train_seed2.log").write_text(log_text(code, 2, bpb=1.35, loss=2.7))
    assert outcome(folder, "claim.logged").status == "PASS"
    assert outcome(folder, "claim.mean").status == "WARN"
    assert outcome(folder, "lock.claim").status == "FAIL"
    rewrite(folder, val_bpb=1.3)
    assert outcome(folder, "claim.mean").status == "PASS"
    rewrite(folder, val_bpb_std=0.0707)
    assert outcome(folder, "claim.std").status == "PASS"
    rewrite(folder, val_bpb_std=0.05)  # the population's
    assert outcome(folder, "claim.std").status == "WARN"


def test_val_loss_is_that_of_the_logs(folder):
    rewrite(folder, val_loss=1.25)
    assert "holds the val_bpb" in outcome(folder, "claim.loss").message
    assert outcome(folder, "lock.claim").status == "FAIL"
