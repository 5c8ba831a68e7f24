"""Byte side files: counts by place in the stream, and every way in which they cannot be of these shards."""

import numpy as np
import pytest
import torch
from equality import run_recorded
from micro import micro, run_program

from pgolf.data.writer import write_shard
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.side_files import SideFileBytes

TOKENS = [1, 5, 6, 1, 7, 8, 9]
COUNTS = [0, 3, 0, 0, 70, 65535, 2]


def write(folder, tokens=TOKENS, counts=COUNTS, cut=3):
    """Two validation shards and two side files, cut elsewhere."""
    for name, values, at in (("val", tokens, cut), ("val_bytes", counts, cut + 1)):
        write_shard(folder / f"fineweb_{name}_000000.bin", np.array(values[:at]))
        write_shard(folder / f"fineweb_{name}_000001.bin", np.array(values[at:]))
    return folder


def opened(folder):
    counter = SideFileBytes("some_plugin")
    counter.open("", str(folder), 16, torch.device("cpu"), Ledger())
    return counter


def test_counts_are_those_of_the_targets_places(tmp_path):
    counter = opened(write(tmp_path))
    places = torch.tensor([[1, 2, 3], [4, 5, 6]])
    counted = counter.count(torch.zeros_like(places), torch.zeros_like(places), places)
    assert counted.dtype == torch.int64
    assert counted.tolist() == [[3, 0, 0], [70, 65535, 2]]
    assert counter.ledger.receipt("some_plugin") == "6 targets"


def test_side_files_of_other_shards_are_refused(tmp_path):
    with pytest.raises(
        ValueError, match=r"fineweb_val_bytes_\*.bin: 6 entries, wanted one for each of 7 validation tokens"
    ):
        opened(write(tmp_path, counts=COUNTS[:-1]))
    with pytest.raises(ValueError, match="entry 3 belongs to BOS and is 4, wanted 0"):
        opened(write(tmp_path, counts=[0, 3, 0, 4, 70, 9, 2]))


def spoil(path, **fields):
    words = np.fromfile(path, "<u1")
    for at, value in fields.values():
        words[4 * at : 4 * at + 4] = np.frombuffer(np.int32(value).tobytes(), "<u1")
    words.tofile(path)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def remove_all(path):
    for other in path.parent.glob("fineweb_val_bytes_*.bin"):
        other.unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove_all, r"fineweb_val_bytes_\*.bin: no shard matches"),
        (cut, "wanted 1024 \\+ 2n bytes"),
        (lambda path: spoil(path, magic=(0, 1)), "wanted 1024 \\+ 2n bytes and header \\[20240520"),
        (lambda path: spoil(path, version=(1, 7)), "header \\[20240520, 7"),
        (lambda path: path.unlink(), "3 entries, wanted one for each of 7"),
    ],
    ids=["missing", "cut", "magic", "version", "one missing"],
)
def test_damage_is_one_line(damage, message, tmp_path):
    damage(write(tmp_path) / "fineweb_val_bytes_000000.bin")
    with pytest.raises(ValueError, match=message) as caught:
        opened(tmp_path)
    assert "\n" not in str(caught.value)


def program(folder, *names):
    (folder / "entry.py").write_text(micro(*names).entry)
    return folder / "entry.py"


def test_a_run_counts_what_the_tables_count_where_both_are_right(tmp_path, micro_data):
    tables = run_recorded(program(tmp_path), tmp_path / "tables", micro_data)
    by_place = run_recorded(program(tmp_path, "caseops"), tmp_path / "places", micro_data.side_files)
    assert tables["final"] and tables["final"] == by_place["final"]


@pytest.mark.parametrize(
    ("names", "side_files", "message"),
    [
        (("caseops",), False, "fineweb_val_bytes_*.bin: no shard matches"),
        ((), True, "build with the plugin that reads them"),
    ],
    ids=["none there", "not read"],
)
def test_a_build_and_data_that_do_not_fit_end_before_training(names, side_files, message, tmp_path, micro_data):
    data = micro_data.side_files if side_files else micro_data
    run = run_program(program(tmp_path, *names), tmp_path / "run", data)
    assert run.status != 0 and message in run.output
    assert "Traceback" not in run.output and "train_loss" not in run.output
