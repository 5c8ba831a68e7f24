"""`pgolf build --watch`: what is built again, what is used again, and how it ends."""

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pgolf.cli import watch as module
from pgolf.cli.watch import Interrupt, Order, _named_files, watch
from pgolf.errors import PgolfError, PgolfErrors

SAMPLES = Path(__file__).parents[1] / "sample_plugins"


@pytest.fixture
def order(tmp_path, monkeypatch):
    """A recipe in two files with a plugin of a folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "extra").mkdir()
    shutil.copy(SAMPLES / "square_penalty.py", tmp_path / "extra/watched_penalty.py")
    plugin = tmp_path / "extra/watched_penalty.py"
    plugin.write_text(plugin.read_text().replace('"square_penalty"', '"watched_penalty"'))
    Path("base.toml").write_text('plugins = ["watched_penalty"]\n')
    Path("recipe.toml").write_text('extends = "base.toml"\nname = "first"\n')
    return Order(Path("recipe.toml"), (), (), Path("out"), "", "plain", False, True, (tmp_path / "extra",))


def run(order, monkeypatch, capsys, *edits):
    """Reports of the first build and of one after each edit."""
    steps, seen = iter(edits), []

    def wait(paths, interrupt):
        seen.append({path.name for path in paths})
        next(steps)()
        return "edit"

    monkeypatch.setattr(module, "_wait", wait)
    watch(order, True, 1 + len(edits))
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()], seen


def edit(old, new):
    path = Path("extra/watched_penalty.py")

    def change():
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


@pytest.mark.ci
def test_what_is_built_again(order, monkeypatch, capsys):
    code = Path("extra/watched_penalty.py").read_text()
    first_docstring = code.splitlines()[0]
    reports, seen = run(
        order,
        monkeypatch,
        capsys,
        edit(first_docstring, first_docstring.replace('"""', '"""Still, ', 1)),
        edit("def ", "def ("),
        lambda: Path("extra/watched_penalty.py").write_text(code + "\n\nUNUSED_HERE = 3\n"),
        lambda: Path("recipe.toml").write_text('extends = "base.toml"\nplugins = ["pko"]\n'),
    )
    first, comment, broken, again, more = reports
    assert first["problem"] == "" and not first["reused"] and first["folder"] == "out"
    assert comment["reused"] and comment["sha256"] == first["sha256"]
    assert "[PG101]" in broken["problem"] and "watched_penalty.py" in broken["problem"]
    assert not again["reused"] and again["sha256"] == first["sha256"]
    assert more["code_bytes"] > first["code_bytes"] and not more["reused"]
    assert more["code_bytes"] == len(Path("out/train_gpt.py").read_bytes())
    for names in seen:
        assert {"recipe.toml", "base.toml", "watched_penalty.py"} <= names and "train.py" in names


@pytest.mark.ci
def test_what_changes_during_a_build_is_built_again(order, monkeypatch, capsys):
    """In the first one, in one that gives the last result again, and in one that fails."""
    build, plugin = module._result, Path("extra/watched_penalty.py").resolve()
    code = plugin.read_text()
    texts = iter([code + "UNUSED = 1\n", code + "UNUSED = 1  # one\n", "def (\n", code, code, code])

    def change_after(*arguments):
        report = build(*arguments)
        plugin.write_text(next(texts))
        return report

    monkeypatch.setattr(module, "_result", change_after)
    waited = []
    monkeypatch.setattr(
        module.time, "sleep", lambda seconds: waited.append(seconds) or plugin.write_text("# the end\n")
    )
    watch(order, True, 6)
    first, second, third, broken, last, end = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {item["changed"] for item in (second, third, broken, last, end)} == {"watched_penalty.py"}
    assert first["sha256"] == second["sha256"] == third["sha256"] == last["sha256"] and "[PG101]" in broken["problem"]
    assert third["reused"] and not second["reused"] and not last["reused"]
    # It waited only when nothing had changed since the last build.
    assert len(waited) == 1 and "[PG104]" in end["problem"]


def test_an_interrupt_that_python_forgets_ends_it_too(monkeypatch):
    class Cleared:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)
            # Python calls the handler somewhere in here, and drops what it raises.
            sum(number for number in range(1000))

    before, dropped = signal.getsignal(signal.SIGINT), []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: dropped.append(found.exc_type))
    with Interrupt() as interrupt:
        interrupt.check()
        cleared = Cleared()
        del cleared
        assert dropped == [KeyboardInterrupt]
        with pytest.raises(KeyboardInterrupt):
            interrupt.check()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.ci
def test_an_interrupt_ends_it(tmp_path):
    command = [sys.executable, "-m", "pgolf.cli", "build", "--watch", "--pack", "plain", "-o", str(tmp_path / "out")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        line = child.stdout.readline()
        child.send_signal(signal.SIGINT)
        rest, errors = child.communicate(timeout=30)
    finally:
        child.kill()
    assert " bytes, " in line and "first build" in line and rest == ""
    assert child.returncode == 130 and errors == "interrupted\n"
    assert (tmp_path / "out/pgolf.lock").is_file()


@pytest.mark.ci
def test_plugins_are_imported_afresh(order, monkeypatch, capsys):
    """Also where Python would take the compiled file for fresh: the same second and the same size."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = Path("extra/watched_penalty.py")
    code = path.read_text() + "\n\ndef penalize_nothing(model, x, logits, targets, ctx):\n    return x.mean()\n"
    path.write_text(code)
    os.utime(path, (1_700_000_000, 1_700_000_000))

    def other_hook():
        path.write_text(code.replace("Component(penalize_squares)", "Component(penalize_nothing)"))
        os.utime(path, (1_700_000_000, 1_700_000_000))

    reports, _ = run(order, monkeypatch, capsys, other_hook)
    assert [report["problem"] for report in reports] == ["", ""]
    assert reports[0]["sha256"] != reports[1]["sha256"] and not reports[1]["reused"]
    assert b"1e-4" not in Path("out/train_gpt.py").read_bytes()


def test_a_file_that_goes_and_comes_back(order, monkeypatch, capsys):
    path = Path("extra/watched_penalty.py")
    code = path.read_text()
    reports, seen = run(order, monkeypatch, capsys, path.unlink, lambda: path.write_text(code))
    assert "watched_penalty" in reports[1]["problem"] and "watched_penalty.py" in seen[1]
    assert reports[2]["sha256"] == reports[0]["sha256"] and reports[2]["problem"] == ""


def test_a_build_that_fails_at_first_watches_what_is_broken(order, monkeypatch, capsys, tmp_path):
    helper = tmp_path / "extra/watched_penalty.py"
    code = helper.read_text()
    helper.write_text(code.replace("return 1e-4", "print(vars(x))\n    return 1e-4"))
    reports, seen = run(order, monkeypatch, capsys, lambda: helper.write_text(code))
    assert "[PG305]" in reports[0]["problem"] and "watched_penalty.py" in seen[0] and reports[1]["problem"] == ""


def test_errors_name_the_files_to_watch(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("")
    errors = [
        PgolfError("PG301", "x", f"{path}:3:1"),
        PgolfError("PG101", "y", str(path)),
        PgolfError("PG102", "z", "a.toml"),
    ]
    assert [_named_files(error) for error in errors] == [{path}, {path}, set()]
    assert _named_files(PgolfErrors(errors)) == {path}


@pytest.mark.ci
def test_it_writes_what_build_writes(order, monkeypatch, capsys, tmp_path):
    run(order, monkeypatch, capsys, edit("1e-4", "1e-5"))
    command = [
        "build",
        "recipe.toml",
        "--pack",
        "plain",
        "--smoke",
        "-o",
        "other",
        "--plugin-dir",
        str(tmp_path / "extra"),
    ]
    subprocess.run([sys.executable, "-m", "pgolf.cli", *command], check=True, capture_output=True)
    code = Path("out/train_gpt.py").read_bytes()
    assert code == Path("other/train_gpt.py").read_bytes() and b"1e-05" in code


def test_nothing_stays_frozen_once_watching_has_ended(order, capsys):
    watch(order, True, 1)
    capsys.readouterr()
    assert gc.get_freeze_count() == 0
