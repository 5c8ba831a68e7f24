"""The command itself: help, exit statuses, and what goes to which stream."""

import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from commands import pgolf

from pgolf.cli.main import COMMANDS, exit_status, main
from pgolf.errors import PgolfError, PgolfErrors

pytestmark = pytest.mark.usefixtures("in_a_folder")


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
