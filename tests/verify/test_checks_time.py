"""Training and evaluation within their limits."""

import pytest
from folders import log_text, outcome
from toy_claims import LOG


@pytest.mark.parametrize(("milliseconds", "status"), [(600_400, "PASS"), (600_600, "FAIL")])
def test_training_within_the_limit(folder, milliseconds, status):
    code = (folder / "train_gpt.py").read_bytes()
    text = log_text(code, wallclock="600.000")
    (folder / LOG).write_text(text + f"stopping_early: wallclock_cap train_time:{milliseconds}ms step:2/9\n")
    assert outcome(folder, "time.train").status == status
    assert outcome(folder, "time.eval").status == "PASS"


def test_evaluation_within_the_limit(folder):
    code = (folder / "train_gpt.py").read_bytes()
    (folder / LOG).write_text(log_text(code, wallclock="600.000").replace("eval_time:12ms", "eval_time:601000ms"))
    assert outcome(folder, "time.eval").status == "FAIL"


@pytest.mark.parametrize(("end", "status"), [(711_000, "FAIL"), (701_000, "PASS")])
def test_what_is_made_of_the_validation_stream_before_scoring_counts(folder, end, status):
    code = (folder / "train_gpt.py").read_bytes()
    text = log_text(code, wallclock="600.000").replace("eval_time:12ms", "eval_time:598000ms")
    (folder / LOG).write_text(f"{text}\nstage:fields begin:700000ms end:{end}ms data:val\n")
    assert outcome(folder, "time.eval").status == status
