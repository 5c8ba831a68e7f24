import json

import pytest
from click.testing import CliRunner
from requant.sweeps import PLUGINS, SIZES

from pgolf.cli.main import main
from pgolf.recipe import dump_recipe


def command(*words):
    return CliRunner().invoke(main, ["requant", *map(str, words)])


def test_the_command_prints_a_table_a_document_and_pictures(swept, micro_data, tmp_path):
    folder, made, _, found = swept
    path = tmp_path / "recipe.toml"
    settings = {**SIZES, "gptq_calibration_batches": 1}
    path.write_text(dump_recipe("tiny", PLUGINS, [], settings, made.recipe.challenge))
    words = [folder, path, "--sweep", "matrix_clip_sigmas=6,12", "--data", micro_data.data_path, "-o", folder / "out"]
    shown = command(*words, "--plot", tmp_path / "p.html")
    assert shown.exit_code == 0, shown.output
    assert "kept" in shown.stderr and "matrix_clip_sigmas" in shown.stdout and "collected" in shown.stdout
    assert "<svg" in (tmp_path / "p.html").read_text()
    document = json.loads(command(*words, "--json").stdout)
    assert [point["artifact_sha256"] for point in document["points"]] == [
        point["artifact_sha256"] for point in found.points
    ]
    assert all(point["fits"] for point in document["points"]) and document["points"][1]["front"]


@pytest.mark.parametrize(
    "words",
    [["--sweep", "matrix_bits"], ["--plot", "x.pdf"], ["--sweep", "nothing_like_this=1"], ["--set", "model_dim=128"]],
)
def test_bad_input_is_a_line_and_status_2(swept, micro_data, tmp_path, words):
    folder, made, _, _ = swept
    path = tmp_path / "recipe.toml"
    path.write_text(dump_recipe("tiny", PLUGINS, [], SIZES, made.recipe.challenge))
    failed = command(folder, path, "--data", micro_data.data_path, "-o", tmp_path / "out", *words)
    assert failed.exit_code == 2 and failed.stderr.startswith("error[PG00"), failed.output
