"""What torchrun runs, on one rank."""

import re

import pytest

from pgolf.preflight import ranks


def test_one_rank_sums_with_itself(capsys, monkeypatch):
    ranks.main()
    assert re.fullmatch(r"ranks: 1 of 1, 64 MiB summed in [\d.]+ ms\n", capsys.readouterr().out)
    monkeypatch.setattr(ranks, "sum_over_ranks", lambda tensor, world: 2 * tensor)
    with pytest.raises(ValueError, match="the ranks' numbers sum to 2"):
        ranks.main()
