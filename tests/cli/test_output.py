"""What commands print: results on stdout, everything else on stderr."""

import json

import pytest

from pgolf.cli import output
from pgolf.errors import PgolfError


def test_remarks_go_to_stderr_and_results_to_stdout(capsys):
    output.note("a")
    output.warn("b")
    output.print_json({"é": [1, None]})
    printed = capsys.readouterr()
    assert printed.err == "a\nwarning: b\n" and json.loads(printed.out) == {"é": [1, None]} and printed.out.isascii()


def test_errors_for_machines():
    document = output.errors_document([PgolfError("PG004", "seen", "a", "h")], 2)
    assert document == {"errors": [{"code": "PG004", "message": "seen", "where": "a", "help": "h"}], "exit_status": 2}


def test_a_page_is_written_whole_and_its_folder_is_not_made(tmp_path):
    output.write_page(tmp_path / "a.html", b"page")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"page"]
    with pytest.raises(PgolfError, match="there is no folder") as caught:
        output.write_page(tmp_path / "missing/a.html", b"page")
    assert caught.value.code == "PG001" and not (tmp_path / "missing").exists()


def test_a_table_in_a_pipe_has_one_line_for_each_row_and_takes_no_markup(capsys):
    made = output.table("name", "bytes", right=("bytes",), title="all")
    made.add_row("[red]a" + "b" * 90, output.count(16_000_000))
    made.add_row("c", "1")
    output.print_table(made)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0].strip() == "all" and "[red]a" in lines[3] and lines[3].rstrip().endswith("16,000,000")
    assert lines[4].rstrip().endswith(" 1") and len(lines) == 5
    assert len(lines[3].rstrip()) == len(lines[4].rstrip()), "numbers end below each other"
