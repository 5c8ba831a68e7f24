"""The `pgolf` command: commands are imported when they are called, so that `--help` is quick."""

from __future__ import annotations

import errno
import gc
import importlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from pgolf import __version__
from pgolf.cli import output
from pgolf.errors import PgolfError, PgolfErrors
from pgolf.files import write_error
from pgolf.stand_ins import Process

# Each of these modules imports click and the standard library alone until its command runs.
COMMANDS: dict[str, str] = {
    "ablate": "pgolf.cli.ablate:ablate",
    "build": "pgolf.cli.build:build",
    "data": "pgolf.cli.data:data",
    "diff": "pgolf.cli.diff:diff",
    "doctor": "pgolf.cli.doctor:doctor",
    "explain": "pgolf.cli.explain:explain",
    "fetch-run": "pgolf.cli.fetch_run:fetch_run",
    "forecast": "pgolf.cli.forecast:forecast",
    "lint": "pgolf.cli.lint:lint",
    "leaderboard": "pgolf.cli.leaderboard:leaderboard",
    "logs": "pgolf.cli.logs:logs",
    "pack": "pgolf.cli.pack:pack",
    "package": "pgolf.cli.package:package",
    "plan": "pgolf.cli.plan:plan",
    "plugins": "pgolf.cli.plugins:plugins",
    "preflight": "pgolf.cli.preflight:preflight",
    "profile": "pgolf.cli.profile:profile",
    "prove": "pgolf.cli.prove:prove",
    "report": "pgolf.cli.report:report",
    "requant": "pgolf.cli.requant:requant",
    "size": "pgolf.cli.size:size",
    "submit": "pgolf.cli.submit:submit",
    "sweep": "pgolf.cli.sweep:sweep",
    "train": "pgolf.cli.train:train",
    "upload": "pgolf.cli.upload:upload",
    "verify": "pgolf.cli.verify:verify",
}
INTERRUPTED = 130
WORDS = "pgolf.words"
REFUSALS = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ELOOP),
    *(errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.EBUSY, errno.ESTALE, errno.EXDEV),
)
"""What the system says of disks and folders, whoever writes; any other OSError that nobody caught is a defect."""


def exit_status(error: PgolfError) -> int:
    """1 for findings (a failed run, code that cannot be bundled), 2 for input that cannot be used."""
    codes = [finding.code for finding in error.findings] if isinstance(error, PgolfErrors) else [error.code]
    return 1 if all(code == "PG005" or code.startswith(("PG3", "PG4")) for code in codes) else 2


class LazyGroup(click.Group):
    """A group that finds its commands by name, and turns `PgolfError`, full disks and Ctrl-C into exit statuses.

    Any other exception is a defect of pgolf and keeps its traceback.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def main(self, args: Sequence[str] | None = None, *rest: Any, **more: Any) -> Any:
        """Without arguments, the process is this command and nothing else."""
        Process.is_command = args is None
        try:
            return super().main(args, *rest, **more)
        finally:
            if Process.is_command:
                # Python looks for garbage once more when the process ends: a tenth of a build.
                gc.freeze()

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> click.Context:
        """A mistake before the command's name ends like any other."""
        words = [*args]
        try:
            return super().make_context(info_name, args, *rest, **more)
        except click.UsageError as error:
            if not words:
                raise  # `pgolf` alone shows the help
            say_errors(words, [usage_error(error)], error.exit_code)
            raise SystemExit(error.exit_code) from None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words of the call for messages."""
        ctx.meta[WORDS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what users can mend is a message and an exit status, and with `--json` a document as well."""
        words = ctx.meta.get(WORDS, [])
        try:
            return super().invoke(ctx)
        except PgolfError as error:
            errors, status = [*error.findings] if isinstance(error, PgolfErrors) else [error], exit_status(error)
        except click.UsageError as error:
            errors, status = [usage_error(error)], error.exit_code
        except OSError as error:
            if error.errno not in REFUSALS:
                raise
            errors, status = [write_error(error, "a file")], 2
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            errors, status = [], INTERRUPTED
        say_errors(words, errors, status)
        return ctx.exit(status)


def usage_error(error: click.UsageError) -> PgolfError:
    """The same mistake in the style of all others."""
    command = error.ctx.command_path.split()[1:] if error.ctx is not None else []
    return PgolfError("PG004", " ".join(error.format_message().split()), hint=" ".join(["pgolf", *command, "--help"]))


def say_errors(words: list[str], errors: list[PgolfError], status: int) -> None:
    """Messages on stderr; with `--json` also the document that stands on stdout for the result of any command."""
    if hint := plugins_hint(words):
        errors = [PgolfError(one.code, one.message, one.where, hint, one.frame) for one in errors]
    for one in errors:
        click.echo(str(one), err=True)
    if "--json" in words:
        output.print_json(output.errors_document(errors, status))


def plugins_hint(words: list[str]) -> str:
    """`--plugins a b` was meant to be `--plugins a,b`."""
    at = words.index("--plugins") if "--plugins" in words else len(words)
    names = list(itertools.takewhile(lambda word: not word.startswith("-"), words[at + 1 :]))
    if len(names) < 2 or any(Path(name).exists() for name in names[1:]):
        return ""
    return f"--plugins takes one list: --plugins {','.join(name.strip(',') for name in names)}"


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pgolf")
def main() -> None:
    """Assemble, verify and share Parameter Golf submissions from small plugins.

    \b
    Example:
      pgolf build --smoke --plugins swa,bank_qat,pko -o submissions/first
      pgolf train submissions/first
      pgolf package submissions/first
      pgolf verify submissions/first --run
    """
