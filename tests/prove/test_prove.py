"""The ladder holds for a true build, and each kind of wrong stage is caught on the rung that is there for it."""

import ast
import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from micro import micro

from pgolf.bundle.pipeline import build
from pgolf.cli.main import main
from pgolf.errors import PgolfError
from pgolf.prove.climb import ALL_RUNGS, Plan, build_twice, climb, run_stages
from pgolf.prove.ladder import Difference, check_syntax, compare
from pgolf.run.data import DataPaths

NAMES = ("swa", "bank_qat", "pko")
LINKED = "1_linked.py"


def recorded(root, name, content, plan):
    """The record of one run."""
    ((_, record),) = run_stages(root, {name: content}, plan)
    return record


@pytest.fixture(scope="module")
def side(tmp_path_factory, micro_data):
    """A build at micro size, its plan, and the record of its live run."""
    resolved = micro(*NAMES, iterations=2)
    dumps = build(resolved.entry, resolved.find_source).dumps
    plan = Plan(2, ALL_RUNGS, DataPaths(micro_data.data_path, micro_data.tokenizer_path))
    root = tmp_path_factory.mktemp("prove")
    live = recorded(root, "0_live.py", dumps["0_live.py"], plan)
    return SimpleNamespace(dumps=dumps, plan=plan, root=root, live=live)


def differences(side, name, text):
    """What a wrong linked stage shows."""
    ast.parse(text)
    record = recorded(side.root, f"{name}.py", text.encode(), side.plan)
    return compare(LINKED, side.live, record, ALL_RUNGS)


def changed(side, old, new):
    text = side.dumps[LINKED].decode()
    assert old in text, f"the program has no {old!r} any more"
    return text.replace(old, new)


@pytest.mark.ci
def test_a_build_is_the_live_program(side):
    picked = {name: side.dumps[name] for name in ("0_live.py", "5_packed.py")}
    said = []
    plan = Plan(2, ALL_RUNGS, side.plan.data, say=said.append)
    proof = climb(picked, plan)
    assert proof.differences == [] and all("status" in note for note in proof.notes)
    assert proof.facts["steps"] == 5 and proof.facts["graphs"] == 2 and proof.facts["artifact_bytes"] > 1000
    assert said == [f"running 2 stages, {plan.at_once} at once", "0_live.py: 5 steps", "5_packed.py: equal"]
    assert all(len(lines) > 100 for lines in side.live["graphs"].values())
    assert json.dumps(proof.as_record()) and proof.as_record()["equal"]


@pytest.mark.ci
def test_swapped_parameters(side):
    tree = ast.parse(side.dumps[LINKED])
    maker = next(node for node in tree.body if getattr(node, "name", "") == "make_parameters")
    records = maker.body[-1].value.elts
    records[0], records[1] = records[1], records[0]
    found = differences(side, "order", ast.unparse(tree))
    assert found[0].rung == 2 and found[0].tensor == side.live["state"][0][0]


@pytest.mark.ci
def test_a_renamed_tensor(side):
    found = differences(side, "renamed", changed(side, "tok_emb", "tok_emc"))
    assert found[0].rung == 2 and found[0].tensor == "tok_emb.weight" and "tok_emc.weight" in found[0].message


@pytest.mark.slow
def test_another_initial_value(side):
    found = differences(side, "initial", changed(side, "tensor.normal_(0.0, std", "tensor.normal_(0.0, std * 2"))
    assert found[0].rung == 3 and found[0].tensor == "tok_emb.weight"


@pytest.mark.ci
def test_a_dropped_statement(side):
    old = "        x = rms_norm(x)\n        for mix in self.program.stem_normed"
    found = differences(side, "dropped", changed(side, old, "        for mix in self.program.stem_normed"))
    assert found[0].rung == 4 and "training graph 0, node" in found[0].message


@pytest.mark.ci
def test_reassociated_floats(side):
    text = changed(side, "gradient.add(buffer, alpha=momentum)", "(gradient / 3 + buffer * (momentum / 3)) * 3")
    found = differences(side, "floats2", text)
    assert found[0].rung == 5 and found[0].tensor and found[0].step is not None


@pytest.mark.slow
def test_another_compression(side):
    found = differences(side, "packed", changed(side, "zlib.compress(data, 9)", "zlib.compress(data, 1)"))
    assert [item.rung for item in found] == [6]


@pytest.mark.slow
def test_a_forgotten_import(side):
    found = differences(side, "internal", "import pgolf.runtime.model\n" + side.dumps[LINKED].decode())
    assert "a bundled program imports pgolf" in found[0].message


@pytest.mark.ci
def test_a_live_entry_that_fails_is_an_error(side):
    with pytest.raises(PgolfError, match="does not run: ZeroDivisionError"):
        climb({"0_live.py": b"1 / 0"}, side.plan)
    with pytest.raises(PgolfError, match="no step was seen"):
        climb({"0_live.py": b"pass"}, side.plan)


def test_syntax_and_the_packed_payload(side):
    assert check_syntax("a.py", b"f(:") and check_syntax("a.py", b"return 1") and not check_syntax("a.py", b"f(1)")
    assert check_syntax("a.py", b"type A = int").rung == 1
    programs = {"4_minified.py": b"a=1", "5_packed.py": b"a=2"}
    proof = climb(programs, Plan(1, frozenset({1}), side.plan.data))
    assert proof.first.stage == "5_packed.py" and "does not decode" in proof.first.message


def test_the_first_difference_is_of_the_earliest_stage():
    from pgolf.prove.climb import Proof

    proof = Proof((2, 5), ("a", "b", "c"))
    proof.differences = [Difference("c", 2, "x"), Difference("b", 5, "y", 3, "w"), Difference("b", 4, "z")]
    assert str(proof.first) == "rung 4 (graph), stage b: z"
    assert not proof.holds(2) and proof.holds(3)


def pgolf(*arguments, status=0):
    done = CliRunner().invoke(main, ["prove", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done


@pytest.mark.slow
def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = pgolf("--plugins", "pko", "--rungs", "1").stdout
    assert text == "equal      rung 1  syntax\nequal: 6 stages\n"
    wrong = lambda programs, plan: climb({**programs, "3_shaken.py": b"f(:"}, plan)  # noqa: E731
    monkeypatch.setattr("pgolf.prove.climb.climb", wrong)
    document = json.loads(pgolf("--rungs", "1", "--json", status=1).stdout)
    assert document["first_difference"]["stage"] == "3_shaken.py" and not document["equal"]
    assert not list(tmp_path.iterdir())
    for rungs in ("8", "3-1", "a", ""):
        pgolf("--rungs", rungs, status=2)
    pgolf("nowhere.toml", status=2)


@pytest.mark.slow
def test_two_builds_and_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["build", "--smoke", "--plugins", "pko", "-o", "built"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "equal      rung 0  bytes" in pgolf("built", "--rungs", "0").stdout
    (tmp_path / "built/train_gpt.py").write_bytes(b"pass")
    assert "DIFFERENT  rung 0" in pgolf("built", "--rungs", "0", status=1).stdout


@pytest.mark.slow
def test_a_wrong_hash_is_a_difference(side, tmp_path):
    from models import registry

    from pgolf.recipe import Recipe
    from pgolf.submission import make

    made = make(Recipe("test"), registry(), smoke=True)
    assert build_twice(made.lock, side.plan, made.built.sha256) == []
    assert [item.rung for item in build_twice(made.lock, side.plan, "0")] == [0, 0]
