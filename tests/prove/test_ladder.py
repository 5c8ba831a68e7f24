"""Records of two runs, compared: each difference on the rung that is there for it."""

import copy

import pytest

from pgolf.prove.ladder import CHECKS, RUNGS, Difference, check_syntax, compare

ALL = frozenset(CHECKS)
LIVE = {
    "state": [["a", [2], "torch.float32"], ["b", [], "torch.float32"]],
    "groups": ["Adam [['a']]"],
    "rates": ["[1]", "[2]"],
    "initial": {"a": "1", "b": "2"},
    "graphs": {"call": ["placeholder", "add", "output"]},
    "steps": [{"parameters": {"a": "1"}, "losses": ["0x1p0"], "gradients": {"a": "3"}}],
    "artifact": "final_model.int8.ptz abc",
    "artifact_bytes": 10,
    "scores": ["final_exact val_bpb:0x1p0"],
    "trained": {"a": "4"},
    "status": 0,
    "problem": "",
}


def changed(change):
    other = copy.deepcopy(LIVE)
    change(other)
    return other


def test_equal_runs_differ_nowhere():
    assert compare("s", LIVE, copy.deepcopy(LIVE), ALL) == []


@pytest.mark.parametrize(
    ("rung", "change", "said"),
    [
        (2, lambda run: run["state"].reverse(), "the live state has a (2,) torch.float32 here, this one b ()"),
        (2, lambda run: run["state"].pop(), "this one nothing"),
        (2, lambda run: run["state"].append(["c", [], "x"]), "the state has c () x, the live one has not"),
        (2, lambda run: run["groups"].append("more"), "an optimizer has the groups more, live None"),
        (3, lambda run: run["initial"].update(b="9"), "b starts with other values"),
        (4, lambda run: run["graphs"]["call"].__setitem__(1, "sub"), "node 1: live `add`, here `sub`"),
        (4, lambda run: run["graphs"].update(more=["x"]), "training graph 1 is of another call"),
        (5, lambda run: run["steps"].append(LIVE["steps"][0]), "there are 2 steps, live 1"),
        (5, lambda run: run["steps"][0]["losses"].__setitem__(0, "0x2p0"), "loss 0 is 0x2p0, live 0x1p0"),
        (5, lambda run: run["steps"][0]["parameters"].update(a="9"), "a differs before the step"),
        (5, lambda run: run["steps"][0]["gradients"].pop("a"), "a has another gradient"),
        (6, lambda run: run.update(artifact="other"), ""),
        (7, lambda run: run["scores"].clear(), ""),
    ],
)
def test_each_difference_is_on_its_rung(rung, change, said):
    found = compare("s", LIVE, changed(change), ALL)
    assert [item.rung for item in found] == [rung] and said in found[0].message
    assert compare("s", LIVE, changed(change), ALL - {rung}) == [], "only asked rungs are climbed"


def test_one_difference_a_rung_and_the_lowest_first():
    def change(run):
        run["initial"] = {"a": "7", "b": "8"}
        run["scores"] = ["x"]

    assert [item.rung for item in compare("s", LIVE, changed(change), ALL)] == [3, 7]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda run: run.update(problem="ValueError: no"), "ValueError: no"),
        (lambda run: run.update(status=1), "status 1, live 0"),
    ],
)
def test_a_run_that_fails_is_said_first(change, said):
    found = compare("s", LIVE, changed(change), ALL)
    assert found[0].message.startswith("it does not run: ") and said in found[0].message
    assert found[0].rung == 5

    def both(run):
        change(run)
        run["initial"] = {}

    assert compare("s", LIVE, changed(both), ALL)[0].rung == 3, "where it first differs"


def test_what_a_difference_says():
    item = Difference("1_linked.py", 5, "a has another gradient", 3, "a")
    assert str(item) == "rung 5 (steps), stage 1_linked.py, step 3, tensor a: a has another gradient"
    assert item.as_record()["rung_name"] == RUNGS[5] and str(Difference("s", 0, "m")) == "rung 0 (bytes), stage s: m"


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"f(1)", False),
        (b"f(:", True),
        (b"return 1", True),
        (b"x = '\\d'", False),
        (b"\xff", True),
        (b"type A = int", True),
    ],
)
def test_syntax(content, wrong):
    found = check_syntax("s", content)
    assert (found is not None) is wrong and (found is None or (found.rung == 1 and "Python 3.11" in found.message))
