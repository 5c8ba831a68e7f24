"""Commands, run in this process."""

from click.testing import CliRunner

from pgolf.cli.main import main


def pgolf(*arguments, status=0):
    """Run a command in this process."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == status, done.stderr
    return done
