"""`pgolf plan`."""

import json

from click.testing import CliRunner

from pgolf.cli.main import main

SMALL = ("--set", "num_layers=4", "--set", "model_dim=64", "--set", "num_heads=4", "--set", "num_kv_heads=2")


def run(*arguments):
    return CliRunner().invoke(main, ["plan", *arguments])


def test_it_prints_a_table_for_each_set_of_phases_and_writes_a_drawing(tmp_path):
    page = tmp_path / "plan.svg"
    loop = ("--set", "loop_start=1", "--set", "loop_end=2")
    done = run("--plugins", "layer_loop", *SMALL, *loop, "--svg", str(page))
    assert done.exit_code == 0, done.output
    assert "phases none: 2 encoder and 2 decoder steps" in done.output and "0 1 2 (1) | (2) (1) (2) 3" in done.output
    assert "4 compiled variants of 16 allowed" in done.output and page.read_text().startswith("<svg")


def test_json_has_every_step():
    found = json.loads(run(*SMALL, "--json").stdout)
    assert [step["layer"] for step in found["variants"][0]["steps"]] == [0, 1, 2, 3]
    assert found["sizes"]["tok_emb.weight"] == 1024 * 64


def test_bad_input_is_one_line():
    done = run("--plugins", "layer_loop", "--set", "num_layers=4")
    assert done.exit_code == 2 and "loop_end is 5, wanted at most 3" in done.output and "Traceback" not in done.output
