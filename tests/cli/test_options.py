"""Options that several commands share."""

import click
import pytest
from click.testing import CliRunner

from pgolf.cli import options
from pgolf.cli.main import main


def parsed(*words: str) -> list[str]:
    """What a command with `--plugins` gets of these words."""

    @click.command()
    @options.plugins
    def command(plugins: tuple[str, ...]) -> None:
        for name in plugins:
            click.echo(name)

    return CliRunner().invoke(command, list(words)).output.split()


def test_a_repeated_list_adds_to_the_first() -> None:
    assert parsed("--plugins", "swa, pko,", "--plugins", "ema") == ["swa", "pko", "ema"]
    assert parsed() == []


@pytest.mark.parametrize("name", ["build", "forecast", "plan", "prove", "requant", "size"])
def test_every_command_with_plugins_takes_it_twice(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    (found,) = (one for one in command.params if one.name == "plugins")
    assert found.multiple
    assert found.callback is options.split_names


def test_seeds_of_all_lists_each_once() -> None:
    context, parameter = click.Context(main), click.Option(["--seeds"])
    assert options.split_seeds(context, parameter, ("1337,42", "42,7")) == (1337, 42, 7)
    for wrong in ("1,x", "-1", str(2**63)):
        with pytest.raises(click.BadParameter, match=r"whole numbers|from 0 to"):
            options.split_seeds(context, parameter, (wrong,))
