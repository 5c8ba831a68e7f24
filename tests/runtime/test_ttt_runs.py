"""Whole runs with test-time training: the artifact scores the same again, alone or on two ranks, and the log says it all."""

import re
import shutil

import pytest
from micro import micro, run_program

from pgolf.score_ledger import read_score_ledger


def exact(run, start="final_int8_ttt_exact"):
    """val_loss of the line that begins so."""
    assert run.status == 0, run.output
    (line,) = [line for line in run.lines if line.startswith(start)]
    return float(re.search(r"val_loss:(\S+)", line)[1])


@pytest.mark.ci
def test_the_artifact_scores_alike_again_and_on_two_ranks(tmp_path, micro_data):
    path = tmp_path / "entry.py"
    path.write_text(micro("phased_ttt", "smear_gate_v3", ttt_lora_lr=0.001).entry)
    trained = run_program(path, tmp_path / "train", micro_data)
    for name in ("one", "two"):
        tmp_path.joinpath(name).mkdir()
        shutil.copy(trained.folder / "final_model.int8.ptz", tmp_path / name)
    one = run_program(path, tmp_path / "one", micro_data, "score")
    two = run_program(path, tmp_path / "two", micro_data, "score", ranks=2)
    assert exact(trained) == exact(one) != exact(one, "final_int8_zlib_roundtrip_exact")
    assert exact(two) == pytest.approx(exact(one), rel=1e-5)
    learned = set()
    for run in (trained, one, two):
        ledger = read_score_ledger(run.folder / "logs" / "run.scores.npz")
        assert ledger.problems() == []
        learned.add(ledger.learned())
        assert "eval: lora_ttt ran 2 shapes on rank 0" in run.lines
        assert len([line for line in run.lines if line.startswith("phased_ttt: ")]) == 2
        (took,) = [line for line in run.lines if line.startswith("eval: lora_ttt took")]
        seconds, ranks, share = re.findall(r"[\d.]+", took)[:3]
        assert int(ranks) == (2 if run is two else 1) and took.endswith("of 600 s on 8")
        assert float(share) == pytest.approx(float(seconds) * int(ranks) / 8, abs=0.1)
    assert len(learned) == 1 and learned.pop() > 1000
    (receipt,) = [line for line in trained.lines if line.startswith("receipt lora_ttt")]
    assert re.fullmatch(r"receipt lora_ttt: \d+ updates, 60 documents, 1888 targets", receipt)
