"""Training shards that hold validation documents."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from pgolf.cli.main import main
from pgolf.data.split import Split, check_manifest, check_tokens
from pgolf.data.writer import write_shard
from pgolf.errors import PgolfError
from pgolf.run.data import DataPaths, check_data


def shards(folder, val, *train):
    folder.mkdir(exist_ok=True)
    write_shard(folder / "fineweb_val_000000.bin", np.array(val))
    for number, tokens in enumerate(train):
        write_shard(folder / f"fineweb_train_{number:06}.bin", np.array(tokens))
    return folder


def test_a_shared_document_is_found_also_across_two_shards(tmp_path):
    val = [1, 5, 6, 1, 7, 8, 9]
    assert check_tokens(shards(tmp_path, val, [1, 5, 1, 6], [1, 7, 8])) == Split(3, 2, 0, "")
    assert check_tokens(shards(tmp_path, val, [1, 5, 1, 7], [8, 9, 1, 4])) == Split(
        3, 2, 1, "fineweb_train_000001.bin: document 2"
    )
    assert check_tokens(shards(tmp_path, val, [1, 4], [1, 5, 6])).first == "fineweb_train_000001.bin: document 2"
    assert check_tokens(shards(tmp_path, val, [5, 6, 1, 4], [1, 5, 6, 6])).shared == 0


def test_a_part_of_a_document_is_not_the_document(tmp_path):
    assert check_tokens(shards(tmp_path, [1, 5, 6, 7], [1, 5, 6, 1, 5, 6, 7, 7, 5, 6, 7])).shared == 0


def test_missing_and_damaged_shards_are_one_line(tmp_path):
    with pytest.raises(PgolfError, match="no shard matches") as caught:
        check_tokens(tmp_path)
    assert caught.value.code == "PG001"
    shards(tmp_path, [1, 5], [1, 6])
    (tmp_path / "fineweb_train_000000.bin").write_bytes(b"x" * 1030)
    with pytest.raises(PgolfError) as caught:
        check_tokens(tmp_path)
    assert caught.value.code == "PG502"


def test_a_run_refuses_what_the_manifest_counts(tmp_path):
    folder = shards(tmp_path / "data", [1, 5], [1, 6])
    paths = DataPaths(folder, folder / "tok.model")
    paths.tokenizer_path.touch()
    check_data(paths)
    for count in (0, 3):
        counted = {"documents": count, "first": "docs.jsonl:4"}
        (folder / "manifest.json").write_text(json.dumps({"format": 1, "train_in_val": counted}))
        check_data(paths, training=False)
        if not count:
            check_data(paths)
            check_manifest(folder)
    with pytest.raises(
        PgolfError, match=r"3 training documents are validation documents, first docs\.jsonl:4"
    ) as caught:
        check_data(paths)
    assert caught.value.code == "PG507"


def test_the_command_counts_and_refuses(tmp_path):
    folder = shards(tmp_path, [1, 5, 6], [1, 5, 1, 6])
    done = CliRunner().invoke(main, ["data", "check", str(folder), "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["train_documents"] == 2
    shards(tmp_path, [1, 5, 6], [1, 5, 6, 1, 6])
    done = CliRunner().invoke(main, ["data", "check", str(folder)])
    assert done.exit_code == 2 and "error[PG507]: 1 training documents are validation documents" in done.output
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1, "files": {"gone.bin": {}}}))
    done = CliRunner().invoke(main, ["data", "check", str(folder)])
    assert done.exit_code == 2 and "gone.bin: missing" in done.output
