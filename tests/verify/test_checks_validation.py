"""Loss and bits per byte belong to one validation text."""

from folders import edit, log_text, make_folder, outcome
from toy_claims import LOG


def test_a_pair_with_another_byte_count(folder):
    edit(folder / LOG, "step:2/2 val_loss:2.5000 val_bpb:1.2500", "step:2/2 val_loss:2.5000 val_bpb:1.2501")
    assert outcome(folder, "val.identity").status == "PASS"  # within the rounding of four digits and other tails
    edit(folder / LOG, "val_bpb:1.2501", "val_bpb:1.2400")
    assert "bytes per token" in outcome(folder, "val.identity").message


def test_logs_with_different_byte_counts(tmp_path):
    folder = make_folder(tmp_path / "toy", seeds=(1, 2))
    code = (folder / "train_gpt.py").read_bytes()
    (folder / "logs/train_seed2.log").write_text(log_text(code, 2, bpb=1.24, loss=2.5))
    assert outcome(folder, "val.identity").status == "FAIL"
