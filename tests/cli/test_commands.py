"""The command line: help, exit statuses, and what goes to which stream. Nothing here trains a model."""

import json
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from folders import PROGRAM, make_data, make_folder

from pgolf.cli.main import COMMANDS, exit_status, main
from pgolf.errors import PgolfError, PgolfErrors


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")


def pgolf(*arguments, status=0):
    """Run a command in this process."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == status, done.stderr
    return done


@pytest.mark.parametrize(
    "command", [[name] for name in COMMANDS] + [["plugins", part] for part in ("show", "new", "hooks", "index")]
)
def test_every_command_has_an_example(command):
    text = pgolf(*command, "--help").stdout
    assert "Example" in text and f"pgolf {' '.join(command)}" in text


def test_help_imports_nothing_heavy():
    code = "import sys; from pgolf.cli.main import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert time.monotonic() - begin < 10
    modules = set(done.stdout.splitlines()[-1].split())
    assert not modules & {"torch", "numpy", "rich", "pgolf.manager", "pgolf.bundle.pipeline", "sentencepiece"}


def test_unknown_commands_and_options_are_usage_errors():
    pgolf("nothing", status=2)
    pgolf("build", "--nothing", status=2)
    pgolf("--version")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PgolfError("PG102", "x"), 2),
        (PgolfError("PG505", "x"), 2),
        (PgolfError("PG005", "x"), 1),
        (PgolfError("PG304", "x"), 1),
        (PgolfErrors([PgolfError("PG304", "x"), PgolfError("PG305", "x")]), 1),
        (PgolfErrors([PgolfError("PG304", "x"), PgolfError("PG201", "x")]), 2),
    ],
)
def test_exit_statuses(error, status):
    assert exit_status(error) == status


def test_an_error_is_a_message_on_stderr():
    done = pgolf("build", "--plugins", "bank_qta", status=2)
    assert done.stdout == "" and done.stderr.startswith("error[PG102]: there is no plugin 'bank_qta'")
    assert "did you mean bank_qat?" in done.stderr


def test_other_exceptions_keep_their_traceback(monkeypatch):
    def fail(*arguments):
        raise ZeroDivisionError

    monkeypatch.setattr("pgolf.manager.load_registry", fail)
    with pytest.raises(ZeroDivisionError):
        CliRunner().invoke(main, ["plugins"], catch_exceptions=False)


def test_an_interrupt_is_no_traceback(monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("pgolf.manager.load_registry", interrupt)
    assert pgolf("plugins", status=130).stderr == "interrupted\n"


def test_plugins_lists_by_family():
    text = pgolf("plugins").stdout
    assert text.index("architecture") < text.index("optimizer") < text.index("compressor")
    assert "zlib *" in text and "lzma *" not in text
    rows = json.loads(pgolf("plugins", "--family", "quantizer", "--json").stdout)
    assert {row["family"] for row in rows} == {"quantizer"}
    assert next(row for row in rows if row["name"] == "bank_qat")["requires"] == ["banks", "int6|gptq_lite|clip_search"]


def test_plugins_show_gives_maths_settings_and_hooks():
    text = pgolf("plugins", "show", "bank_qat").stdout
    for part in ("W_fwd = W + stopgrad", "late_qat_threshold", "0.15", "weight_taps", "better without ema"):
        assert part in text
    row = json.loads(pgolf("plugins", "show", "bank_qat", "--json").stdout)
    assert row["hooks"] == ["phases", "weight_taps"] and row["settings"][1]["choices"] == ["float16", "float32"]
    pgolf("plugins", "show", "nothing", status=2)


def test_a_broken_plugin_is_one_line(tmp_path):
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra/broken_cli_plugin.py").write_text("raise ValueError('a')\n")
    done = pgolf("plugins", "--plugin-dir", tmp_path / "extra")
    assert [line for line in done.stderr.splitlines() if "broken_cli_plugin" in line] == done.stderr.splitlines()
    assert done.stderr.startswith("warning: [PG101]")


CLASHING = '''"""A plugin with a helper."""
import torch.nn as nn
from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(name="{name}", summary="s", source="s", family="architecture")


def rms_norm(x, scale):
    return x * scale


class Head(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, model, n_BTD, layer, position, ctx):
        return rms_norm(n_BTD, self.scale)


@hookimpl
def branch_inputs(settings):
    return Component(Head, scale={scale})
'''


def test_plugins_with_helpers_of_one_name_build_in_any_order(tmp_path):
    folder = tmp_path / "kit"
    folder.mkdir()
    for name, scale in (("kit_one", 2.0), ("kit_two", 3.0)):
        (folder / f"{name}.py").write_text(CLASHING.format(name=name, scale=scale))
    assert "no findings" in pgolf("lint", folder / "kit_one.py", folder / "kit_two.py").stdout
    flags = ("--plugin-dir", folder, "--smoke", "--pack", "plain", "--json")
    one = json.loads(pgolf("build", "--plugins", "kit_one,kit_two", "-o", "one", *flags, "--keep-stages").stdout)
    two = json.loads(pgolf("build", "--plugins", "kit_two,kit_one", "-o", "two", *flags).stdout)
    assert one["sha256"] == two["sha256"]
    linked = (tmp_path / "one/stages/1_linked.py").read_text()
    assert linked.count("def rms_norm") == 3 and linked.count("class Head") == 2
    modules = json.loads(pgolf("size", "one", "--plugin-dir", folder, "--json").stdout)
    assert "kit_two" in str(modules)


def test_build_writes_and_reports(tmp_path):
    done = pgolf("build", "--plugins", "pko", "--set", "num_layers=4", "--smoke", "--pack", "plain", "--json")
    document = json.loads(done.stdout)
    assert list(document) == ["folder", "code_bytes", "sha256", "stages", "plugins"]
    assert document["folder"] == "submissions/pko-smoke"
    assert document["code_bytes"] == (tmp_path / "submissions/pko-smoke/train_gpt.py").stat().st_size
    assert "note: pko brings partial_rope" in done.stderr
    again = pgolf("build", "submissions/pko-smoke", "--smoke", "--pack", "plain", "-o", "other")
    assert "left for the model" in again.stdout and document["sha256"] in again.stdout


def test_build_refuses_bad_input(tmp_path):
    for arguments in (
        ["nowhere.toml"],
        ["--set", "num_layers"],
        ["--set", "num_layer=4"],
        ["--set", "num_layers=x"],
        ["--name", "../x"],
        ["--plugins", "zlib,lzma"],
    ):
        done = pgolf("build", *arguments, status=2)
        assert "error[PG" in done.stderr and not (tmp_path / "submissions").exists()


def test_train_runs_each_seed(tmp_path):
    folder, data = make_folder(tmp_path / "toy", trained=False), make_data(tmp_path / "data")
    done = pgolf("train", folder, "--data", data, "--seeds", "5,6,5", "--json")
    document = json.loads(done.stdout)
    assert [run["seed"] for run in document["runs"]] == [5, 6] and document["runs"][0]["problem"] == ""
    assert (folder / "logs/train_seed6.log").is_file() and "step:1/2" in done.stderr
    text = pgolf("train", folder, "--data", data, "--seeds", "5").stdout
    assert "train_seed5.log" in text


def test_train_reports_a_failure(tmp_path):
    code = PROGRAM.replace('say("receipt beta: 1 layers")', 'sys.exit("error: plugin beta did nothing")')
    folder, data = make_folder(tmp_path / "toy", code.encode(), trained=False), make_data(tmp_path / "data")
    done = pgolf("train", folder, "--data", data, "--seeds", "5,6", status=1)
    assert "error[PG005]: seed 5: error: plugin beta did nothing" in done.stderr
    assert not (folder / "logs/train_seed6.log").exists()


def test_train_refuses_before_it_starts(tmp_path):
    folder, data = make_folder(tmp_path / "toy", trained=False), make_data(tmp_path / "data")
    (tmp_path / "empty").mkdir()
    assert "PG001" in pgolf("train", tmp_path / "empty", "--data", data, status=2).stderr
    assert "PG001" in pgolf("train", folder, "--data", tmp_path / "empty", status=2).stderr
    pgolf("train", folder, "--seeds", "x", status=2)
    pgolf("train", folder, "--nproc", "3", status=2)
    (folder / "train_gpt.py").write_text("changed")
    assert "PG505" in pgolf("train", folder, "--data", data, status=2).stderr
    assert not (folder / "logs").exists()


def test_package_and_verify(tmp_path):
    folder, data = make_folder(tmp_path / "toy", trained=False), make_data(tmp_path / "data")
    pgolf("package", folder, status=2)
    pgolf("train", folder, "--data", data, "--seeds", "5")
    done = pgolf("package", folder, "--author", "Ada", "--github-id", "ada")
    assert "val_bpb" in done.stdout and done.stderr == ""
    done = pgolf("verify", folder, "--run", "--data", data, "--json")
    statuses = {record["id"]: record["status"] for record in json.loads(done.stdout)["checks"]}
    assert "FAIL" not in statuses.values() and statuses["log.artifact"] == "PASS"
    # Its plugins are made up, so the file cannot be built again, and what cannot be is not run unasked.
    assert statuses["lock.rebuild"] == statuses["run.determinism"] == statuses["run.score"] == "SKIP"
    pgolf("verify", tmp_path / "nowhere", status=2)


def test_names_for_new_plugins(tmp_path):
    for name in ("Bad", "1x", "x-y", "x__y", "class", "../x", "swa", "x_", ""):
        assert "error[PG" in pgolf("plugins", "new", name, "-o", tmp_path / "new", status=2).stderr
        assert not (tmp_path / "new").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("")
    pgolf("plugins", "new", "fine", "-o", tmp_path / "full", status=2)


def test_hooks_are_listed_and_described():
    from pgolf.hookspecs import HOOKS

    listed = pgolf("plugins", "hooks").stdout
    assert all(hook in listed for hook in HOOKS)
    text = pgolf("plugins", "hooks", "attention_kernel").stdout
    assert "component(model: GPT, q_BTHC: Tensor" in text and "# example_attention.py" in text
    record = json.loads(pgolf("plugins", "hooks", "orthogonalizer", "--json").stdout)
    assert [call["name"] for call in record["calls"]] == ["__call__"]
    assert [item["name"] for item in record["attributes"]] == ["name"] and "hookimpl" in record["example"]
    assert len(json.loads(pgolf("plugins", "hooks", "--json").stdout)) == len(HOOKS)
    failed = pgolf("plugins", "hooks", "stem_term", status=2)
    assert "there is no hook 'stem_term'" in failed.stderr and "did you mean stem_terms?" in failed.stderr
