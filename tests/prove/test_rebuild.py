"""What builds a lock again prints the hash of what it made."""

from models import registry

from pgolf.prove.rebuild import main
from pgolf.recipe import Recipe
from pgolf.submission import make


def test_it_makes_the_bytes_of_the_lock(tmp_path, capsys):
    made = make(Recipe("test"), registry(), smoke=True)
    (tmp_path / "wanted.lock").write_text(made.lock.dump())
    main(str(tmp_path / "wanted.lock"))
    assert capsys.readouterr().out == f"{made.built.sha256}\n" and made.built.sha256 == made.lock.code_sha256
