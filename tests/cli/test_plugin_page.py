"""What `pgolf plugins` lists and shows."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from models import registry

from pgolf.cli.main import main
from pgolf.cli.plugin_page import tensors
from pgolf.cli.plugins import _list


def run(*arguments):
    done = CliRunner().invoke(main, ["plugins", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_plugin_has_one_line():
    lines = run().splitlines()
    for name in registry().plugins:
        assert sum(line.split()[:1] == [name] for line in lines) == 1, name
    assert max(map(len, lines)) <= 160


def test_a_long_effect_leaves_the_names_whole():
    loaded = registry().get("adam")
    long = replace(loaded.plugin, effect="slower " * 100)
    with CliRunner().isolation() as (out, *_):
        _list([replace(loaded, plugin=long), registry().get("muon")])
    assert [line.split()[0] for line in out.getvalue().decode().splitlines() if "slower" in line] == ["adam"]


def test_a_search_needs_all_words_wherever_they_stand():
    found = [row["name"] for row in json.loads(run("--search", "SKIP 1089", "--json"))]
    assert found == ["skip_gates"]
    assert {row["name"] for row in json.loads(run("--search", "qk_gain_init", "--json"))} == {"qk_gain"}
    assert "no plugin has all these words" in run("--search", "nowhere to be found")


def test_a_page_has_maths_tensors_conflicts_and_records():
    page = run("show", "sparse_attention_gate")
    for text in (
        "sigmoid",
        "conflicts with",
        "records: ",
        "PR #1855",
        "PR #1787",
        "tensor blocks.0..8.attn.attn_gate_w",
    ):
        assert text in page, text


def test_tensors_are_those_of_the_default_sizes():
    (head,) = tensors("mtp", registry())
    assert head == {"name": "mtp_heads.0.weight", "shape": "1024x512", "group": "head", "quant": "nothing"}
    assert {row["shape"] for row in tensors("skip_gates", registry())} == {"4x512"} and tensors(
        "z_loss", registry()
    ) == []


@pytest.mark.slow
def test_bytes_are_what_the_packed_baseline_grows_by():
    assert json.loads(run("show", "z_loss", "--bytes", "--json"))["bytes"] > 0
