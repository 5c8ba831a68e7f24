"""`pgolf logs`."""

import json

import pytest
from commands import pgolf
from foreign import baseline_log, compact_log, table_log


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    for name, text in {"a.log": baseline_log(1), "b.txt": table_log(2), "c.log": compact_log(3)}.items():
        (folder / name).write_text(text)
    return folder


def test_a_table_of_runs(logs):
    text = pgolf("logs", *sorted(logs.iterdir())).stdout
    for part in ("a.log", "b.txt", "c.log", "1.15650000", "quantized_ttt_phased", "15,993,853"):
        assert part in text or part.rstrip("0") in text
    assert str(logs) not in text


def test_a_folder_stands_for_its_logs_and_json_has_everything(logs):
    document = json.loads(pgolf("logs", logs, "--json").stdout)
    assert [row["seed"] for row in document.values()] == [1, 2, 3]
    assert document[str(logs / "a.log")]["record"]["train"][0][:2] == [1, 20000]


def test_text_that_is_no_log(logs, tmp_path):
    (logs / "d.txt").write_text("words\n")
    assert "d.txt is not the log of a run" in pgolf("logs", logs).stderr
    assert "PG001" in pgolf("logs", logs / "d.txt", status=2).stderr
    (logs / "e.log.gz").write_bytes(b"\x1f\x8b\x08\x00")
    assert "gzip" in pgolf("logs", logs / "e.log.gz", status=2).stderr
    pgolf("logs", tmp_path / "nowhere", status=2)


def test_plots(logs, tmp_path, monkeypatch):
    done = pgolf("logs", logs, "--plot", tmp_path / "out.html")
    assert "wrote" in done.stderr and "<svg" in (tmp_path / "out.html").read_text()
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    assert "pgolf[plot]" in pgolf("logs", logs, "--plot", tmp_path / "out.png", status=2).stderr
    assert "PG004" in pgolf("logs", logs, "--plot", tmp_path / "out.gif", status=2).stderr
    assert "PG001" in pgolf("logs", logs, "--plot", tmp_path / "none/out.html", status=2).stderr
