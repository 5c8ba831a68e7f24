"""The `pgolf` command: commands are imported when they are called, so that `--help` is quick."""

from __future__ import annotations

import errno
import importlib
from typing import Any

import click

from pgolf import __version__
from pgolf.errors import PgolfError, PgolfErrors
from pgolf.files import write_error

# Each of these modules imports click and the standard library alone until its command runs.
COMMANDS: dict[str, str] = {
    "build": "pgolf.cli.build:build",
    "data": "pgolf.cli.data:data",
    "lint": "pgolf.cli.lint:lint",
    "leaderboard": "pgolf.cli.leaderboard:leaderboard",
    "logs": "pgolf.cli.logs:logs",
    "pack": "pgolf.cli.pack:pack",
    "package": "pgolf.cli.package:package",
    "plugins": "pgolf.cli.plugins:plugins",
    "prove": "pgolf.cli.prove:prove",
    "size": "pgolf.cli.size:size",
    "train": "pgolf.cli.train:train",
    "verify": "pgolf.cli.verify:verify",
}
INTERRUPTED = 130
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

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what users can mend is a message and an exit status."""
        try:
            return super().invoke(ctx)
        except PgolfError as error:
            click.echo(str(error), err=True)
            ctx.exit(exit_status(error))
        except OSError as error:
            if error.errno not in REFUSALS:
                raise
            click.echo(str(write_error(error, "a file")), err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


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
