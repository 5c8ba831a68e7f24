"""A text transform among the plugins, made for commands that prepare data; what is refused is in test_transform.py."""

import pytest
from models import registry

from pgolf.component import Component
from pgolf.errors import PgolfError
from pgolf.transforms import find_transform, instance, transform_of


class Pair:
    def __init__(self, left, right=2):
        self.left, self.right = left, right


def test_components_are_made_from_the_inside_out():
    made = instance(Component(Pair, left=Component(Pair, left=1), right=3))
    assert (made.left.left, made.left.right, made.right) == (1, 2, 3) and instance("text") == "text"


def test_a_transform_says_which_plugin_it_is_of():
    found = find_transform("caseops", {}, registry())
    assert found.name == "caseops" and len(found.record["sha256"]) == 64 and found.record["component"]


def test_a_build_needs_the_transform_of_its_plugins_or_none():
    assert transform_of(["adam", "muon"], {"num_layers": 3}, registry()) is None
    found = transform_of(["adam", "caseops"], {"num_layers": 3}, registry())
    assert type(found) is type(find_transform("caseops", {}, registry()))


@pytest.mark.parametrize(("name", "code"), [("nothing", "PG102"), ("adam", "PG004")])
def test_plugins_without_one(name, code):
    with pytest.raises(PgolfError) as caught:
        find_transform(name, {}, registry())
    assert caught.value.code == code and (code == "PG102" or "caseops" in caught.value.hint)


def test_a_hook_that_fails_in_workers_is_refused(monkeypatch):
    """What cannot be sent to another process is found before any process starts."""

    class Unsendable:
        symbols = ()

        def __reduce__(self):
            raise TypeError("not to be sent")

    monkeypatch.setattr("pgolf.transforms.instance", lambda component: Unsendable())
    with pytest.raises(PgolfError, match="cannot be used: TypeError: not to be sent") as caught:
        find_transform("caseops", {}, registry())
    assert caught.value.code == "PG105"
