"""`pgolf diff` from its command line."""

import json

import pytest
from click.testing import CliRunner
from folders import log_text

from pgolf.cli.main import main

RECIPE = 'name = "x"\nplugins = ["{}"]\n[settings]\nmodel_dim = {}\n'


def run(*arguments):
    return CliRunner().invoke(main, ["diff", *map(str, arguments)])


@pytest.mark.ci
def test_two_recipes(tmp_path):
    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    one.write_text(RECIPE.format("brotli", 64))
    other.write_text(RECIPE.format("lzma", 128))
    done = run(one, other, "--exit-code")
    assert done.exit_code == 1, done.output
    lines = [line.split() for line in done.output.splitlines()]
    assert ["+", "lzma"] in lines and ["-", "brotli"] in lines and ["model_dim", "64", "128"] in lines
    found = json.loads(run(one, one, "--json", "--no-bytes").stdout)
    assert found["same_program"] and found["plugin_bytes"] == {} and found["unknown"] == []
    assert run(one, one, "--exit-code", "--no-bytes").exit_code == 0


def test_two_sets_of_logs(tmp_path):
    for name, off in (("a", 0.0), ("b", 0.01)):
        (tmp_path / name).mkdir()
        for seed in (1, 2, 3):
            (tmp_path / name / f"{seed}.log").write_text(log_text(b"x", seed, 1.2 + seed / 100 - off * (1 + seed / 9)))
    done = run(tmp_path / "a", tmp_path / "b")
    assert done.exit_code == 0 and "paired t over 3 seeds" in done.output and ", p 0.00" in done.output
    assert "the same plugins" not in done.output


def test_bad_input_is_one_line(tmp_path):
    done = run(tmp_path / "none", tmp_path)
    assert done.exit_code == 2 and "error[PG001]" in done.output and "Traceback" not in done.output
    assert run(tmp_path).exit_code == 2
    assert json.loads(run(tmp_path, tmp_path, "--json").stdout)["errors"][0]["code"] == "PG001"
