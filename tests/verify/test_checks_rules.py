"""Training data after the training time, by the stages of a log; and what no text decides stays a question."""

import pytest
from folders import log_text, outcome
from toy_claims import LOG

from pgolf.verify.checks_rules import OPEN

TRAINED = "stage:train begin:0ms end:{end}ms data:train\n"
QUANTIZED = "stage:quantize begin:{end}ms end:{later}ms data:{data}\n"


def judge(folder, stages, wallclock="600.000"):
    text = log_text((folder / "train_gpt.py").read_bytes(), wallclock=wallclock)
    (folder / LOG).write_text(text + stages)
    return outcome(folder, "rule.calibtrain")


@pytest.mark.parametrize(
    ("end", "data", "status"),
    [(590_000, "none", "PASS"), (590_000, "train", "PASS"), (590_000, "val", "PASS"), (700_000, "none", "FAIL")],
)
def test_what_reads_training_data_must_end_in_time(folder, end, data, status):
    stages = TRAINED.format(end=end) + QUANTIZED.format(end=end, later=end + 9000, data=data)
    assert judge(folder, stages).status == status


def test_reading_training_data_again_after_something_else_is_too_late(folder):
    again = "stage:again begin:20ms end:30ms data:train\n"
    stages = TRAINED.format(end=10) + QUANTIZED.format(end=10, later=20, data="none")
    assert judge(folder, stages).status == "PASS"
    found = judge(folder, stages + again)
    assert found.status == "FAIL" and "again reads training data" in found.message


def test_a_log_without_stages_decides_nothing(folder):
    found = judge(folder, "")
    assert (
        found.status == "SKIP" and "no stages in" in found.message and "take the training shards away" in found.message
    )
    assert judge(folder, TRAINED.format(end=10)).status == "SKIP", "without the quantization it may have read later"


@pytest.mark.parametrize("rule", OPEN)
def test_open_questions_say_what_to_try(folder, rule):
    found = outcome(folder, rule)
    assert found.status == "SKIP" and OPEN[rule][4] in found.message
