"""Climbing without a run: rung 1, what a proof says, and runs that prove nothing."""

import json

import pytest

from pgolf.bundle.pack.pack import pack
from pgolf.errors import PgolfError
from pgolf.prove import climb as module
from pgolf.prove.climb import Plan, Proof, climb, run_stages
from pgolf.prove.ladder import Difference

PLAN = Plan(1, frozenset({1}), None, at_once=1)
TEXT = "print(1)\n"


def test_a_packed_file_must_hold_the_minified_source():
    programs = {"4_minified.py": TEXT.encode(), "5_packed.py": pack(TEXT, "b85").code}
    assert climb(programs, PLAN).differences == []
    wrong = climb({**programs, "5_packed.py": pack("print(2)\n", "b85").code}, PLAN)
    assert [str(item.stage) for item in wrong.differences] == ["5_packed.py"]
    assert climb({"4_minified.py": b"a=1"}, PLAN).differences == [], "with one of them there is nothing to compare"


def test_every_stage_must_be_python():
    proof = climb({"0_live.py": b"f(:", "1_linked.py": b"x = 1", "2_specialized.py": b"return"}, PLAN)
    assert [item.stage for item in proof.differences] == ["0_live.py", "2_specialized.py"]
    assert proof.first.stage == "0_live.py"


def test_a_proof_for_machines():
    proof = Proof((1, 2), ("a", "b"))
    record = proof.as_record()
    assert record["equal"] and record["first_difference"] is None and all(rung["equal"] for rung in record["rungs"])
    proof.differences.append(Difference("b", 2, "x"))
    record = json.loads(json.dumps(proof.as_record()))
    assert not record["equal"] and record["first_difference"]["stage"] == "b"
    assert [rung["equal"] for rung in record["rungs"]] == [True, False]


def test_a_stage_of_another_name_comes_last():
    proof = Proof((1,), ("a", "b"), [Difference("other", 1, "x"), Difference("b", 1, "y"), Difference("b", 1, "z")])
    assert proof.first.message == "y"


@pytest.mark.parametrize(
    ("live", "said"),
    [
        ({"problem": "ValueError: no", "steps": [1]}, "ValueError: no"),
        ({"problem": "", "steps": [], "status": 3}, "status 3"),
    ],
)
def test_a_live_run_that_saw_nothing_proves_nothing(live, said):
    with pytest.raises(PgolfError, match=said) as caught:
        module._check_live("0_live.py", live, Proof((), ()))
    assert caught.value.code == "PG005"


def test_graphs_that_were_not_traced_are_noted():
    live = {"problem": "", "steps": [{"losses": ["1", "2"]}], "graphs": {"a": ["not traced: X"], "b": ["x", "y"]}}
    live |= {"status": 1, "state": [1], "artifact": "a", "artifact_bytes": 3, "scores": []}
    proof = Proof((), ())
    module._check_live("0_live.py", live, proof)
    assert len(proof.notes) == 2 and "rung 4 says nothing" in proof.notes[0] and "status 1" in proof.notes[1]
    assert proof.facts["backward_passes"] == 2 and proof.facts["graphs"] == 2


def test_a_process_that_leaves_no_record_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "recorder.py").write_text("print('no way')")
    monkeypatch.setattr(module, "RECORDER", tmp_path / "recorder.py")
    with pytest.raises(PgolfError, match="left no record: no way"):
        list(run_stages(tmp_path, {"0_live.py": b"pass"}, Plan(1, frozenset({2}), None, at_once=1)))


def test_each_run_has_its_own_folder_and_few_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    job = module._job(tmp_path, "1_linked.py", b"pass", Plan(7, frozenset({2}), None, (tmp_path,)), True)
    assert job.folder == tmp_path / "1_linked" and not list(job.folder.iterdir())
    env = job.env
    assert "SECRET" not in env and env["ITERATIONS"] == "7" and env["CUDA_VISIBLE_DEVICES"] == ""
    assert str(tmp_path) in env["PYTHONPATH"]
