"""The evaluation of docs/writing-a-plugin.md: it builds, runs, and scores documents as a plain loop does."""

import re
from pathlib import Path

import pytest
import torch
from micro import MICRO, run_program
from ttt import golden_session, nll_of

from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import resolve
from pgolf.runtime.documents import find_documents
from pgolf.runtime.tally import Tally

PAGE = Path(__file__).parents[3] / "docs" / "writing-a-plugin.md"


@pytest.fixture
def folder(tmp_path):
    """A plugin folder with the page's example in it."""
    (text,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S) if '"alone"' in block]
    tmp_path.joinpath("plugins").mkdir()
    tmp_path.joinpath("plugins", "alone.py").write_text(text)
    return tmp_path / "plugins"


def test_it_scores_every_document_alone(folder):
    space = {}
    exec(compile((folder / "alone.py").read_text(), "alone", "exec"), space)
    session = golden_session("ttt_unphased")
    session.program = session.program._replace(evaluation=space["Alone"](1, 64))
    session.model.eval()
    found = nll_of(session, Tally(session))
    for start, length in find_documents(session.tokens, 1)[:5]:
        ids = session.tokens[start : start + length].long()[None]
        with torch.no_grad():
            for at in range(0, length - 1, 64):
                end = min(at + 64, length - 1)
                begin = max(end - 64, 0)
                wanted = session.model(
                    ids[:, begin:end], ids[:, begin + 1 : end + 1], phases=("loop",), reduction="none"
                )[0]
                torch.testing.assert_close(found[start + at : start + end], wanted[at - begin :])


def test_it_runs(folder, tmp_path, micro_data):
    settings = {**MICRO, "num_heads": 4, "num_kv_heads": 2, "iterations": 1}
    made = resolve(Recipe("test", layers=(("alone",),), settings=settings), load_registry([folder]))
    path = tmp_path / "entry.py"
    path.write_text(made.entry)
    run = run_program(path, tmp_path / "run", micro_data, PYTHONPATH=str(folder))
    assert run.status == 0, run.output
    assert any(re.fullmatch(r"receipt alone: 60 documents, \d+ targets", line) for line in run.lines)
