"""The rows of the public leaderboard, and which one is to be beaten."""

import pytest

from pgolf.errors import PgolfError
from pgolf.leaderboard import find_row, load_board, own_row, row_to_beat, rows_of


def seeds(pr):
    return find_row(pr).seed_val_bpb


def test_rows_are_best_first_and_their_means_fit():
    rows = rows_of()
    assert [row.val_bpb for row in rows] == sorted(row.val_bpb for row in rows) and len(rows) > 40
    for row in rows:
        if row.seed_val_bpb:
            mean = sum(row.seed_val_bpb) / len(row.seed_val_bpb)
            best = min(row.seed_val_bpb)  # early rows show their best seed
            assert min(abs(mean - row.val_bpb), abs(best - row.val_bpb)) < 1e-4, row
    assert load_board()[0] == "2026-05-02"


def test_the_row_to_beat():
    assert row_to_beat([1.0, 1.01], 1.005).pr == 1855
    assert own_row(seeds(1729), None).pr == 1729 and row_to_beat(seeds(1729), None).pr == 1667
    assert own_row([1.3, 1.2], 1.06141).pr == 1851 and row_to_beat([1.3, 1.2], 1.06141).pr == 1787
    with pytest.raises(PgolfError, match="no row"):
        find_row(1)
