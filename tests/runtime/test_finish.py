"""After training: files that are whole or not there, and `train_gpt.py export` after a crash."""

import hashlib
import shutil

import pytest
import torch
from lrzip_program import put_lrzip
from micro import MICRO, micro, run_program
from models import VECTORS, built
from sessions import make_session

from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import resolve
from pgolf.runtime import finish
from pgolf.runtime.finish import write_file

SAMPLES = VECTORS.parent / "sample_plugins"
SETTINGS = {
    (): (),
    ("every_second_token", "banks", "swa", "ema"): ("swa_full_attn_layers", "swa_window"),
    ("bank_qat",): ("late_qat_threshold", "warmdown_iters"),
}
TRAINED = ("final_model.pt", "final_export.pt")


def fragile(tmp_path, *names, **settings):
    """The entry of a run whose coder fails where the working directory says so."""
    settings = {**MICRO, "num_heads": 4, "num_kv_heads": 2, **settings}
    made = resolve(Recipe("test", layers=(("fragile_coder", *names),), settings=settings), load_registry([SAMPLES]))
    path = tmp_path / "entry.py"
    path.write_text(made.entry)
    return path


def run(program, folder, data, *arguments, **variables):
    return run_program(program, folder, data, *arguments, PYTHONPATH=str(SAMPLES), **variables)


def lines(done, start):
    """Log lines that begin so, but real time."""
    return [text for text in done.lines if text.startswith(start) and not text.startswith("receipt wall_clock")]


def only_validation(folder, data):
    """The data folder without training shards."""
    folder.mkdir()
    shutil.copy(data.data_path / "fineweb_val_000000.bin", folder)
    return str(folder)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, micro_data):
    """(entry, folder) of a run that got as far as its weights."""
    place = tmp_path_factory.mktemp("trained")
    entry, folder = fragile(place), place / "run"
    folder.mkdir()
    (folder / "breaks").write_text("raise")
    assert run(entry, folder, micro_data).status == 1
    (folder / "breaks").unlink()
    return entry, folder


@pytest.mark.parametrize(("names", "how"), [*zip(SETTINGS, ("kill", "raise", "kill"), strict=True)])
def test_export_ends_a_run_that_died_in_packing(names, how, tmp_path, micro_data):
    """The same bytes, scores and receipts as without the accident, and not from training data."""
    settings = {"swa_full_attn_layers": 2, "swa_window": 4, "late_qat_threshold": 0.6, "warmdown_iters": 4}
    entry = fragile(tmp_path, *names, **{name: settings[name] for name in SETTINGS[names]})
    whole, broken = run(entry, tmp_path / "whole", micro_data), tmp_path / "broken"
    assert whole.status == 0, whole.output
    broken.mkdir()
    (broken / "breaks").write_text(how)
    died = run(entry, broken, micro_data)
    assert died.status not in (0, 2) and not lines(died, "final_") and not lines(died, "receipt")
    assert sorted(path.name for path in broken.glob("final_*")) == sorted(TRAINED)
    (broken / "breaks").unlink()
    done = run(entry, broken, micro_data, "export", DATA_PATH=only_validation(tmp_path / "val", micro_data))
    assert done.status == 0, done.output
    (artifact,) = whole.folder.glob("final_model.*.ptz")
    assert (broken / artifact.name).read_bytes() == artifact.read_bytes()
    for start in ("receipt", "Serialized model", "Total"):
        assert lines(done, start) == lines(whole, start) != []
    exact = [text for text in whole.lines if "_exact" in text]
    assert [text for text in done.lines if "_exact" in text] == exact != []
    assert done.lines[: len(died.lines)] == died.lines, "one log, with the training that came before"
    assert not list(broken.glob("*.tmp"))


def test_export_with_two_ranks(trained, tmp_path, micro_data):
    entry, folder = trained
    found = []
    for ranks in (1, 2):
        place = tmp_path / str(ranks)
        place.mkdir()
        for name in TRAINED:
            shutil.copy(folder / name, place)
        done = run_program(entry, place, micro_data, "export", ranks=ranks, PYTHONPATH=str(SAMPLES))
        assert done.status == 0, done.output
        (artifact,) = place.glob("final_model.*.ptz")
        # Targets whose bytes are counted are those of the first rank. `run_program` may try twice, in one log.
        shared = {text for text in lines(done, "receipt") if "sentencepiece_bytes" not in text}
        found.append((artifact.read_bytes(), shared))
    assert found[0] == found[1]


def changed(**parts):
    """A checkpoint with other tensors."""

    def change(path):
        torch.save({**torch.load(path, weights_only=True), **parts}, path)

    return change


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        ("final_model.pt", lambda path: path.unlink(), "final_model.pt"),
        ("final_export.pt", lambda path: path.unlink(), "final_export.pt"),
        ("final_model.pt", lambda path: path.write_bytes(path.read_bytes()[:-1000]), "final_model.pt is damaged"),
        ("final_export.pt", lambda path: path.write_bytes(b""), "final_export.pt is damaged"),
        ("final_model.pt", changed(**{"tok_emb.weight": torch.zeros(3, 3)}), "another model: tok_emb.weight"),
        ("final_model.pt", lambda path: torch.save({}, path), "another model"),
        ("final_model.pt", changed(skip_weights=torch.full((2, 64), torch.nan)), "skip_weights does not stay finite"),
        ("final_model.pt", lambda path: torch.save(["trap"], path), "another model"),
    ],
)
def test_missing_and_damaged_files_are_one_line(name, change, complaint, trained, tmp_path, micro_data):
    entry, folder = trained
    for each in TRAINED:
        shutil.copy(folder / each, tmp_path)
    change(tmp_path / name)
    done = run(entry, tmp_path, micro_data, "export")
    (error,) = lines(done, "error:")
    assert done.status == 2 and complaint in error and "Traceback" not in done.output
    assert not list(tmp_path.glob("final_model.*.ptz"))


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_coder_that_fails_again_is_one_line_and_loses_nothing(ranks, trained, tmp_path, micro_data):
    """Also where another rank waits for the one that packs."""
    entry, folder = trained
    for each in TRAINED:
        shutil.copy(folder / each, tmp_path)
    (tmp_path / "breaks").write_text("raise")
    done = run(entry, tmp_path, micro_data, "export", ranks=ranks)
    assert done.status == 2 and {*lines(done, "error:")} == {"error: no room to pack"}
    assert sorted(path.name for path in tmp_path.glob("final_*")) == sorted(TRAINED)


@pytest.mark.parametrize("mode", ["fails", "damages"])
def test_a_broken_program_ends_the_run_before_any_step(mode, tmp_path, monkeypatch, micro_data):
    """It is on PATH and would be missed only after training."""
    put_lrzip(tmp_path / "bin", monkeypatch, mode)
    entry = tmp_path / "entry.py"
    entry.write_text(micro("pergroup").entry)
    done = run_program(entry, tmp_path / "run", micro_data)
    (error,) = lines(done, "error:")
    assert done.status == 2 and error.startswith("error: lrzip: lrzip ") and "Traceback" not in done.output
    assert not lines(done, "step:") and not lines(done, "warmup_step")


def test_a_working_program_is_said_to_work(tmp_path, monkeypatch, micro_data):
    put_lrzip(tmp_path / "bin", monkeypatch)
    entry = tmp_path / "entry.py"
    entry.write_text(micro("pergroup").entry)
    done = run_program(entry, tmp_path / "run", micro_data)
    assert done.status == 0, done.output
    assert lines(done, "prepared lrzip:") == ["prepared lrzip: lrzip and brotli give back what they were given"]
    assert lines(done, "receipt pergroup") and lines(done, "receipt lrzip")


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def half(path):
        path.write_bytes(b"half")
        raise OSError("the disk is full")

    write_file(lambda path: path.write_bytes(b"whole"), "final_model.pt")
    with pytest.raises(OSError, match="full"):
        write_file(half, "final_model.pt")
    assert (tmp_path / "final_model.pt").read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["final_model.pt"]


def test_an_artifact_that_no_log_is_of_is_not_scored(tmp_path, micro_data):
    """Also where its bytes can be decoded: the log of the run decides, and without one nothing is known."""
    entry, folder = fragile(tmp_path), tmp_path / "run"
    trained = run(entry, folder, micro_data)
    (artifact,) = folder.glob("final_model.*.ptz")
    whole = artifact.read_bytes()
    assert any(line == "artifact_sha256:" + hashlib.sha256(whole).hexdigest() for line in trained.lines)
    artifact.write_bytes(whole + b"x")
    refused = run(entry, folder, micro_data, "score", RUN_ID="again")
    assert refused.status == 2 and "not that of the logs" in refused.output
    artifact.write_bytes(whole)
    assert run(entry, folder, micro_data, "score", RUN_ID="again").status == 0


@pytest.mark.parametrize(
    ("plugins", "compiled"),
    [
        ((), True),
        (("lora_ttt", "document_starts"), False),
        (("isolated_eval", "document_starts"), False),
        (("sliding_eval", "sgd_ttt"), True),
    ],
)
def test_a_walk_whose_graph_nothing_else_uses_is_not_compiled(plugins, compiled, tmp_path, monkeypatch):
    """Scores are the same; what an evaluation with graphs of its own compiles is its own alone."""
    made = built(*plugins, train_seq_len=32)
    session = make_session(made, torch.randint(3, 200, (97,)), evaluation=made.program.evaluation)
    model, calls, lines = session.model, [], []

    def forward(*arguments, **words):
        calls.append(words["adapter"])
        return model(*arguments, **words)

    session.forward, session.log = forward, lines.append
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("logs").mkdir()
    monkeypatch.setattr(finish, "load_artifact", lambda session: None)
    monkeypatch.setattr(finish, "run_evaluation", lambda session: session.validate())
    wanted = session.validate()
    calls.clear()
    session.validate = lambda: wanted
    finish.score_artifact(session)
    assert bool(calls) == compiled
    exact = next(line for line in lines if "roundtrip" in line).splitlines()[1]
    assert exact.endswith(f"val_loss:{wanted.val_loss:.8f} val_bpb:{wanted.val_bpb:.8f}")
