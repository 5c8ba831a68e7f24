"""`pgolf plugins`: list, show, new, hooks."""

import json

import pytest
from commands import pgolf

pytestmark = pytest.mark.usefixtures("in_a_folder")


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
