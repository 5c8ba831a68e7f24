"""Materials with everything that a report can show, without a build."""

from folders import make_folder
from plan.plans import looped, plain

from pgolf.ablate.ablate import Ablation, Outcome, Run, compare
from pgolf.byte_report import Item
from pgolf.manager import Registry
from pgolf.report.material import Material
from pgolf.verify.folder import View
from pgolf.verify.outputs_details import Details, details
from pgolf.verify.report import verify

EVIL = "</title><script>alert(1)</script>\"'&<svg onload=x>\x1b\u202e\n"


def ablation():
    """Three variants, one of which has failed."""
    runs = {
        name: {seed: Run(seed, score + seed / 99, 100, 4, 8.0) for seed in (1, 2)}
        for name, score in (("b", 1), ("a", 2))
    }
    outcomes = (
        Outcome("base", tuple(runs["b"].values()), None, (), ""),
        Outcome("-a", tuple(runs["a"].values()), compare(runs["b"], runs["a"], 3), (), ""),
        Outcome("+b", (), None, (), "seed 1: the program ended with status 1"),
    )
    return Ablation(outcomes, 0.01)


def items(count):
    """Boxes of all sizes."""
    return [
        Item(f"plugin_{at % 7}", f"pgolf_plugins.x.module_with_a_long_name_{at}", 3000 // (at + 1))
        for at in range(count)
    ]


def rich(tmp_path, name="toy"):
    """A folder with all that there can be."""
    folder = make_folder(tmp_path / name, seeds=(1337, 42, 7))
    view = View(folder, Registry)
    numbers = details(view)
    for run in numbers.train:
        numbers.train[run] = [(step, 7.0 / (1 + step / 40)) for step in range(0, 400, 4)]
        numbers.val[run] = [(step, 3.0 - step / 400) for step in range(0, 400, 100)]
        numbers.bpb[run] = [(step, 1.5 - step / 900) for step in range(0, 400, 100)]
        numbers.results[run] |= {"artifact_bytes": 15_987_654, "step_avg_ms": 3453.6, "train_time_s": 598.123}
    found = Material(folder, verify(view), numbers, items(40), items(90), "seed7/final_model.int6.ptz", looped())
    found.ablations, found.unknown = {"ablate-toy": ablation()}, ["something: nobody knows"]
    return found


def evil(tmp_path):
    """A folder that says nothing but markup."""
    record = {"id": "a.b", "status": "FAIL", "message": EVIL, "evidence": {}, "rule": EVIL}
    report = {"folder": EVIL, "verdict": "fail", "checks": [record, {**record, "status": "PASS"}]}
    row = {"seed": None, "val_bpb": 1.0, "val_loss": None}
    numbers = Details(EVIL, EVIL, 1.1, 100, 60, 50, [(EVIL, 1.0)], {EVIL: [(0, 2.0), (9, 1.0)]}, {}, {}, {EVIL: row})
    boxes = [Item(EVIL, EVIL, 900, label=EVIL)]
    return Material(
        tmp_path / EVIL.replace("/", "|"), report, numbers, boxes, boxes, EVIL, plain(), {EVIL: ablation()}, [EVIL]
    )
