"""`pgolf leaderboard`."""

import json

from commands import pgolf
from foreign import foreign_folder


def test_the_leaderboard():
    text = pgolf("leaderboard").stdout
    assert text.index("1855") < text.index("1736") and "1.0611" in text
    document = json.loads(pgolf("leaderboard", "--track", "non_record", "--json").stdout)
    assert document["as_of"] and all(row["track"] == "non_record" for row in document["rows"])


def test_is_it_a_record(tmp_path):
    folder = foreign_folder(tmp_path)
    line = pgolf("leaderboard", folder).stdout
    assert "needs 0.00194 BPB (0.005 nats)" in line and "no record by the written rule" in line
    found = json.loads(pgolf("leaderboard", folder, "--against", 1394, "--json").stdout)
    assert found["baseline"].startswith("row #1394") and found["written"] and found["count"] == 3
    assert "#1851" in pgolf("leaderboard", folder, "--against", 1851).stdout  # a row with its mean alone
    pgolf("leaderboard", folder, "--against", 7, status=2)
    (tmp_path / "empty").mkdir()
    assert "PG504" in pgolf("leaderboard", tmp_path / "empty", status=2).stderr
