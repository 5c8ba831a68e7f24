"""The records that hooks return and plugins declare."""

import dataclasses
import functools

import pytest

from pgolf.component import Component, Conflict, Need, PlanFacts, Plugin, Setting, is_literal
from pgolf.errors import PgolfError


class Thing:
    def __init__(self, size=1):
        self.size = size

    def method(self):
        return self.size


def work(x, scale=1):
    return x * scale


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        *((None, True), (True, True), (3, True), (-0.5, True), ("a", True), (b"a", True), ((), True), ({}, True)),
        *(((1, ("a", None)), True), ({"a": (1,)}, True), (float("nan"), False), (float("inf"), False), ([1], False)),
        *(({1: 2}, False), ({1, 2}, False), (object(), False), ((1, [2]), False), (1j, False)),
    ],
)
def test_literals(value, literal):
    assert is_literal(value) is literal
    if not literal:
        with pytest.raises(PgolfError, match="is not a literal") as caught:
            Component(work, scale=value)
        assert caught.value.code == "PG105"


def test_components_are_literals_and_may_be_nested():
    inner = Component(Thing, size=2)
    assert is_literal((inner,)) and Component(work, scale=inner).arguments == {"scale": inner}


@pytest.mark.parametrize("target", [lambda x: x, Thing().method, Thing.method, 3, functools.partial(work, 1), "work"])
def test_only_what_can_be_imported_by_name_is_a_target(target):
    with pytest.raises(PgolfError, match="not a top-level class or function"):
        Component(target)


def test_a_component_is_its_target_with_its_arguments_in_any_order():
    one, two = Component(work, b=1, a=2), Component(work, a=2, b=1)
    assert one == two and hash(one) == hash(two) and list(one.arguments) == ["a", "b"]
    assert one != Component(work, a=2) and one != Component(Thing, b=1, a=2) and one != "work"
    assert (one.name, one.module, repr(one)) == ("work", __name__, "work(a=2, b=1)")


@pytest.mark.parametrize(
    ("kind", "name", "install"),
    [
        ("python", "brotli", "pip install brotli"),
        ("program", "lrzip", "apt-get install lrzip"),
        ("gpu", "cuda", "run on a machine with a CUDA device (cuda)"),
        ("gpu", "sm_90", "run on a machine with a CUDA device (sm_90 or later)"),
    ],
)
def test_a_need_says_what_provides_it(kind, name, install):
    assert Need(kind, name, "for a test").install == install


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("package", "x"), ("python", "a b"), ("python", ""), ("python", "-x"), ("program", "a;b")),
        *(("gpu", "h100"), ("gpu", "sm_9")),
    ],
)
def test_a_need_that_cannot_be_one_is_refused(kind, name):
    with pytest.raises(PgolfError) as caught:
        Need(kind, name, "")
    assert caught.value.code == "PG104" and caught.value.hint


def test_a_setting_has_the_type_of_its_default():
    assert [Setting("a", default, "").type for default in (1, 0.5, True, "x")] == [int, float, bool, str]


RECORDS = (
    Setting("a", 1, ""),
    Conflict("a", ""),
    Need("gpu", "cuda", ""),
    Plugin("a", "b", "c", "data"),
    PlanFacts(1, 2, 3),
)


@pytest.mark.parametrize("record", RECORDS)
def test_records_are_frozen(record):
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.name = "x"
